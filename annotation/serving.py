"""`ilpix annotate`: open a project, serve its page on this machine, open the browser."""

import logging
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from annotation.app import make_app
from annotation.desk import Desk
from annotation.errors import PortTakenError
from annotation.images import Images
from annotation.safety import new_token
from annotation.session import Session, opened_alone
from ilpix.data_directory import CROPS, PREPARED

HOST = "127.0.0.1"
_GOODBYE_S = 2  # for answers under way when the server ends
_log = logging.getLogger(__name__)


def annotate(
    data_dir: Path,
    project: Path,
    port: int,
    say: Callable[[str], None],
    *,
    opens_browser: bool,
) -> None:
    """Serve the crops of a project until the program is interrupted.

    Args:
        data_dir: the folder that holds prepared images and crops.
        project: an `.ilp` file, in `data_dir` unless absolute.
        port: of the server; 0 for any that is free.
        say: is given what a person has to know, the address first.
        opens_browser: whether a browser is asked to show it.

    Raises:
        IlpixError: if there is nothing to label; it says what comes first.
    """
    path = data_dir / project
    with opened_alone(path), _listening(port) as listener:
        session = Session(path)
        desk = Desk(data_dir, session, Images(data_dir / PREPARED, data_dir / CROPS, session))
        port = listener.getsockname()[1]
        token = new_token()
        address = f"http://{HOST}:{port}/?token={token}"
        say(f"Label at {address}")
        say("Strokes are kept as you go. Ctrl-C ends the server.")
        desk.start()
        if opens_browser:
            webbrowser.open(address)
        try:
            with suppress(KeyboardInterrupt):
                make_server(desk, token, port).run([listener])
            say("Ended; all strokes are kept.")
        finally:
            desk.end()


def make_server(desk: Desk, token: str, port: int) -> uvicorn.Server:
    """Return a server that still has to run; see `make_app` for what it is given."""
    settings = uvicorn.Config(
        make_app(desk, token, port),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_GOODBYE_S,
    )
    return uvicorn.Server(settings)


def _listening(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()  # whoever opens the address at once waits, and is not refused
    except OSError as error:
        listener.close()
        raise PortTakenError(port) from error
    return listener
