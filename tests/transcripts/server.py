"""Flows of a process of its own, with a real server, and what that remembers of them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from command.server import TemporaryServer
from tests.conftest import REPOSITORY
from tests.transcripts.terminal import DEADLINE_S, environment


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Keep a server with a home of its own; give the address of its API."""
    before = os.environ.get("PREFECT_HOME")
    os.environ["PREFECT_HOME"] = str(folder.parent / "home")
    server = TemporaryServer()
    try:
        yield server.wait()
    finally:
        server.stop()
        if before is None:
            del os.environ["PREFECT_HOME"]
        else:
            os.environ["PREFECT_HOME"] = before


def in_python(folder: Path, address: str, code: str) -> None:
    """Run code in the repository, whose Prefect settings are those of the deployments."""
    subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=REPOSITORY,
        env=environment(folder) | {"PREFECT_API_URL": address},
        check=True,
        timeout=DEADLINE_S,
    )


def remembered(address: str, what: str) -> list[dict[str, Any]]:
    """Return all logs, or artifacts, in the order in which they came."""
    order = {"logs": "TIMESTAMP_ASC", "artifacts": "CREATED_DESC"}[what]
    found = httpx.post(f"{address}/{what}/filter", json={"sort": order}, timeout=60)
    return list(found.raise_for_status().json())
