"""Open a project in an Ilastik that is installed on this machine."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import BaseModel, BeforeValidator, Field

from containers.local_program import require_program
from containers.presets import GUI_IMAGE
from containers.settings import PathMapping, PullPolicy, split_at_commas
from ilpix.errors import NotAFileError
from ilpix.project.errors import NoProjectError

IN_PATH = ("ilastik", "run_ilastik.sh")
# where the installers of ilastik.org put it, in the folders of `_folders`
INSTALLED = (
    "ilastik-*.app/Contents/ilastik-release/run_ilastik.sh",  # macOS
    "ilastik-*/ilastik.exe",  # Windows
    "ilastik-*/run_ilastik.sh",  # Linux, unpacked
)


class GuiSettings(BaseModel, frozen=True, extra="forbid"):
    """Which Ilastik is opened, and where its window is shown."""

    program: Path | None = Field(
        None, description="Ilastik on this machine; else the newest that is found"
    )
    image: str = Field(GUI_IMAGE, description="image that shows Ilastik's window in a browser")
    port: int = Field(5800, ge=1024, le=65535, description="of the window, on this machine only")
    pull: PullPolicy = Field("missing", description="when that image is pulled")
    engine: str | None = Field(None, description="address of the engine; else DOCKER_HOST")
    path_map: Annotated[
        tuple[PathMapping, ...],
        BeforeValidator(split_at_commas),
        Parameter(
            n_tokens=1,
            accepts_keys=False,
            json_dict=False,
            json_list=False,
            consume_multiple=False,
            negative=(),
            metavar="INSIDE:OUTSIDE",
        ),
    ] = Field(
        (),
        description="folders that the engine's machine names differently, separated by commas",
    )


def find_local_ilastik(program: Path | None, folders: Sequence[Path] | None = None) -> Path | None:
    """Return an Ilastik of this machine: the one given, one in PATH, the newest installed, or None.

    Args:
        program: the one given.
        folders: where Ilastik is installed; else where programs are on macOS, Windows and Linux.

    Raises:
        LocalProgramError: if one is given that cannot be run.
    """
    if program is not None:
        return require_program(program)
    if found := next(filter(None, map(shutil.which, IN_PATH)), None):
        return Path(found)
    places = _folders() if folders is None else folders
    installed = [path for place in places for pattern in INSTALLED for path in place.glob(pattern)]
    return max(installed, key=_version, default=None)


def open_local_gui(program: Path, project: Path, arguments: Sequence[str] = ()) -> int:
    """Open a project in a local Ilastik, wait for its end, and return its exit code.

    Args:
        program: the Ilastik.
        project: the project.
        arguments: what else Ilastik is told.

    Raises:
        NoProjectError, NotAFileError: if there is no such file.
    """
    if project.is_dir():
        raise NotAFileError(project)
    if not project.exists():
        raise NoProjectError(project)
    command = [str(program), f"--project={project.resolve()}", *arguments]
    return subprocess.run(command, check=False).returncode  # noqa: S603 named by the operator


def _folders() -> Iterator[Path]:
    yield from (Path("/Applications"), Path.home() / "Applications", Path("/opt"), Path.home())
    for variable in ("PROGRAMFILES", "LOCALAPPDATA"):
        if folder := os.environ.get(variable):
            yield Path(folder)
            yield Path(folder) / "Programs"


def _version(program: Path) -> tuple[int, ...]:
    """The numbers behind the name: 1.4.2 is (1, 4, 2), and newer than the beta 1.4.2b3."""
    folder = next(part for part in program.parts if part.startswith("ilastik-"))
    found = re.match(r"ilastik-(\d+)\.(\d+)(?:\.(\d+))?([a-z])?", folder)
    if not found:
        return ()
    return (*(int(number or 0) for number in found.groups()[:3]), int(not found[4]))
