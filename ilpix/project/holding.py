"""Hold a project file still without looking at any value of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from ilpix.disks import lost_while_read
from ilpix.errors import NotAFileError
from ilpix.images.hdf5_reasons import hdf5_reason
from ilpix.project.backups import advise_restoring
from ilpix.project.damage import DAMAGE
from ilpix.project.errors import NoProjectError, ProjectLockedError, UnreadableProjectError


@contextmanager
def hold_project(path: Path) -> Iterator[h5py.File]:
    """Open a project, so that Ilastik cannot save it meanwhile; nothing in it is checked.

    Raises:
        NoProjectError: if there is no such file.
        NotAFileError: if it is a folder.
        UnreadableProjectError: if it is no HDF5 file or cut short.
        ProjectLockedError: if a running Ilastik has it open.
        DiskLostError: if its disk or network share does not answer.
    """
    try:
        file = h5py.File(path, "r")
    except FileNotFoundError as error:
        raise NoProjectError(path) from error
    except BlockingIOError as error:
        raise ProjectLockedError(path) from error
    except OSError as error:
        if path.is_dir():
            raise NotAFileError(path) from error
        told = UnreadableProjectError(path, hdf5_reason(error), advise_restoring(path))
        raise lost_while_read(error, path) or told from error
    with file:
        try:
            yield file
        except Exception as error:
            if lost := lost_while_read(error, path):
                raise lost from error
            raise


def holds(path: Path, *places: str) -> bool:
    """Tell whether a project has certain groups, by their names alone.

    Raises:
        Those of `hold_project`.
    """
    with hold_project(path) as file:
        return all(_is_there(file, place) for place in places)


def _is_there(file: h5py.File, place: str) -> bool:
    parts = place.split("/")
    ways = ("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    try:
        return all(isinstance(file.get(way, getlink=True), h5py.HardLink) for way in ways)
    except DAMAGE:
        return False
