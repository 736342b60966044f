"""What disks answer is told in words, through whichever library it comes."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
import tifffile

from ilpix.disks import telling_disks, told_by_disk
from ilpix.errors import DiskFullError, DiskLostError, FolderNotWritableError, IlpixError
from ilpix.images.hdf5 import open_prepared
from ilpix.project.reading import read_project
from ilpix.sources.tiff import read_image

STALE = OSError(errno.ESTALE, os.strerror(errno.ESTALE), "share/a")
BY_HDF5 = "Unable to synchronously open file (unable to open file: errno = {}, error message = 'x')"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EFBIG, DiskFullError),
        (errno.EROFS, FolderNotWritableError),
        (errno.ESTALE, DiskLostError),
        (errno.EIO, DiskLostError),
        (errno.ENOTCONN, DiskLostError),
    ],
)
def test_an_answer_is_told_whether_python_or_hdf5_has_it(
    tmp_path: Path, number: int, told: type[IlpixError]
) -> None:
    for error in (OSError(number, "x"), OSError(BY_HDF5.format(number))):
        with pytest.raises(told, match=os.strerror(number)), telling_disks(tmp_path):
            raise error


def test_an_answer_is_told_that_another_error_hides(tmp_path: Path) -> None:
    hidden = RuntimeError("no image")
    hidden.__cause__ = STALE
    assert str(told_by_disk(hidden, tmp_path)).startswith("share/a: its disk or network share")
    assert told_by_disk(RuntimeError("no image"), tmp_path) is None


def test_an_answer_that_is_its_own_cause_is_told(tmp_path: Path) -> None:
    """The search for a lost disk behind a full one went round for ever."""
    full = DiskFullError(tmp_path, "No space left on device")
    around = RuntimeError("no image")
    full.__cause__, around.__cause__ = around, full
    assert told_by_disk(around, tmp_path) is full


@pytest.mark.parametrize(
    ("read", "library"),
    [
        (read_image, (tifffile, "TiffFile")),
        (lambda path: open_prepared(path).__enter__(), (h5py, "File")),
        (read_project, (h5py, "File")),
    ],
)
def test_who_reads_from_a_lost_share_says_that_and_not_that_the_file_is_damaged(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object], library: tuple[object, str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(BY_HDF5.format(errno.ESTALE))

    monkeypatch.setattr(*library, refuse)
    with pytest.raises(DiskLostError, match=r"share/a.*Stale file handle"):
        read(Path("share/a"))
