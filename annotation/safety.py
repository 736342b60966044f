"""Only the person who started the server, from a page of this server, may use it.

The first address carries a token, the answer to it a cookie that other sites cannot send along. A
page from elsewhere that names this machine, by whatever name, is refused by `Host` and `Origin`.
"""

import secrets
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
TOKEN_BYTES = 32
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_WELCOME = (
    "This address needs the token that ilpix annotate printed when it started: "
    "open the whole address from the terminal.\n"
)


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Guard:
    """Lets nothing through that is not from the person at this machine."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        """Guard an application.

        Args:
            app: what is guarded.
            token: see `new_token`.
            port: of the server; another server on this machine gets another cookie.
        """
        self._app, self._token, self._cookie = app, token, f"ilpix-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, _with_headers(send))
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["type"] != "http":
            return PlainTextResponse("there is nothing of that kind here\n", 404)
        if not _is_loopback(headers.get("host", "")):
            return PlainTextResponse("this server answers to localhost only\n", 421)
        if not _is_own_page(scope["method"], headers):
            return PlainTextResponse("this request comes from another site\n", 403)
        if scope["path"] == "/" and (given := _token_in(scope)):
            return self._welcome(given)
        if not self._has_cookie(headers):
            return PlainTextResponse(_WELCOME, 403)
        return None

    def _welcome(self, given: str) -> Response:
        """Exchange the token for the cookie; the token does not stay in the address."""
        if not secrets.compare_digest(given.encode(), self._token.encode()):
            return PlainTextResponse(_WELCOME, 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        return answer

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and secrets.compare_digest(
            cookie.value.encode(), self._token.encode()
        )


def _is_loopback(host: str) -> bool:
    """Any port: a tunnel may end at another one than the server's."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower() in LOOPBACK


def _is_own_page(method: str, headers: Headers) -> bool:
    origin, host = headers.get("origin"), headers.get("host")
    if origin is not None:
        return origin == f"http://{host}"
    return method in {"GET", "HEAD"} and headers.get("sec-fetch-site", "none") in {
        "none",
        "same-origin",
        "cross-site" if headers.get("sec-fetch-mode") == "navigate" else "none",
    }


def _token_in(scope: Scope) -> str:
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return str(query.get("token", [""])[0])


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
