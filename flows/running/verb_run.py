"""One run of a verb on one data directory: the part that is the same for every verb.

`running` opens it. Inside, `VerbRun.for_each_image` runs a task once for each image: one that fails
is remembered and costs the others nothing. When the block ends the manifest is written and, where
images failed, `ImagesFailedError` raised.
"""

import logging
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from prefect import Task
from prefect.futures import PrefectFuture
from prefect.states import State
from pydantic import BaseModel

from flows.errors import ImagesFailedError
from flows.running.alone import alone_in
from flows.running.cluster import SCHEDULERS, lost_state
from flows.running.manifest import VerbRecord, read_manifest, write_manifest
from flows.running.names import require_names_apart
from flows.running.outcomes import Outcome, outcome_of
from flows.running.progress import showing
from flows.running.runners import AnyRunner, Width, choose_width, task_runner
from flows.settings import Settings
from ilpix.data_directory import LOCK, MANIFEST, RECORDS, WORKSPACE
from ilpix.disks import telling_disks, told_by_disk
from ilpix.errors import IlpixError
from ilpix.files import printable
from tasks.caching import is_known, outputs_of
from tasks.chunks import run_chunk
from tasks.phases import listening
from tasks.records import FilesWritten
from tasks.stopping import stopping_on_error

LONGEST_WAIT_S = 0.5
SINGLY = 1000  # up to so many images each is submitted as a task of its own

_log = logging.getLogger(__name__)
Calls = Mapping[str, Mapping[str, Any]]  # image: the parameters of its task


class Chunks(NamedTuple):
    """Images that are submitted together."""

    size: int
    work: Task[..., list[State[Any]]]  # takes the task of one image and a list of its parameters


@dataclass
class VerbRun:
    """A run of one verb; made by `running`."""

    verb: str
    data_dir: Path
    settings: Settings
    refresh: bool = False  # compute again what had been computed
    outcomes: list[Outcome] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)  # for the manifest: seed, engine, …
    before: tuple[Outcome, ...] = ()  # of the last run, where this one is about some images only

    def path(self, given: Path) -> Path:
        """Return where a path given by a person is: in the data directory unless it is absolute."""
        return self.data_dir / given

    @property
    def workspace(self) -> Path:
        """The folder for records, logs and private files."""
        return (self.data_dir / WORKSPACE).absolute()

    @property
    def others(self) -> list[Outcome]:
        """What became, in runs before, of the images that this one leaves as they are."""
        here = {outcome.image for outcome in self.outcomes}
        return [outcome for outcome in self.before if outcome.image not in here]

    def width(self, n_images: int) -> Width:
        """Return how many images at a time, and how many threads for each."""
        return choose_width(self.settings, n_images)

    def for_each_image(
        self, work: Task[..., FilesWritten], calls: Calls, chunks: Chunks | None = None
    ) -> dict[str, FilesWritten]:
        """Run a task once for each image.

        Args:
            work: the task; keyed by content.
            calls: its parameters, by image.
            chunks: how many images are submitted together and the task that runs them; without it
                each is submitted alone up to a thousand images, above that in chunks.

        Returns:
            What the good images wrote, in the order of `calls`.

        Raises:
            IlpixError: what one image met and every other one would: the rest is not tried.
            NamesAlikeError: if the disk takes the names of two results for one.
        """
        require_names_apart(path for call in calls.values() for path in outputs_of(call))
        if chunks is None and len(calls) > SINGLY:
            chunks = Chunks(self.settings.chunk_size, run_chunk)
        here = work.with_options(
            result_storage=self.workspace / RECORDS, refresh_cache=self.refresh
        )
        states: dict[str, State[Any]] = {}
        try:
            with (
                showing(work.name, len(calls), self.data_dir) as step,
                listening(step.tell),
                closing(self._states(here, calls, chunks)) as ended,
            ):
                for image, state in ended:
                    if error := _concerning_all(state, self.data_dir):
                        raise error
                    states[image] = state
                    step.advance(image)
        finally:  # also where somebody interrupts: what is finished belongs into the manifest
            outcomes = self._outcomes_of(work, calls, states)
            self.outcomes += outcomes
        return {
            outcome.image: FilesWritten(files=outcome.files, facts=outcome.facts)
            for outcome in outcomes
            if outcome.state != "failed"
        }

    def leave_out(self, images: Collection[str]) -> None:
        """Forget what became of images in runs before."""
        self.before = tuple(known for known in self.before if known.image not in images)

    def fail(self, image: str, error: Exception) -> None:
        """Remember an image that failed before a task could be run for it."""
        self.outcomes.append(
            Outcome(
                image=printable(image),
                step=self.verb,
                state="failed",
                error=printable(str(error)),
                cause=type(error).__name__,
            )
        )

    def _outcomes_of(
        self, work: Task[..., Any], calls: Calls, states: Mapping[str, State[Any]]
    ) -> list[Outcome]:
        """The outcomes of the images that ended; paths in their errors as the folder was given."""
        ended = [outcome_of(image, work.name, states[image]) for image in calls if image in states]
        absolute, given = str(self.workspace), str(self.path(WORKSPACE))
        return [
            outcome.model_copy(update={"error": outcome.error.replace(absolute, given)})
            if outcome.error
            else outcome
            for outcome in ended
        ]

    def _states(
        self, work: Task[..., FilesWritten], calls: Calls, chunks: Chunks | None
    ) -> Generator[tuple[str, State[Any]]]:
        """Yield each image with its final state; no job of a cluster is asked for what is known."""
        on_cluster = self.settings.task_runner in SCHEDULERS
        known = {i: call for i, call in calls.items() if on_cluster and is_known(work, call)}
        fresh = {i: call for i, call in calls.items() if i not in known}
        in_threads = self.settings.model_copy(update={"task_runner": "threads"})
        for settings, part in ((in_threads, known), (self.settings, fresh)):
            if not part:
                continue
            with (
                task_runner(settings, choose_width(settings, len(part)), self.workspace) as runner,
                stopping_on_error(),  # inside the runner, whose end waits for its threads
            ):
                yield from self._run(runner, work, part, chunks)

    def _run(
        self, runner: AnyRunner, work: Task[..., FilesWritten], calls: Calls, chunks: Chunks | None
    ) -> Iterator[tuple[str, State[Any]]]:
        if chunks is None:
            single = {runner.submit(work, dict(call)): image for image, call in calls.items()}
            for future in _as_they_end(single):
                yield single[future], _final_state(future)
            return
        submitted: dict[PrefectFuture[Any], list[str]] = {}
        for start in range(0, len(calls), chunks.size):
            images = list(calls)[start : start + chunks.size]
            parameters = {"work": work, "calls": [dict(calls[image]) for image in images]}
            submitted[runner.submit(chunks.work, parameters)] = images
        for future in _as_they_end(submitted):
            images, whole = submitted[future], _final_state(future)
            states = whole.result(raise_on_failure=False)
            if not isinstance(states, list):  # the chunk was lost, and all its images with it
                states = [whole] * len(images)
            yield from zip(images, states, strict=True)


