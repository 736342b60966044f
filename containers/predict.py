"""Predict images with Ilastik in a container: the engine `docker`."""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import docker

from containers.command import ilastik_arguments, ilastik_environment, input_name
from containers.engine import connected, plan_account, plan_limits, read_facts
from containers.errors import FolderNotGivenError, ProgramTooOldError
from containers.images import PinnedImage, pin_image
from containers.lease import held_lease, remove_run, sweep_orphans
from containers.outcome import PredictionOutcome
from containers.person import group_id, user_id
from containers.prediction import (
    Job,
    PredictionRequest,
    Work,
    plan_memory_steps,
    predict_images,
)
from containers.pulls import PullProgress
from containers.run import (
    IMAGE_LABEL,
    LEASE_LABEL,
    RUN_LABEL,
    Account,
    BindMount,
    ContainerRun,
    Limits,
)
from containers.runner import Finished, run_to_completion
from containers.settings import ContainerSettings, path_on_engine
from ilpix.data_directory import RUNS
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.versions import is_newer

IN, OUT, PROJECT = "/in", "/out", "/in/project.ilp"
LABEL_CHARS = 200


def prepare_engine(
    settings: ContainerSettings,
    workspace: Path,
    progress: Callable[[PullProgress], None] | None = None,
) -> PinnedImage:
    """Get the engine ready, once, before the first image: sweep orphans, pull the container image.

    Args:
        settings: as the operator wrote them.
        workspace: the folder `.ilpix` of the data directory.
        progress: called while the image is pulled.

    Returns:
        The image as it is on the engine now; its `digest` belongs into cache keys and the manifest.

    Raises:
        ContainerError: if the engine or the image is not to be had.
    """
    with connected(settings) as client:
        sweep_orphans(client, workspace / RUNS)
        return pin_image(client, settings, progress)


def remove_containers_of(settings: ContainerSettings, run: str) -> list[str]:
    """Remove every container of a run, for clean-up from outside it; return their names."""
    with connected(settings) as client:
        return remove_run(client, run)


def require_version(project: PixelProject, image: PinnedImage) -> None:
    """Raise `ProgramTooOldError` if a newer Ilastik than the one in the image wrote the project."""
    version = image.ilastik_version
    if version is not None and is_newer(project.ilastik_version, version):
        raise ProgramTooOldError(project.path, project.ilastik_version, image.reference, version)


def predict_in_container(
    request: PredictionRequest,
    settings: ContainerSettings,
    image: PinnedImage,
    stop: threading.Event,
) -> list[PredictionOutcome]:
    """Predict prepared images, `settings.batch` of them per container, one container at a time.

    Args:
        request: project, images and targets; each target appears whole and verified, or not at all.
        settings: limits, engine, path map.
        image: what `prepare_engine` returned.
        stop: set it to end the call within a fraction of a second, its container removed.

    Returns:
        One outcome per image, in the same order.

    Raises:
        InvalidProjectError, NoClassifierError, ProgramTooOldError, EngineUnreachableError,
        LeaseError:
            before anything is run.
        RunCancelledError: if `stop` was set.
    """
    project = read_project(request.project)
    require_version(project, image)
    classifier = Classifier.of(project)
    runs = request.workspace / RUNS
    with connected(settings) as client, held_lease(runs, client) as lease:
        facts = read_facts(client)
        limits, ceiling = plan_limits(settings, facts)
        launcher = _ContainerLauncher(
            client=client,
            settings=settings,
            image=image,
            project=request.project,
            labels=((RUN_LABEL, request.run or lease.name), (LEASE_LABEL, lease.name)),
            account=plan_account(facts, user_id(), group_id()),
            limits=limits,
            memory_steps=plan_memory_steps(limits.memory_bytes, ceiling),
        )
        return predict_images(launcher, Work(request, classifier, lease, settings), stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ContainerLauncher:
    """Runs each job in a container of its own."""

    client: docker.DockerClient
    settings: ContainerSettings
    image: PinnedImage
    project: Path
    labels: tuple[tuple[str, str], ...]
    account: Account
    limits: Limits  # of the first attempt at one image
    memory_steps: tuple[int, ...]
    enforces_memory: bool = True

    @property
    def program(self) -> str:
        """What runs, for messages."""
        return self.image.reference

    def launch(self, job: Job, stop: threading.Event) -> Finished:
        """Run a job in a container."""
        if user_id() == 0 and self.account.user != "0:0":
            give_folder(job.folder / "out", self.account.user)
        return run_to_completion(self.client, self._plan_run(job), job.log, stop)

    def _plan_run(self, job: Job) -> ContainerRun:
        inputs = [
            self._mount(item.source, f"{IN}/{input_name(i)}") for i, item in enumerate(job.inputs)
        ]
        return ContainerRun(
            name=f"ilpix-{job.name}",
            image=self.image.image_id,
            program=self.image.program,
            arguments=ilastik_arguments(PROJECT, IN, job.inputs, OUT),
            mounts=(
                self._mount(self.project, PROJECT),
                *inputs,
                self._mount(job.folder / "out", OUT, read_only=False),
            ),
            environment=ilastik_environment(self.limits.cpus, job.memory_bytes),
            labels=(*self.labels, (IMAGE_LABEL, _shortened(job.images))),
            account=self.account,
            limits=replace(self.limits, memory_bytes=job.memory_bytes, timeout_s=job.timeout_s),
        )

    def _mount(self, source: Path, target: str, *, read_only: bool = True) -> BindMount:
        return BindMount(path_on_engine(source, self.settings.path_map), target, read_only)


def give_folder(folder: Path, user: str) -> None:
    """Make a folder somebody else's, on Windows nobody's.

    Args:
        folder: of the outputs of a run.
        user: the numbers of the user and of the group, such as "1000:1000".

    Raises:
        FolderNotGivenError: if root may not, as in a container or on a share of somebody else.
    """
    if sys.platform == "win32":
        return
    try:
        os.chown(folder, *map(int, user.split(":")))
    except PermissionError as error:
        raise FolderNotGivenError(folder, user, error.strerror or str(error)) from error


def _shortened(names: tuple[str, ...]) -> str:
    text = ", ".join(names)
    return text if len(text) <= LABEL_CHARS else f"{text[:LABEL_CHARS]}... ({len(names)} images)"
