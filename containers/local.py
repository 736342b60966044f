"""Predict images with an Ilastik installed on this machine: the engine `local`."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from containers.command import ilastik_arguments, ilastik_environment, input_name
from containers.errors import RunCancelledError
from containers.lease import held_lease
from containers.local_program import require_program
from containers.outcome import PredictionOutcome
from containers.prediction import (
    Job,
    PredictionRequest,
    Work,
    predict_images,
)
from containers.run_errors import LOG_TAIL_CHARS
from containers.runner import POLL_S, Finished
from containers.settings import LocalSettings
from ilpix.data_directory import RUNS
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import read_project

GRACE_S = 5.0  # between the request to end and the kill


def predict_locally(
    request: PredictionRequest, settings: LocalSettings, stop: threading.Event
) -> list[PredictionOutcome]:
    """Predict prepared images, `settings.batch` of them per process, one process at a time.

    Request, stop and outcomes are those of `predict_in_container`. Memory is what Ilastik is told
    to keep to; nothing enforces it.

    Raises:
        InvalidProjectError, NoClassifierError, LocalProgramError, LeaseError: before anything is
        run.
        RunCancelledError: if `stop` was set.
    """
    classifier = Classifier.of(read_project(request.project))
    program = require_program(settings.program)
    with held_lease(request.workspace / RUNS) as lease:
        launcher = _ProcessLauncher(
            program=str(program),
            project=request.project.resolve(),
            cpus=settings.cpus or max(1, (os.cpu_count() or 1) // settings.parallel),
            memory_steps=(settings.memory_bytes,),
        )
        return predict_images(launcher, Work(request, classifier, lease, settings), stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProcessLauncher:
    """Runs each job in a process group of its own."""

    program: str
    project: Path
    cpus: float
    memory_steps: tuple[int, ...]
    enforces_memory: bool = False

    def launch(self, job: Job, stop: threading.Event) -> Finished:
        """Run a job to its end; what it says goes to a file, so that no pipe can fill up."""
        if stop.is_set():
            raise RunCancelledError
        folder_in, folder_out = (job.folder.resolve() / name for name in ("in", "out"))
        folder_in.mkdir()
        for i, item in enumerate(job.inputs):
            (folder_in / input_name(i)).symlink_to(item.source.resolve())
        arguments = ilastik_arguments(
            str(self.project), str(folder_in), job.inputs, str(folder_out)
        )
        variables = dict(ilastik_environment(self.cpus, job.memory_bytes))
        variables.pop("HOME")
        begin = time.monotonic()
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 the operator names the program
                [self.program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        try:
            status = _wait_for_exit(process, begin + job.timeout_s, stop)
        finally:
            _end_group(process)
        return Finished(
            status=None if status is None else _as_container_status(status),
            seconds=time.monotonic() - begin,
            log_tail=job.log.read_bytes()[-LOG_TAIL_CHARS:].decode(errors="replace"),
            timed_out=status is None,
        )


def _wait_for_exit(
    process: subprocess.Popen[bytes], deadline: float, stop: threading.Event
) -> int | None:
    while time.monotonic() < deadline:
        if (status := process.poll()) is not None:
            return status
        if stop.wait(POLL_S):
            raise RunCancelledError
    return None


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever is left of the process group: first ask, then kill."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(GRACE_S)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _as_container_status(status: int) -> int:
    """Return the exit code that a container engine gives for a process ended by a signal."""
    return 128 - status if status < 0 else status
