"""A person at the page: a running `ilpix annotate`, a browser, and a mouse."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.deployments.browser import Page

REPOSITORY = Path(__file__).parents[2]
DEADLINE_S = 90
SIZE = (1280, 720)
LABELS = "new Uint8Array(await (await fetch(`/api/crops/${lane}/labels`)).arrayBuffer())"


@dataclass
class Server:
    """A running `ilpix annotate`."""

    process: subprocess.Popen[bytes]
    address: str  # with the token

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def annotating(folder: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Run `ilpix annotate` on a data directory; it is stopped at the end."""
    command = [sys.executable, "-m", "command", "annotate", "-C", str(folder), "--no-browser"]
    log = folder.parent / f"{folder.name}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *options],
            cwd=REPOSITORY,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Server(process, _address_in(log, process))
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"http://\S+token=\S+", log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


class Screen:
    """What a person sees and does."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> None:
        """Open the page and wait until the first crop is there."""
        self.leave()
        self.page.problems.clear()
        self.page.open(address, *SIZE)
        self.page.wait_for("document.body.dataset.ready", DEADLINE_S)

    def leave(self) -> None:
        """Close the page."""
        self.page.call("Page.navigate", url="about:blank")
        self.page.wait_for("location.href === 'about:blank'")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a place of the crop is on the screen, while the whole crop of 160 px is shown."""
        left, top, width, height = self.page.evaluate(
            "(({left, top, width, height}) => [left, top, width, height])"
            "(document.getElementById('stage').getBoundingClientRect())"
        )
        zoom = 0.96 * min(width, height) / 160
        return left + width / 2 + (x - 80) * zoom, top + height / 2 + (y - 80) * zoom

    def stroke(self, value: int, *places: tuple[float, float], button: str = "left") -> None:
        """Choose a class by its key and draw a line with the mouse."""
        self.page.press(str(value))
        self.page.drag([self.at(*place) for place in places], button)

    def label_tissue(self, truth: NDArray[np.uint8], rows: range = range(8, 156, 12)) -> None:
        """Draw short lines of each class where the truth has it."""
        for value in (1, 2, 3):
            for y in rows:
                x, length = _longest_run(truth[y] == value)
                if length > 6:
                    middle = x + length / 2
                    self.stroke(
                        value, (x + 2, y + 0.5), (middle, y + 0.5), (x + length - 2, y + 0.5)
                    )

    def wait_until_kept(self) -> None:
        """Wait until every stroke is on disk."""
        self.page.wait_for("document.body.dataset.kept", DEADLINE_S)

    def wait_for_prediction(self) -> None:
        """Wait for the prediction that follows from all strokes."""
        kept = "document.body.dataset.kept"
        self.page.wait_for(f"{kept} && {kept} === document.body.dataset.prediction", DEADLINE_S)

    def labels(self, lane: int = 0) -> NDArray[np.uint8]:
        """The labels of a crop as the server has them."""
        script = f"(async () => {{ const lane = {lane}; return [...{LABELS}] }})()"
        values = np.array(self.page.evaluate(script), np.uint8)
        return values.reshape(round(len(values) ** 0.5), -1)

    def shown_labels(self) -> NDArray[np.uint8]:
        """The labels as the page shows them."""
        values = np.array(self._store("[...store.labels]"), np.uint8)
        return values.reshape(round(len(values) ** 0.5), -1)

    def prediction(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The prediction as the page shows it: (K, Y, X) of 255, and (Y, X) classes."""
        planes = np.array(self._store("store.prediction.planes.map((plane) => [...plane])"))
        edge = round(planes.shape[1] ** 0.5)
        classes = np.array(self._store("[...store.prediction.classes]"), np.uint8)
        return planes.astype(np.uint8).reshape(-1, edge, edge), classes.reshape(edge, edge)

    def text(self, element: str) -> str:
        """The text of an element."""
        return str(self.page.evaluate(f"document.getElementById('{element}').innerText"))

    def push(self, element: str) -> None:
        """Click the middle of an element with the mouse."""
        self.page.click(*self.middle_of(f"document.getElementById('{element}')"))

    def push_text(self, text: str) -> None:
        """Click the button that says something."""
        buttons = f"[...document.querySelectorAll('button')].find(b => b.innerText === '{text}')"
        self.page.wait_for(buttons + " !== undefined", DEADLINE_S)
        self.page.click(*self.middle_of(buttons))

    def middle_of(self, element: str) -> tuple[float, float]:
        """The middle of an element, a JavaScript expression, on the screen."""
        middle = "(b => [b.left + b.width / 2, b.top + b.height / 2])"
        x, y = self.page.evaluate(f"{middle}({element}.getBoundingClientRect())")
        return x, y

    def _store(self, expression: str) -> object:
        return self.page.evaluate(f"import('/page/store.js').then(({{store}}) => {expression})")


def _longest_run(flags: NDArray[np.bool_]) -> tuple[int, int]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    if not len(edges):
        return 0, 0
    firsts, ends = edges[::2], edges[1::2]
    longest = int((ends - firsts).argmax())
    return int(firsts[longest]), int(ends[longest] - firsts[longest])
