"""A person who labels in `ilpix annotate`, and sends again what was not acknowledged."""

import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.study import EDGE_PX, PROGRAM

ADDRESS = re.compile(r"(http://[^/]+)/\?token=(\S+)")
ENDED_S = 60
Gesture = Mapping[str, Any]


def stroke(number: int, lane: int, value: int, row: int) -> Gesture:
    """A line of one class, in the numbering of a page."""
    runs = [row, 2, EDGE_PX - 4]
    return {"kind": "paint", "number": number, "lane": lane, "value": value, "runs": runs}


SAVE: Gesture = {"kind": "save"}
GESTURES: Sequence[Gesture] = (
    *(stroke(number, lane=number % 4, value=1 + number % 3, row=3 * number) for number in range(9)),
    {"kind": "undo", "number": 9},
    SAVE,
    *(stroke(number, lane=number, value=1 + number % 3, row=5) for number in range(10, 16)),
    SAVE,
)


@dataclass
class Person:
    """Somebody at the page."""

    n_done: int = 0  # gestures that were acknowledged

    def label(self, page: httpx.Client, n: int = len(GESTURES)) -> None:
        """Go on up to the gesture of a number.

        Raises:
            httpx.TransportError: if the server goes away.
        """
        for gesture in GESTURES[self.n_done : n]:
            body = {"client": "page-of-a-person", "gestures": [gesture]}
            is_save = gesture is SAVE
            answer = page.post(
                "/api/save" if is_save else "/api/gestures", json={} if is_save else body
            )
            assert answer.status_code == 200, answer.text
            self.n_done += 1


def counts_of(page: httpx.Client) -> list[Mapping[str, int]]:
    """How many pixels of which class each crop has."""
    return [crop["counts"] for crop in page.get("/api/state").json()["crops"]]


@contextmanager
def annotating(folder: Path, environment: Mapping[str, str]) -> Iterator[httpx.Client | None]:
    """`ilpix annotate` as a page sees it; None where it ends before it can be seen."""
    process = subprocess.Popen(
        [PROGRAM, "annotate", "--no-browser", "-C", folder],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        found = next(filter(None, map(ADDRESS.search, process.stdout)), None)
        if found is None:
            yield None
            return
        base, token = found.groups()
        with httpx.Client(
            base_url=base, headers={"Origin": base}, trust_env=False, timeout=60
        ) as page:
            with suppress(httpx.TransportError):
                page.get("/", params={"token": token})
            yield page
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=ENDED_S)
