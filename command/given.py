"""What a person gave to a command: where to work, and the choices of all steps."""

from dataclasses import dataclass
from pathlib import Path

from flows.options import PrepareOptions, RunOptions, TrainOptions
from ilpix.errors import NoFolderError


@dataclass(frozen=True)
class AllSteps:
    """What is chosen for the steps of `classify`."""

    preparing: PrepareOptions
    training: TrainOptions
    predicting: RunOptions


def require_folder(folder: Path) -> None:
    """Make sure that a folder is there.

    Raises:
        NoFolderError: if it is not.
    """
    if not folder.is_dir():
        raise NoFolderError(folder)
