"""What the environment has to say before Prefect is imported or its server is started.

Prefect and Ray report nothing to their makers. A server on this machine is asked directly, also
where all else goes through a proxy. Prefect's folder is one that can be written to.
"""

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
NO_PROXY = ("no_proxy", "NO_PROXY")  # both spellings are read, by one library or another

_log = logging.getLogger(__name__)


def prepare_environment() -> None:
    """Set what is missing; what an operator has set stays."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    _leave_loopback_to_no_proxy()
    _find_home()


def _leave_loopback_to_no_proxy() -> None:
    named = [os.environ.get(name, "") for name in NO_PROXY]
    hosts = [host.strip() for names in named for host in names.split(",") if host.strip()]
    if "*" not in hosts:
        os.environ.update(dict.fromkeys(NO_PROXY, ",".join(dict.fromkeys([*hosts, *LOOPBACK]))))


def _find_home() -> None:
    """Let Prefect work in a temporary folder where its own cannot be written to."""
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect")
    try:
        home = home.expanduser()
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()
    except (OSError, RuntimeError):  # the latter where nobody knows a home
        folder = tempfile.mkdtemp(prefix="ilpix-prefect-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["PREFECT_HOME"] = folder
        _log.warning("%s cannot be written to: Prefect keeps its records of this run only", home)


prepare_environment()
