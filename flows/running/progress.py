"""What a person sees of the work: a bar on a terminal, lines elsewhere, an artifact in the UI."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from containers.pulls import PullProgress
from flows.running.moving_line import MovingLine
from ilpix.training.phases import Phase

MB = 10**6
LINE_EVERY_S = 5.0

_log = logging.getLogger(__name__)


class Step(Protocol):
    """One step over many images."""

    def advance(self, image: str) -> None:
        """Tell that one more image is done."""

    def tell(self, phase: Phase) -> None:
        """Tell what the work on an image is busy with."""


class Display(Protocol):
    """Where progress is shown."""

    def step(self, title: str, total: int) -> AbstractContextManager[Step]:
        """Show a step of `total` images while the block is open."""

    def doing(self, what: str) -> None:
        """Tell what is done between steps."""


class LogDisplay:
    """Progress as log lines: for deployments, Python and output that is piped."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        """Log each image."""
        yield _LoggedStep(title, total)

    def doing(self, what: str) -> None:
        """Say nothing: a log has the steps."""


class BarDisplay:
    """Progress as a bar with the rate and the last image, on a terminal."""

    def __init__(self, console: Console, line: MovingLine) -> None:
        self.console, self.line = console, line

    def doing(self, what: str) -> None:
        """Say it in the line that moves where no bar is."""
        self.line.say(what)

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        """Draw a bar."""
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[image]}"),
        )
        with self.line.hidden(), Progress(*columns, console=self.console) as progress:
            yield _BarStep(progress, title, total)


class _LoggedStep:
    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self.stage, self.began, self.last = "", 0.0, 0.0

    def advance(self, image: str) -> None:
        self.done += 1
        _log.info("%s %d/%d %s", self.title, self.done, self.total, image)

    def tell(self, phase: Phase) -> None:
        now = time.monotonic()
        if phase.stage != self.stage:
            self.stage, self.began = phase.stage, now
        elif now - self.last < LINE_EVERY_S:
            return
        self.last = now
        _log.info("%s: %s%s", self.title, phase.now, _time_left(now - self.began, phase.done))


def _time_left(elapsed_s: float, done: float) -> str:
    return f", about {elapsed_s * (1 - done) / done:.0f} s left" if done else ""


class _BarStep:
    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self.progress, self.done, self.total, self.stage = progress, 0, total, ""
        self.task = progress.add_task(title, total=total, image="", count=f"0/{total}")

    def advance(self, image: str) -> None:
        self.done += 1
        self.progress.update(
            self.task,
            total=self.total,
            completed=self.done,
            image=image,
            count=f"{self.done}/{self.total}",
        )

    def tell(self, phase: Phase) -> None:
        if phase.stage != self.stage:  # the speed of another stage says nothing
            self.stage = phase.stage
            self.progress.reset(self.task, total=1.0)
        self.progress.update(
            self.task, completed=phase.done, image=phase.now, count=f"{phase.done:4.0%}"
        )


display: ContextVar[Display] = ContextVar(
    "ilpix_display",
    default=LogDisplay(),  # noqa: B039 - it holds nothing that could change
)


@contextmanager
def showing(title: str, total: int, folder: Path) -> Iterator[Step]:
    """Show a step on the current display and, inside a flow run, as a progress artifact.

    Args:
        title: of the step.
        total: how many images.
        folder: the data directory.
    """
    from flows.running.progress_artifact import open_artifact  # noqa: PLC0415 - imports Prefect

    artifact = open_artifact(title, total, folder)
    with display.get().step(title, total) as shown:
        yield _Both(shown, artifact) if artifact else shown
    if artifact:
        artifact.finish()


def tell_pull(image: str, say: Callable[[str], None] = _log.info) -> Callable[[PullProgress], None]:
    """Return what tells, every few seconds, how much of a container image was pulled."""
    last = -math.inf

    def tell(pull: PullProgress) -> None:
        nonlocal last
        now, is_whole = time.monotonic(), pull.done_bytes == pull.total_bytes
        if now - last >= LINE_EVERY_S or is_whole:
            last = now
            say(f"pulling {image}: {pull.done_bytes // MB} of {pull.total_bytes // MB} MB")

    return tell


class _Both:
    def __init__(self, *steps: Step) -> None:
        self.steps = steps

    def advance(self, image: str) -> None:
        for step in self.steps:
            step.advance(image)

    def tell(self, phase: Phase) -> None:
        for step in self.steps:
            step.tell(phase)
