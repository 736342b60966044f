"""Predict images with an Ilastik installed on this machine: the engine `local`."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from containers.command import ilastik_arguments, ilastik_environment, input_name
from containers.lease import held_lease
from containers.local_program import require_program
from containers.outcome import PredictionOutcome
from containers.prediction import (
    Job,
    PredictionRequest,
    Work,
    predict_images,
)
from containers.process import run_process
from containers.runner import Finished
from containers.settings import LocalSettings
from ilpix.data_directory import RUNS
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import read_project


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
        """Run a job to its end."""
        folder_in, folder_out = (job.folder.resolve() / name for name in ("in", "out"))
        folder_in.mkdir()
        for i, item in enumerate(job.inputs):
            (folder_in / input_name(i)).symlink_to(item.source.resolve())
        arguments = ilastik_arguments(
            str(self.project), str(folder_in), job.inputs, str(folder_out)
        )
        variables = dict(ilastik_environment(self.cpus, job.memory_bytes))
        variables.pop("HOME")
        return run_process(
            [self.program, *arguments], {**os.environ, **variables}, job.log, job.timeout_s, stop
        )
