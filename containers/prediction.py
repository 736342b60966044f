"""Predict images by a program with Ilastik's command line; one outcome per image.

What runs the program, a container or a process here, is a `Launcher`. A run that was killed for
memory is repeated with more. A run of several images that failed is split, until the image that is
to blame stands alone; errors that any image would meet end the course for all that are left.
"""

import itertools
import logging
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import h5py

from containers.command import PreparedInput
from containers.diagnosis import error_of
from containers.errors import ContainerError, RunCancelledError
from containers.lease import Lease
from containers.outcome import Attempt, PredictionOutcome
from containers.outputs import publish
from containers.run_errors import OutOfMemoryError, ProgramCrashedError, RunError, RunReport
from containers.runner import Finished
from containers.settings import IlastikLimits
from ilpix.data_directory import LOGS
from ilpix.errors import IlpixError
from ilpix.images.datasets import find_dataset
from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.classifier import Classifier

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the program."""

    name: str  # unique
    images: tuple[str, ...]  # their file names
    inputs: tuple[PreparedInput, ...]
    folder: Path  # private to the run
    memory_bytes: int
    timeout_s: float
    log: Path


class Launcher(Protocol):
    """Something that runs Ilastik's command line to its end."""

    @property
    def program(self) -> str:
        """What runs, for messages: the container image, or the path of the program."""

    @property
    def memory_steps(self) -> tuple[int, ...]:
        """Memory of one attempt after the other, in bytes."""

    @property
    def enforces_memory(self) -> bool:
        """Whether a run that takes more is killed."""

    def launch(self, job: Job, stop: threading.Event) -> Finished:
        """Run a job, its output in `job.folder / "out"`, its log in `job.log`."""


@dataclass(frozen=True, slots=True)
class PredictionRequest:
    """Prepared images that are to be predicted with a project."""

    project: Path
    images: tuple[Path, ...]  # prepared images (HDF5)
    targets: tuple[Path, ...]  # one probability TIFF per image, in the same order
    workspace: Path  # the folder `.ilpix` of the data directory, for logs and private files
    run: str = ""  # an id for the label `ilpix.run` of containers


@dataclass(frozen=True, slots=True)
class Work:
    """A request that was looked at, and how it is to be done."""

    request: PredictionRequest
    classifier: Classifier  # of the project
    lease: Lease
    settings: IlastikLimits


def predict_images(
    launcher: Launcher, work: Work, stop: threading.Event
) -> list[PredictionOutcome]:
    """Predict each image of `work`; return one outcome per image, in the same order.

    Raises:
        RunCancelledError: if `stop` was set; what was finished by then stays.
    """
    course = _Course(launcher, work, stop)
    for group in course.plan_groups():
        try:
            course.predict_group(group)
        except RunCancelledError:
            raise
        except ContainerError as error:
            course.give_up(error)
            break
    return [course.outcomes[i] for i in range(len(work.request.images))]


def plan_memory_steps(first: int, ceiling: int) -> tuple[int, ...]:
    """Return the memory of one attempt after the other, in bytes: doubled up to the ceiling."""
    steps = [min(first, ceiling)]
    while steps[-1] < ceiling:
        steps.append(min(2 * steps[-1], ceiling))
    return tuple(steps)


