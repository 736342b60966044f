"""The process of the temporary server: `server_process.py HOST PORT`.

It ends when its standard input does, which the command that started it holds open.
"""

import asyncio
import gc
import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def main(host: str, port: str) -> None:
    """Serve until standard input ends."""
    gc.disable()  # imports leave no garbage, and looking for it is a quarter of the start
    Thread(target=_end_with_the_command, daemon=True).start()
    _make_database_once()
    import uvicorn  # noqa: PLC0415 - ending must work before it is there

    uvicorn.run(
        _make_app, factory=True, host=host, port=int(port), log_level="error", lifespan="on"
    )


def _make_app() -> "FastAPI":
    from prefect.server.api.server import create_app  # noqa: PLC0415 - takes seconds

    app = create_app(ephemeral=True)
    gc.freeze()
    gc.enable()
    return app


def _make_database_once() -> None:
    """Make the database, or bring it up to date, while no other command does the same.

    Several that begin at once in a new home, as the jobs of an array do, would fail all but one.
    """
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    database, made = home / "prefect.db", home / f"prefect.db.made-by-{version('prefect')}"
    if database.exists() and made.exists():
        return
    from filelock import FileLock  # noqa: PLC0415 - only the first time

    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "prefect.db.lock"):
        if database.exists() and made.exists():
            return
        from prefect.server.database import provide_database_interface  # noqa: PLC0415

        asyncio.run(provide_database_interface().create_db())
        made.touch()


def _end_with_the_command() -> None:
    while os.read(sys.stdin.fileno(), 1):  # a buffered reader could not be left at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
