"""Open Ilastik on a project in the browser, where none is installed on this machine."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors
from docker.types import Mount

from containers.engine import connected, translated
from containers.errors import EngineUnreachableError, GuiEndedError, NoIlastikError
from containers.images import PinnedImage, pin_image
from containers.lease import held_lease, remove_container_quietly
from containers.local_gui import GuiSettings
from containers.person import group_id, user_id
from containers.predict import require_version
from containers.pulls import PullProgress
from containers.run import LEASE_LABEL, PLATFORM
from containers.runner import POLL_S
from containers.settings import (
    ContainerSettings,
    path_on_engine,
)
from ilpix.data_directory import RUNS, WORKSPACE
from ilpix.project.reading import read_project

WEB_PORT = "5800/tcp"  # where the image shows the window
LOOPBACK = "127.0.0.1"
DATA = "/data"  # the data directory in the container


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
            user=user_id(),
            group=group_id(),
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
