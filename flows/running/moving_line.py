"""A line on a terminal that moves while nothing else does, and says what is done meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

SPINNER, ASCII_SPINNER = "dots", "line"


class MovingLine:
    """Is there inside the block that opens it, and leaves nothing behind."""

    def __init__(self, text: str, console: Console) -> None:
        has_dots = console.encoding.startswith("utf")
        self._spinner = Spinner(SPINNER if has_dots else ASCII_SPINNER, text)
        # what a verb prints on standard output may be written to a file: it goes its own way
        self._live = Live(self._spinner, console=console, transient=True, redirect_stdout=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Say what is done now."""
        self._spinner.update(text=text)

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Make room for something else that moves; then the work goes on."""
        is_shown = self._live.is_started
        self._live.stop()
        try:
            yield
        finally:
            if is_shown:
                self.say("going on")
                self._live.start()
