"""Progress of a flow that is called from Python: a bar below the cell, or on the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from rich.console import Console

from flows.running.moving_line import MovingLine
from flows.running.progress import BarDisplay, Display, LogDisplay, display
from ilpix.training.phases import Phase


class NotebookDisplay:
    """Progress as a bar below the cell of a notebook."""

    def doing(self, what: str) -> None:
        """Leave what is done between steps unsaid."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator["NotebookStep"]:
        """Draw a bar."""
        yield NotebookStep(title, total)


class NotebookStep:
    """One step over many images, drawn anew for each."""

    def __init__(self, title: str, total: int) -> None:
        from IPython import display as cell  # noqa: PLC0415 - only in a notebook it is there

        self.title, self.total, self.done = title, total, 0
        self.share, self.told = 0.0, f"0/{total}"
        untyped: Any = cell
        self.handle = untyped.display(self, display_id=True)

    def advance(self, image: str) -> None:
        """Tell that one more image is done."""
        self.done += 1
        self._draw(self.done / self.total, f"{self.done}/{self.total} {image}")

    def tell(self, phase: Phase) -> None:
        """Tell what the work on an image is busy with."""
        self._draw(phase.done, phase.now)

    def _draw(self, share: float, told: str) -> None:
        self.share, self.told = share, told
        self.handle.update(self)

    def _repr_html_(self) -> str:
        return (
            f"{escape(self.title)} <progress value='{self.share:.3f}'></progress> "
            f"{escape(self.told)}"
        )

    def __repr__(self) -> str:
        return f"{self.title} {self.told}"


def is_notebook() -> bool:
    """Tell whether this is the kernel of a notebook, and not a program that starts one."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


@contextmanager
def shown_in_python() -> Iterator[None]:
    """Show progress inside the block where somebody looks, unless that was seen to."""
    if type(display.get()) is not LogDisplay:
        yield
        return
    token = display.set(_display())
    try:
        yield
    finally:
        display.reset(token)


def _display() -> Display:
    if is_notebook():
        return NotebookDisplay()
    if not sys.stderr.isatty():
        return LogDisplay()
    console = Console(stderr=True)
    return BarDisplay(console, MovingLine("", console))
