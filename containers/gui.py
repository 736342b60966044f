"""Open Ilastik on a project to label and train by hand: a local one, else one in the browser."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import docker
import docker.errors
from docker.types import Mount
from pydantic import BaseModel, BeforeValidator, Field

from containers.engine import connected, translated
from containers.errors import EngineUnreachableError, GuiEndedError, NoIlastikError
from containers.images import PinnedImage, PullProgress, pin_image
from containers.lease import held_lease, remove_container_quietly
from containers.local import require_program
from containers.predict import require_version
from containers.presets import GUI_IMAGE
from containers.run import LEASE_LABEL, PLATFORM
from containers.runner import POLL_S
from containers.settings import (
    ContainerSettings,
    PathMapping,
    PullPolicy,
    path_on_engine,
    split_at_commas,
)
from ilpix.data_directory import RUNS, WORKSPACE
from ilpix.project.errors import NoProjectError
from ilpix.project.reading import read_project

LOCAL_NAMES = ("ilastik", "run_ilastik.sh")
WEB_PORT = "5800/tcp"  # where the image shows the window
LOOPBACK = "127.0.0.1"
DATA = "/data"  # the data directory in the container


class GuiSettings(BaseModel, frozen=True, extra="forbid"):
    """Which Ilastik is opened, and where its window is shown."""

    program: Path | None = Field(
        None, description="Ilastik on this machine; else looked for in PATH"
    )
    image: str = Field(GUI_IMAGE, description="image that shows Ilastik's window in a browser")
    port: int = Field(5800, ge=1024, le=65535, description="of the window, on this machine only")
    pull: PullPolicy = "missing"
    engine: str | None = Field(None, description="address of the engine; else DOCKER_HOST")
    path_map: Annotated[tuple[PathMapping, ...], BeforeValidator(split_at_commas)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuiRun:
    """Ilastik's window in a container, reachable from this machine alone."""

    name: str
    image: str
    folder: Path  # the data directory, as the engine's machine names it
    port: int
    user: int
    group: int

    def create_options(self) -> dict[str, Any]:
        """Everything but the image, in the words of `docker.models.containers.create`.

        The image starts as root and hands over to the user in USER_ID: it can neither run as that
        user from the start nor without capabilities. Its window needs a network to be reached.
        """
        return {
            "name": self.name,
            "mounts": [Mount(DATA, str(self.folder), type="bind")],
            "ports": {WEB_PORT: (LOOPBACK, self.port)},
            "environment": {"USER_ID": str(self.user), "GROUP_ID": str(self.group)},
            "labels": {LEASE_LABEL: self.name.removeprefix("ilpix-gui-")},
            "platform": PLATFORM,
            "security_opt": ["no-new-privileges"],
        }


def find_local_ilastik(program: Path | None) -> Path | None:
    """Return the Ilastik of this machine: the one given, else one in PATH, else None.

    Raises:
        LocalProgramError: if one is given that cannot be run.
    """
    if program is not None:
        return require_program(program)
    found = next(filter(None, map(shutil.which, LOCAL_NAMES)), None)
    return Path(found) if found else None


def open_local_gui(program: Path, project: Path) -> int:
    """Open a project in a local Ilastik, wait for its end, and return its exit code.

    Raises:
        NoProjectError: if there is no such file.
    """
    if not project.exists():
        raise NoProjectError(project)
    command = [str(program), f"--project={project.resolve()}"]
    return subprocess.run(command, check=False).returncode  # noqa: S603 named by the operator


def open_gui_in_browser(
    project: Path,
    settings: GuiSettings,
    say: Callable[[str], None],
    stop: threading.Event,
    progress: Callable[[PullProgress], None] | None = None,
) -> None:
    """Show Ilastik's window on loopback, until `stop` is set or Ilastik ends; then nothing is left.

    Args:
        project: its folder is mounted with it, and may be written to.
        settings: the image and the port.
        say: is told the address, and what to open there.
        stop: ends the call.
        progress: called while the image is pulled.

    Raises:
        NoProjectError: if there is no such file; for others see `read_project`.
        ProgramTooOldError: if a newer Ilastik wrote the project.
        GuiEndedError: if Ilastik ended with an error.
        NoIlastikError: if no container engine answers.
        EngineUnreachableError, EngineRefusedError, ImageMissingError: if it cannot start.
    """
    engine = ContainerSettings(image=settings.image, pull=settings.pull, engine=settings.engine)
    folder = project.resolve().parent
    content = read_project(project)
    _require_engine(engine)
    with connected(engine) as client, held_lease(folder / WORKSPACE / RUNS, client) as lease:
        image = pin_image(client, engine, progress)
        require_version(content, image)
        run = GuiRun(
            name=f"ilpix-gui-{lease.name}",
            image=image.image_id,
            folder=path_on_engine(folder, settings.path_map),
            port=settings.port,
            user=os.getuid(),
            group=os.getgid(),
        )
        _show(client, run, image, stop, lambda: say(_invitation(settings.port, project)))


def _require_engine(settings: ContainerSettings) -> None:
    try:
        with connected(settings):
            pass
    except EngineUnreachableError as error:
        raise NoIlastikError(error.address, error.reason) from error


def _show(
    client: docker.DockerClient,
    run: GuiRun,
    image: PinnedImage,
    stop: threading.Event,
    when_running: Callable[[], None],
) -> None:
    try:
        with translated(f"start {image.reference}"):
            client.containers.create(run.image, **run.create_options())
            client.api.start(run.name)
        when_running()
        while not stop.wait(POLL_S):
            with translated(f"tell how {run.name} is"):
                state = client.api.inspect_container(run.name)["State"]
            if not state["Running"]:
                if state["ExitCode"]:
                    raise GuiEndedError(image.reference, int(state["ExitCode"]))
                return
    finally:
        remove_container_quietly(client, run.name)


def _invitation(port: int, project: Path) -> str:
    return (
        f"Ilastik: http://{LOOPBACK}:{port}\n"
        f"Open {DATA}/{project.name} there, label, train with live update on, save the project.\n"
        "Then end this with Ctrl-C."
    )
