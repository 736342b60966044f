"""What disks answer that is no mistake of a file: full, read-only, gone; told in words.

The HDF5 library hides the answer in the text of errors of many kinds, numpy says only that less was
written, and other modules take both for damage of what they read; so the texts are looked at, and
the whole chain of causes. Where an answer may be lost altogether, the disk is asked once more.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ilpix.errors import DiskFullError, DiskLostError, FolderNotWritableError, IlpixError


def _numbers(*names: str) -> frozenset[int]:
    return frozenset(getattr(errno, name) for name in names if hasattr(errno, name))


_LOST = _numbers("ESTALE", "EIO", "ENOTCONN", "EHOSTDOWN", "EREMOTEIO")
_REFUSALS: Mapping[int, type[DiskFullError | FolderNotWritableError]] = {
    **dict.fromkeys(_numbers("ENOSPC", "EDQUOT", "EFBIG"), DiskFullError),
    **dict.fromkeys(_numbers("EROFS"), FolderNotWritableError),
}
_PIECE_BYTES = 2**22
_IN_NUMPY = re.compile(r"\d+ requested and \d+ written")
_IN_HDF5 = re.compile(r"errno = (\d+), error message")


@contextmanager
def telling_disks(folder: Path) -> Iterator[None]:
    """Raise what the disk of a folder answers inside the block as an error in words.

    Raises:
        DiskFullError, FolderNotWritableError, DiskLostError: by what it answered.
    """
    try:
        yield
    except Exception as error:
        if told := told_by_disk(error, folder):
            raise told from error
        raise


def told_by_disk(error: BaseException | None, folder: Path) -> IlpixError | None:
    """Return in words what a disk answered, if an error is such an answer.

    Args:
        error: any.
        folder: what was worked on, for errors that do not say it.
    """
    return lost_by_disk(error, folder) or refused_by_disk(error, folder)


def lost_by_disk(error: BaseException | None, path: Path) -> DiskLostError | None:
    """Return in words that a disk or network share is lost, if that is behind an error.

    Args:
        error: any.
        path: what was read or written, for errors that do not say it.
    """
    for cause in _causes(error):
        if isinstance(cause, DiskLostError):
            return cause
        if (number := _number_of(cause)) in _LOST:
            named = cause.filename if isinstance(cause, OSError) else None
            return DiskLostError(Path(os.fsdecode(named)) if named else path, os.strerror(number))
    return None


def lost_while_read(error: BaseException | None, path: Path) -> DiskLostError | None:
    """Like `lost_by_disk`, for a reader whose error may say nothing of the disk.

    Before the content is taken for damaged, the disk is asked for all bytes of the file.

    Args:
        error: any.
        path: the file that was read.
    """
    return lost_by_disk(error, path) or _lost_now(path)


def _lost_now(path: Path) -> DiskLostError | None:
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb", buffering=0) as file:
                while file.read(_PIECE_BYTES):
                    pass
    except OSError as error:
        return lost_by_disk(error, path)
    return None


def refused_by_disk(
    error: BaseException | None, folder: Path
) -> DiskFullError | FolderNotWritableError | None:
    """Return in words why a disk took nothing more, if that is behind an error; else None."""
    for cause in _causes(error):
        if isinstance(cause, DiskFullError | FolderNotWritableError):
            return cause
        if (number := _number_of(cause)) in _REFUSALS:
            return _REFUSALS[number](folder, os.strerror(number))
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what is behind it, each once: one that is raised again may be its own cause."""
    passed: list[BaseException] = []
    while error is not None and not any(error is one for one in passed):
        yield error
        passed.append(error)
        error = error.__cause__ or error.__context__


def _number_of(error: BaseException) -> int:
    if found := _IN_HDF5.search(str(error)):
        return int(found[1])
    if isinstance(error, OSError) and _IN_NUMPY.fullmatch(str(error)):
        return errno.ENOSPC
    return (isinstance(error, OSError) and error.errno) or 0
