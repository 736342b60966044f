"""A headless browser: open a page, wait for something on it, take a picture."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from websockets.sync.client import ClientConnection, connect

CHROMIUM = Path("/usr/bin/chromium")
COLORS = 128  # in a picture, which then is small enough to be kept
FRAMES = 6
STILL_S = 0.5  # what has not changed in this time stands still
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "about:blank",
)


class Page:
    """The only tab of a browser, spoken to in the DevTools protocol."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection, self.calls = connection, 0
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its answer."""
        self.calls += 1
        self.connection.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.connection.recv(timeout=60))
            if message.get("id") == self.calls:
                return dict(message["result"])

    def open(self, url: str, width: int = 1200, height: int = 900) -> None:
        """Go to an address, in a window of this size in pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Page.navigate", url=url)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def wait_for(self, script: str, deadline_s: float = 60) -> Any:
        """Return the first true value of an expression.

        Raises:
            TimeoutError: with the text of the page, if it does not become true in time.
        """
        end = time.monotonic() + deadline_s
        while time.monotonic() < end:
            if value := self.evaluate(script):
                return value
            time.sleep(0.2)
        raise TimeoutError(f"{script}: {self.evaluate('document.body.innerText')}")

    def picture(self, target: Path) -> None:
        """Write what is seen as a PNG, once it stands still; a cursor may blink."""
        self.wait_for("document.fonts.status == 'loaded'")
        before, now = "", self._capture()
        for _ in range(FRAMES):
            if now == before:
                break
            time.sleep(STILL_S)
            before, now = now, self._capture()
        with Image.open(BytesIO(base64.b64decode(now))) as picture:
            picture.convert("RGB").quantize(COLORS).save(target, optimize=True)

    def _capture(self) -> str:
        return str(self.call("Page.captureScreenshot")["data"])


@contextmanager
def browsing(profile: Path) -> Iterator[Page]:
    """Start a browser with a profile folder of its own; it is stopped at the end."""
    port_file = profile / "DevToolsActivePort"
    process = subprocess.Popen(
        [CHROMIUM, f"--user-data-dir={profile}", *FLAGS],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        port = _wait_for_port(port_file, process)
        tabs = httpx.get(f"http://127.0.0.1:{port}/json", timeout=30).json()
        address = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        with connect(address, max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for_port(
    port_file: Path, process: subprocess.Popen[bytes], deadline_s: float = 60
) -> str:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end and process.poll() is None:
        if port_file.exists() and (lines := port_file.read_text().split()):
            return lines[0]
        time.sleep(0.1)
    raise TimeoutError("the browser did not start")
