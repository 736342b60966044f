"""One run of a verb on one data directory: the part that is the same for every verb.

`running` opens it. Inside, `VerbRun.for_each_image` runs a task once for each image: one that fails is remembered and costs the
others nothing. When the block ends the manifest is written and, where images failed, `ImagesFailedError` raised.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import Task
from prefect.futures import PrefectFuture, as_completed
from prefect.states import State
from pydantic import BaseModel

from flows.errors import ImagesFailedError
from flows.manifest import VerbRecord, write_manifest
from flows.outcomes import Outcome, outcome_of
from flows.progress import showing
from flows.runners import Width, choose_width, task_runner
from flows.settings import Settings
from tasks.chunks import run_chunk
from tasks.records import FilesWritten
from tasks.stopping import stopping_on_error

RECORDS = Path(".ilpix") / "results"  # in the data directory, so that a copy keeps its cache
SINGLY = 1000  # up to so many images each is submitted as a task of its own

_log = logging.getLogger(__name__)
Calls = Mapping[str, Mapping[str, Any]]  # image: the parameters of its task


@dataclass
class VerbRun:
    """A run of one verb; made by `running`."""

    verb: str
    data_dir: Path
    settings: Settings
    refresh: bool = False  # compute again what had been computed
    outcomes: list[Outcome] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)  # for the manifest: seed, engine, …

    def path(self, given: Path) -> Path:
        """Return where a path given by a person is: in the data directory unless it is absolute."""
        return self.data_dir / given

    def width(self, n_images: int) -> Width:
        """Return how many images at a time, and how many threads for each."""
        return choose_width(self.settings, n_images)

    def for_each_image(self, work: Task[..., FilesWritten], calls: Calls) -> dict[str, FilesWritten]:
        """Run a task once for each image; return what the good ones wrote, in the order of `calls`."""
        here = work.with_options(
            result_storage=(self.data_dir / RECORDS).absolute(), refresh_cache=self.refresh
        )
        states: dict[str, State[Any]] = {}
        with (
            showing(work.name, len(calls)) as step,
            task_runner(self.settings, self.width(len(calls))) as runner,
            stopping_on_error(),  # inside the runner, whose end waits for its threads
        ):
            for image, state in self._run(runner, here, calls):
                states[image] = state
                step.advance(image)
        outcomes = [outcome_of(image, work.name, states[image]) for image in calls]
        self.outcomes += outcomes
        return {
            outcome.image: FilesWritten(files=outcome.files, facts=outcome.facts)
            for outcome in outcomes
            if outcome.state != "failed"
        }

    def fail(self, image: str, error: Exception) -> None:
        """Remember an image that failed before a task could be run for it."""
        self.outcomes.append(
            Outcome(
                image=image,
                step=self.verb,
                state="failed",
                error=str(error),
                cause=type(error).__name__,
            )
        )

    def _run(
        self, runner: Any, work: Task[..., FilesWritten], calls: Calls
    ) -> Iterator[tuple[str, State[Any]]]:
        if len(calls) <= SINGLY:
            single = {runner.submit(work, dict(call)): image for image, call in calls.items()}
            for future in as_completed(list(single)):
                future.wait()
                yield single[future], future.state
            return
        chunks: dict[PrefectFuture[Any], list[str]] = {}
        for start in range(0, len(calls), self.settings.chunk_size):
            images = list(calls)[start : start + self.settings.chunk_size]
            parameters = {"work": work, "calls": [dict(calls[image]) for image in images]}
            chunks[runner.submit(run_chunk, parameters)] = images
        for future in as_completed(list(chunks)):
            states = future.result(raise_on_failure=False)
            if not isinstance(states, list):  # the chunk itself was lost, with all its images
                states = [future.state] * len(chunks[future])
            yield from zip(chunks[future], states, strict=True)


@contextmanager
def running(
    verb: str, data_dir: Path, parameters: BaseModel, settings: Settings | None = None
) -> Iterator[VerbRun]:
    """Open a run of a verb.

    Raises:
        ImagesFailedError: at the end, if any image failed.
    """
    run = VerbRun(
        verb,
        data_dir,
        settings or Settings(),
        refresh=bool(getattr(parameters, "refresh", False)),
    )
    record = VerbRecord.begun(verb, parameters)
    try:
        yield run
    finally:
        write_manifest(data_dir, record.ended(run.outcomes, run.notes))
    failures = {outcome.image: str(outcome.error) for outcome in run.outcomes if outcome.error}
    if failures:
        raise ImagesFailedError(verb, failures, len({outcome.image for outcome in run.outcomes}))
