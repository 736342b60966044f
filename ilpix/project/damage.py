"""What damage inside a project looks like from here: each error of the HDF5 library is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ilpix.disks import lost_by_disk
from ilpix.errors import IlpixError, InvalidProjectError, Problem

# What h5py raises for damage inside a file: each error of the HDF5 library becomes one of these.
DAMAGE = (OSError, RuntimeError, ValueError, TypeError, KeyError)


@contextmanager
def telling_damage(path: Path, where: str = "/") -> Iterator[None]:
    """Turn what h5py raises while a project is read into an error that says where.

    Args:
        path: the project; whoever holds it asks its disk for the rest (see `hold_project`).
        where: the place inside it that is read.

    Raises:
        InvalidProjectError: if anything in the block is damaged.
        DiskLostError: if its disk or network share does not answer.
    """
    try:
        yield
    except IlpixError:
        raise
    except DAMAGE as error:
        problem = Problem(where, f"cannot be read: {error}")
        raise lost_by_disk(error, path) or InvalidProjectError(path, (problem,)) from error