def _concerning_all(state: State[Any], folder: Path) -> IlpixError | None:
    """Return the error of an image that every other image would meet as well."""
    error = None if state.is_completed() else state.result(raise_on_failure=False)
    error = told_by_disk(error, folder) or error
    if isinstance(error, IlpixError) and getattr(error, "concerns_all", False):
        return error
    return None


def _as_they_end(futures: Collection[PrefectFuture[Any]]) -> Iterator[PrefectFuture[Any]]:
    """Yield each future when it is done.

    Never one endless wait, as Prefect's `as_completed` is: Python notices a signal that comes just
    before a wait only when that wait is over.
    """
    ended: SimpleQueue[PrefectFuture[Any]] = SimpleQueue()
    for future in futures:
        future.add_done_callback(ended.put)
    n_left = len(futures)
    while n_left:
        with suppress(Empty):
            yield ended.get(timeout=LONGEST_WAIT_S)
            n_left -= 1


def _final_state(future: PrefectFuture[Any]) -> State[Any]:
    future.wait()
    return lost_state(future) or future.state


@contextmanager
def running(
    verb: str, data_dir: Path, parameters: BaseModel, settings: Settings | None = None
) -> Iterator[VerbRun]:
    """Open a run of a verb, when no other one works in the data directory.

    Raises:
        ImagesFailedError: at the end, if any image failed.
        FolderNotWritableError: if nothing can be written to the data directory.
    """
    with alone_in(data_dir, data_dir / WORKSPACE / LOCK):
        run = VerbRun(
            verb,
            data_dir,
            settings or Settings(),
            refresh=bool(getattr(parameters, "refresh", False)),
            before=_outcomes_before(verb, data_dir) if getattr(parameters, "only", None) else (),
        )
        with telling_disks(data_dir), _recorded(run, parameters):
            yield run
    failures = {outcome.image: str(outcome.error) for outcome in run.outcomes if outcome.error}
    if failures:
        raise ImagesFailedError(verb, failures, len({outcome.image for outcome in run.outcomes}))


@contextmanager
def _recorded(run: VerbRun, parameters: BaseModel) -> Iterator[None]:
    """Write at the end to the manifest what became of a run, however it ended."""
    record = VerbRecord.begun(run.verb, parameters)
    ended_by: BaseException | None = None
    try:
        yield
    except BaseException as error:
        ended_by = error
        raise
    finally:
        outcomes = [*run.others, *run.outcomes]
        try:
            write_manifest(run.data_dir, record.ended(outcomes, run.notes, ended_by))
        except OSError:
            if ended_by is None:
                raise
            _log.warning("%s says nothing of this run, for the same reason", MANIFEST)


def _outcomes_before(verb: str, data_dir: Path) -> tuple[Outcome, ...]:
    record = read_manifest(data_dir).verbs.get(verb)
    return record.images if record else ()
