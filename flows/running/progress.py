"""What a person sees of the work: a bar on a terminal, lines elsewhere, an artifact in the UI."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from containers.images import PullProgress

MB = 10**6
PULL_LINE_EVERY_S = 5.0
ARTIFACT_EVERY_S = 2.0  # an update costs about 10 ms at the server

_log = logging.getLogger(__name__)


class Step(Protocol):
    """One step over many images."""

    def advance(self, image: str) -> None:
        """Tell that one more image is done."""


class Display(Protocol):
    """Where progress is shown."""

    def step(self, title: str, total: int) -> AbstractContextManager[Step]:
        """Show a step of `total` images while the block is open."""


class LogDisplay:
    """Progress as log lines: for deployments, Python and output that is piped."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        """Log each image."""
        yield _LoggedStep(title, total)


class BarDisplay:
    """Progress as a bar with the rate and the last image, on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Step]:
        """Draw a bar."""
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[image]}"),
        )
        with Progress(*columns, console=self.console) as progress:
            yield _BarStep(progress, title, total)


class _LoggedStep:
    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0

    def advance(self, image: str) -> None:
        self.done += 1
        _log.info("%s %d/%d %s", self.title, self.done, self.total, image)


class _BarStep:
    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self.progress = progress
        self.task = progress.add_task(title, total=total, image="")

    def advance(self, image: str) -> None:
        self.progress.update(self.task, advance=1, image=image)


display: ContextVar[Display] = ContextVar(
    "ilpix_display",
    default=LogDisplay(),  # noqa: B039 - it holds nothing that could change
)


@contextmanager
def showing(title: str, total: int) -> Iterator[Step]:
    """Show a step on the current display and, inside a flow run, as a progress artifact."""
    artifact = _ArtifactStep(title, total) if total and FlowRunContext.get() else None
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
        if now - last >= PULL_LINE_EVERY_S or is_whole:
            last = now
            say(f"pulling {image}: {pull.done_bytes // MB} of {pull.total_bytes // MB} MB")

    return tell


class _Both:
    def __init__(self, *steps: Step) -> None:
        self.steps = steps

    def advance(self, image: str) -> None:
        for step in self.steps:
            step.advance(image)


class _ArtifactStep:
    def __init__(self, title: str, total: int) -> None:
        self.total, self.done, self.last = total, 0, time.monotonic()
        created = create_progress_artifact(0.0, key=f"{title}-progress", description=title)
        self.artifact = UUID(str(created))

    def advance(self, image: str) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.last >= ARTIFACT_EVERY_S:
            self.last = now
            self._update(image)

    def finish(self) -> None:
        self._update("finished")

    def _update(self, image: str) -> None:
        update_progress_artifact(
            self.artifact,
            100 * self.done / self.total,
            description=f"{self.done} of {self.total}, last: {image}",
        )
