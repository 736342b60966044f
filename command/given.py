"""What a person gave to a command: where to work, and the choices of all steps."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter

from flows.options import PrepareOptions, RunOptions, TrainOptions
from ilpix.data_directory import PROJECT
from ilpix.errors import NoFolderError, NotAFileError, NotAFolderError

_LAST_PORT = 2**16 - 1


def _port(_: type, number: int) -> None:
    if not 0 <= number <= _LAST_PORT:
        raise ValueError(f"must be 0 to {_LAST_PORT}")


def _folder(_: type, path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ValueError("must be a folder")


DataDir = Annotated[Path, Parameter(alias="-C")]
Project = Annotated[Path, Parameter(alias="-p")]
Port = Annotated[int, Parameter(validator=_port)]
OutputFolder = Annotated[Path, Parameter(validator=_folder)]  # made where it is missing


@dataclass(frozen=True)
class AllSteps:
    """What is chosen for the steps of `classify`."""

    preparing: PrepareOptions
    training: TrainOptions
    predicting: RunOptions


def same_again(data_dir: Path, project: Path) -> str:
    """Return the flags that name folder and project again, where they are not the usual ones."""
    folder = "" if data_dir == Path() else f" -C {quote(str(data_dir))}"
    return folder + ("" if project == PROJECT else f" --ilp {quote(str(project))}")


def require_folder(folder: Path) -> None:
    """Make sure that a folder is there.

    Raises:
        NoFolderError, NotAFolderError: if it is not.
    """
    require_output(folder)
    if not folder.exists():
        raise NoFolderError(folder)


def require_output(*folders: Path, file: Path | None = None) -> None:
    """Make sure that results can have their places: nothing of another kind is there.

    Raises:
        NotAFolderError, NotAFileError: if something is.
    """
    for folder in folders:
        if folder.exists() and not folder.is_dir():
            raise NotAFolderError(folder)
    if file and file.is_dir():
        raise NotAFileError(file)
