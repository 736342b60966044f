"""What the environment has to say before Prefect and numba are imported or a server is started.

Prefect and Ray report nothing to their makers. A server on this machine is asked directly, also
where all else goes through a proxy. Prefect's records and numba's compiled code are kept where they
can be: in a temporary folder where neither the program's own nor the person's can be written to.
"""

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "ilpix"  # beside whose modules numba keeps compiled code
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXIES = ("http_proxy", "https_proxy", "all_proxy")  # in capitals too
KNOWN_PROXIES = ("http", "https", "socks5", "socks5h")
NO_PROXY = ("no_proxy", "NO_PROXY")  # both spellings are read, by one library or another

_log = logging.getLogger(__name__)


def prepare_environment() -> None:
    """Set what is missing; what an operator has set stays."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    _leave_loopback_to_no_proxy()
    _leave_out_unknown_proxies()
    _find_home()
    _find_cache()


def _leave_loopback_to_no_proxy() -> None:
    named = [os.environ.get(name, "") for name in NO_PROXY]
    hosts = [host.strip() for names in named for host in names.split(",") if host.strip()]
    if "*" not in hosts:
        os.environ.update(dict.fromkeys(NO_PROXY, ",".join(dict.fromkeys([*hosts, *LOOPBACK]))))


def _leave_out_unknown_proxies() -> None:
    """Prefect's client ends with an error at one that it does not know, needed or not."""
    for name in [name for name in os.environ if name.lower() in PROXIES]:
        kind, mark, _ = os.environ[name].partition("://")
        if mark and kind.lower() not in KNOWN_PROXIES:
            del os.environ[name]
            _log.warning(
                "%s names a proxy of the kind %s, which is not used: known are http and socks5",
                *(name, kind),
            )


def _find_home() -> None:
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect")
    if not _can_be_written(home):
        os.environ["PREFECT_HOME"] = _temporary_folder()
        _log.warning("%s cannot be written to: Prefect keeps its records of this run only", home)


def _find_cache() -> None:
    usual = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    if not (
        os.environ.get("NUMBA_CACHE_DIR") or os.access(PROGRAM, os.W_OK) or _can_be_written(usual)
    ):
        os.environ["NUMBA_CACHE_DIR"] = _temporary_folder()


def _can_be_written(folder: str | Path) -> bool:
    try:
        path = Path(folder).expanduser()
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except (OSError, RuntimeError):  # the latter where nobody knows a home
        return False
    return True


def _temporary_folder() -> str:
    folder = tempfile.mkdtemp(prefix="ilpix-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


prepare_environment()