@dataclass(slots=True)
class _Course:
    """The state of one call: what is known of which image. Images go by their index."""

    launcher: Launcher
    work: Work
    stop: threading.Event
    inputs: dict[int, PreparedInput] = field(default_factory=dict)
    attempts: dict[int, list[Attempt]] = field(default_factory=dict)
    outcomes: dict[int, PredictionOutcome] = field(default_factory=dict)
    n_runs: int = 0

    def plan_groups(self) -> list[tuple[int, ...]]:
        """Read what the images are, and put those of the same axis order together."""
        for i, image in enumerate(self.work.request.images):
            try:
                self.inputs[i] = read_input(image, self.work.classifier)
            except IlpixError as error:
                self._conclude(i, error)
        by_axes = sorted(self.inputs, key=lambda i: self.inputs[i].axes)
        return [
            group
            for _, same in itertools.groupby(by_axes, key=lambda i: self.inputs[i].axes)
            for group in _slices(tuple(same), self.work.settings.batch)
        ]

    def predict_group(self, group: tuple[int, ...]) -> None:
        """Predict a group in one run; after a failure, its parts in runs of their own."""
        try:
            failed = self._predict_with_enough_memory(group)
        except RunError as error:
            if error.concerns_all:
                raise
            failed = dict.fromkeys(group, error)
        is_one = len(group) == 1
        for i in group:
            if i not in failed or is_one:
                self._conclude(i, failed.get(i))
        if failed and not is_one:
            for part in _parts(group, tuple(failed)):
                self.predict_group(part)

    def give_up(self, error: ContainerError) -> None:
        """Conclude everything that is left with one error."""
        for i in range(len(self.work.request.images)):
            if i not in self.outcomes:
                self._conclude(i, error)

    def _conclude(self, i: int, error: IlpixError | None) -> None:
        image, target = self.work.request.images[i], self.work.request.targets[i]
        self.outcomes[i] = PredictionOutcome(image, target, error, tuple(self.attempts.get(i, ())))

    def _predict_with_enough_memory(self, group: tuple[int, ...]) -> dict[int, RunError]:
        """Run a group, each time it was short of memory with more; return what failed of it."""
        *early, last = self.launcher.memory_steps
        for memory in early:
            try:
                return self._attempt(group, memory)
            except (OutOfMemoryError, ProgramCrashedError) as error:
                logger.warning("%s; trying again with more memory", error.what_happened())
        return self._attempt(group, last)

    def _attempt(self, group: tuple[int, ...], memory_bytes: int) -> dict[int, RunError]:
        job = self._plan_job(group, memory_bytes)
        try:
            finished = self.launcher.launch(job, self.stop)
            report = self._report(job, finished)
            error = error_of(finished, report, _read_log(job.log))
            self._note_attempt(group, report, error)
            if error:
                raise error
            targets = [self.work.request.targets[i] for i in group]
            n_classes = len(self.work.classifier.class_names)
            results = publish(job.folder / "out", job.inputs, targets, n_classes, report)
        finally:
            shutil.rmtree(job.folder, ignore_errors=True)
        return {i: problem for i, problem in zip(group, results, strict=True) if problem}

    def _plan_job(self, group: tuple[int, ...], memory_bytes: int) -> Job:
        request = self.work.request
        self.n_runs += 1
        name = f"{self.work.lease.name}-{self.n_runs:03d}"
        folder = self.work.lease.folder / f"{self.n_runs:03d}"
        (folder / "out").mkdir(parents=True)
        return Job(
            name=name,
            images=tuple(request.images[i].name for i in group),
            inputs=tuple(self.inputs[i] for i in group),
            folder=folder,
            memory_bytes=memory_bytes,
            timeout_s=self.work.settings.timeout_s * len(group),
            log=request.workspace / LOGS / f"{request.images[group[0]].stem}-{name}.log",
        )

    def _report(self, job: Job, finished: Finished) -> RunReport:
        return RunReport(
            program=self.launcher.program,
            images=job.images,
            status=finished.status,
            seconds=finished.seconds,
            memory_bytes=job.memory_bytes if self.launcher.enforces_memory else None,
            log_path=job.log,
            log_tail=finished.log_tail,
        )

    def _note_attempt(
        self, group: tuple[int, ...], report: RunReport, error: RunError | None
    ) -> None:
        failure = type(error).__name__ if error else None
        attempt = Attempt(len(group), report.memory_bytes, report.seconds, report.log_path, failure)
        for i in group:
            self.attempts.setdefault(i, []).append(attempt)


def read_input(image: Path, classifier: Classifier) -> PreparedInput:
    """Look at a prepared image.

    Raises:
        IlpixError: if it cannot be read, or does not fit the classifier.
    """
    with open_prepared(image, classifier.n_channels) as prepared:
        classifier.require_fitting(prepared.shape)
        _, height, width = prepared.shape
        axes = prepared.axes
    with h5py.File(image, "r") as file:
        dataset = str(find_dataset(file, image).name).lstrip("/")
    return PreparedInput(image, dataset, axes, height, width)


def _parts(group: tuple[int, ...], failed: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Split what failed: in halves where nothing succeeded, else into single images."""
    if len(failed) < len(group):
        return [(i,) for i in failed]
    return _slices(group, (len(group) + 1) // 2)


def _slices(items: tuple[int, ...], size: int) -> list[tuple[int, ...]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _read_log(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
