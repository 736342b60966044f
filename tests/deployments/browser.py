"""A headless browser: open a page, wait for something on it, take a picture."""

import base64
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from websockets.sync.client import ClientConnection, connect

CHROMIUM = Path("/usr/bin/chromium")
COLORS = 256  # in a picture, which then is small enough to be kept
FRAMES = 6
BUTTONS = {"left": 1, "right": 2, "middle": 4}
KEY_CODES = {"Enter": 13, "Escape": 27, "Tab": 9, "PageDown": 34, "PageUp": 33, "ArrowDown": 40}
LEAVING = 2**30  # number of a call that nobody waits for
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
        self.problems: list[str] = []  # errors of scripts, and what the browser refused
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its answer."""
        self.calls += 1
        self.connection.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.connection.recv(timeout=60))
            if message.get("id") == self.calls:
                return dict(message["result"])
            self._note(message)

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
        """Return the value of a JavaScript expression on the page; of a promise its result."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
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

    def click(self, x: float, y: float, button: str = "left", count: int = 1) -> None:
        """Press and release a mouse button, at a place of the window."""
        self.drag([(x, y)], button, count)

    def drag(
        self, places: Sequence[tuple[float, float]], button: str = "left", count: int = 1
    ) -> None:
        """Press a mouse button at the first place, move over the others, release at the last."""
        self._mouse("mouseMoved", places[0])
        self._mouse(
            "mousePressed", places[0], button=button, buttons=BUTTONS[button], clickCount=count
        )
        for place in places[1:]:
            self._mouse("mouseMoved", place, button=button, buttons=BUTTONS[button])
        self._mouse("mouseReleased", places[-1], button=button, clickCount=count)

    def wheel(self, x: float, y: float, amount: float, modifiers: int = 0) -> None:
        """Turn the mouse wheel; up is negative."""
        self._mouse("mouseWheel", (x, y), deltaX=0, deltaY=amount, modifiers=modifiers)

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key, named as scripts see it; 2 is Ctrl, 8 is Shift."""
        text = {"text": key} if len(key) == 1 and modifiers in {0, 8} else {}
        code = {"windowsVirtualKeyCode": KEY_CODES[key]} if key in KEY_CODES else {}
        if key == "Enter":
            text = {"text": "\r"}
        common = {"key": key, "modifiers": modifiers, **code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def _mouse(self, kind: str, place: tuple[float, float], **more: Any) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], **more)

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Page.javascriptDialogOpening":  # a page that has work to keep
            leave = {"method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            self.connection.send(json.dumps({"id": LEAVING, **leave}))
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        if message.get("method") == "Log.entryAdded":
            entry = message["params"]["entry"]
            if entry["level"] == "error":
                self.problems.append(f"{entry['text']} {entry.get('url', '')}")

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
