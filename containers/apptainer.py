"""Predict images with Ilastik in a container, by Apptainer: the engine `apptainer`."""

import csv
import io
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from containers.apptainer_image import ApptainerImage, find_walls, prepare_image
from containers.command import ilastik_arguments, ilastik_environment, input_name
from containers.confinement import MEMORY, base_flags, limiting_flags
from containers.errors import ProgramTooOldError
from containers.lease import held_lease, sweep_folders
from containers.outcome import PredictionOutcome
from containers.prediction import Job, PredictionRequest, Work, predict_images
from containers.process import end_writers, run_process
from containers.runner import Finished
from containers.settings import ApptainerSettings
from ilpix.data_directory import RUNS
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.versions import is_newer

LEASES = "apptainer"  # in the folder of runs: no container engine is asked about these
IN, OUT, PROJECT = "/in", "/out", "/in/project.ilp"


def prepare_apptainer(settings: ApptainerSettings, workspace: Path) -> ApptainerImage:
    """Get everything ready, once, before the first image: end orphans, find or build the image.

    Raises:
        ContainerError: if Apptainer or the image is not to be had.
    """
    for lease in sweep_folders(workspace / RUNS / LEASES):
        end_writers(f"-{lease}-")
    return prepare_image(settings)


def predict_by_apptainer(
    request: PredictionRequest,
    settings: ApptainerSettings,
    image: ApptainerImage,
    stop: threading.Event,
) -> list[PredictionOutcome]:
    """Predict prepared images, `settings.batch` of them per container, one container at a time.

    Request, stop and outcomes are those of `predict_in_container`.

    Raises:
        InvalidProjectError, NoClassifierError, ProgramTooOldError, ApptainerMissingError,
        ApptainerRefusedError, LeaseError:
            before anything is run.
        RunCancelledError: if `stop` was set.
    """
    project = read_project(request.project)
    _require_version(project, image)
    classifier = Classifier.of(project)
    walls = find_walls(image)
    with held_lease(request.workspace / RUNS / LEASES) as lease:
        launcher = _ApptainerLauncher(
            image=image,
            walls=walls,
            project=request.project.resolve(),
            cpus=settings.cpus or max(1, (os.cpu_count() or 1) // settings.parallel),
            memory_steps=(settings.memory_bytes,),
        )
        return predict_images(launcher, Work(request, classifier, lease, settings), stop)


def _require_version(project: PixelProject, image: ApptainerImage) -> None:
    version = image.ilastik_version
    if version is not None and is_newer(project.ilastik_version, version):
        raise ProgramTooOldError(project.path, project.ilastik_version, image.reference, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ApptainerLauncher:
    """Runs each job in a container of its own."""

    image: ApptainerImage
    walls: tuple[str, ...]  # keys of `OPTIONAL` that this machine allows
    project: Path
    cpus: float
    memory_steps: tuple[int, ...]

    @property
    def program(self) -> str:
        """What runs, for messages."""
        return self.image.reference

    @property
    def enforces_memory(self) -> bool:
        """Whether a run that takes more is killed."""
        return MEMORY in self.walls

    def launch(self, job: Job, stop: threading.Event) -> Finished:
        """Run a job to its end; the process group and with it the container end, come what may."""
        (job.folder / "work").mkdir()
        command = ["apptainer", "--quiet", "exec", *self._flags(job), str(self.image.path)]
        arguments = ilastik_arguments(PROJECT, IN, job.inputs, OUT)
        return run_process(
            [*command, self.image.program, *arguments], os.environ, job.log, job.timeout_s, stop
        )

    def _flags(self, job: Job) -> list[str]:
        folder = job.folder.resolve()
        mounts = [
            bind_mount(self.project, PROJECT, "ro"),
            *(
                bind_mount(item.source.resolve(), f"{IN}/{input_name(i)}", "ro")
                for i, item in enumerate(job.inputs)
            ),
            bind_mount(folder / "out", OUT),
        ]
        variables = ilastik_environment(self.cpus, job.memory_bytes)
        return [
            *base_flags(),
            *limiting_flags(self.walls, job.memory_bytes, self.cpus),
            "--workdir",  # /tmp of the run; the one that Apptainer makes holds 64 MiB
            str(folder / "work"),
            *(word for mount in mounts for word in ("--mount", mount)),
            *(word for name, value in variables for word in ("--env", f"{name}={value}")),
        ]


def bind_mount(source: Path, target: str, *options: str) -> str:
    """Return a mount as Apptainer reads it: a line of CSV, so that a path may hold anything."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(
        ["type=bind", f"source={source}", f"destination={target}", *options]
    )
    return line.getvalue()
