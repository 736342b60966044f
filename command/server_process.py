"""The process of the temporary server: `server_process.py HOST PORT`.

It ends when its standard input does, which the command that started it holds open.
"""

import gc
import os
import signal
import sys
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI


def main(host: str, port: str) -> None:
    """Serve until standard input ends."""
    gc.disable()  # imports leave no garbage, and looking for it is a quarter of the start
    Thread(target=_end_with_the_command, daemon=True).start()
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


def _end_with_the_command() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
