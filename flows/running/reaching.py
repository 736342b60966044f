"""Whether anything answers where Prefect's server should be; asked before Prefect is imported."""

from flows.errors import ServerUnreachableError

ANSWER_S = 4.0
NO_SERVER = frozenset({404, 502, 504})  # what a proxy or another server answers


def require_server(address: str) -> None:
    """Raise if no server answers at the address of an API.

    Raises:
        ServerUnreachableError: then.
    """
    if reason := why_no_answer(address):
        raise ServerUnreachableError(address, reason)


def why_no_answer(address: str) -> str:
    """Return why no server answers at the address of an API; empty where one does."""
    import httpx  # noqa: PLC0415 - only where a server is named

    health = f"{address.rstrip('/')}/health"
    try:
        # asked is only whether something is there; who it is, is looked at when it is spoken to
        status = httpx.get(health, timeout=ANSWER_S, verify=False).status_code  # noqa: S501
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return f"HTTP {status}" if status in NO_SERVER else ""
