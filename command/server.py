"""The server of one command: Prefect's own temporary one, in a process that starts at once.

Prefect would start the same when the first flow runs, and import the whole server here as well.
"""

import atexit
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryFile

from command.ending import is_ending
from ilpix.errors import IlpixError

HOST = "127.0.0.1"
POLL_S = 0.05
START_S = 90.0  # a slow machine, or a new database
STOP_S = 5.0
HURRIED_STOP_S = 0.5  # of a command that somebody interrupted
LAST_LINES = 2  # that are not indented: of a traceback, the error
SETTINGS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # Kinds of blocks are stored by the next server that is not temporary; no flow here uses one.
    "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
    "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
}


class ServerNotStartedError(IlpixError):
    """The temporary server did not come up."""

    said: str  # the end of what it wrote

    def __str__(self) -> str:
        return (
            f"Prefect's temporary server did not start: {self.said or 'it said nothing'}\n"
            "Start one in another terminal (prefect server start) and set PREFECT_API_URL, or let "
            "PREFECT_HOME name another folder"
        )


class TemporaryServer:
    """A server that starts now and ends with this process, however that ends."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self._port = probe.getsockname()[1]
        self._said = TemporaryFile()  # noqa: SIM115 - as long as the server; nobody needs it else
        program = Path(__file__).with_name("server_process.py")
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", program, HOST, str(self._port)],
            stdin=subprocess.PIPE,  # closed when this process is gone: the server ends then
            stdout=self._said,
            stderr=self._said,
            env={**os.environ, **SETTINGS},
            start_new_session=True,  # Ctrl-C is for the command, which still has to tell the server
        )
        atexit.register(self.stop)

    def wait(self) -> str:
        """Return the address of the API when it answers.

        Raises:
            ServerNotStartedError: if it does not.
        """
        end = time.monotonic() + START_S
        while not self._is_healthy():
            if self._process.poll() is not None or time.monotonic() > end:
                raise ServerNotStartedError(self._last_words())
            time.sleep(POLL_S)
        return f"http://{HOST}:{self._port}/api"

    def stop(self) -> None:
        """End the server; a second call does nothing."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(HURRIED_STOP_S if is_ending() else STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_words(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").splitlines()
        told = [line for line in lines if line[:1].strip() and not line.startswith("Traceback")]
        return "\n".join(told[-LAST_LINES:])

    def _is_healthy(self) -> bool:
        connection = HTTPConnection(HOST, self._port, timeout=1)
        try:
            connection.request("GET", "/api/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
