"""What disks answer is told in words, through whichever library it comes."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from ilpix import disks
from ilpix.disks import telling_disks, told_by_disk
from ilpix.errors import DiskFullError, DiskLostError, FolderNotWritableError, IlpixError
from ilpix.images.axistags import axistags_json
from ilpix.images.hdf5 import open_prepared
from ilpix.project.reading import read_project, require_training_data
from ilpix.project.writing import create_project, label_classes, require_replaceable
from ilpix.repair.crop_files import inspect_crop, read_crop
from ilpix.repair.salvage import salvage
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


def damage_last_piece(path: Path, dataset: str) -> None:
    with h5py.File(path) as file:
        stored = file[dataset].id
        piece = stored.get_chunk_info(stored.get_num_chunks() - 1)
    with path.open("r+b") as raw:
        raw.seek(piece.byte_offset)
        raw.write(bytes(piece.size))


def read_pixels(path: Path) -> None:
    with open_prepared(path) as image:
        image.read()


def read_as_crop(path: Path) -> None:
    read_crop(inspect_crop(path, None, None))


def read_labels(path: Path) -> None:
    require_training_data(read_project(path))


def write_labelled(path: Path) -> str:
    create_project(path, {"c/a.h5": (1, 64, 64)}, label_classes(["A", "B"]))
    where = "PixelClassification/LabelSets/labels000/block0000"
    with h5py.File(path, "r+") as file:
        pieces = {"chunks": (1, 64, 64), "compression": "gzip"}
        file.create_dataset(where, data=np.ones((1, 64, 64), np.uint8), **pieces)
        file[where].attrs["blockSlice"] = "[0:1,0:64,0:64]"
    return where


def write_pieces(path: Path) -> str:
    with h5py.File(path, "w") as file:
        pieces = {"chunks": (1, 64, 64), "compression": "gzip"}
        file.create_dataset("img", data=np.ones((1, 64, 64), np.float32), **pieces)
        file["img"].attrs["axistags"] = axistags_json("cyx")
    return "img"


@pytest.mark.parametrize(
    ("write", "read"),
    [(write_labelled, read_labels), (write_pieces, read_pixels), (write_pieces, read_as_crop)],
)
def test_what_hdf5_cannot_read_is_damage_only_if_the_disk_gives_the_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Path], str],
    read: Callable[[Path], None],
) -> None:
    """Of the HDF5 library's many errors some say nothing of the disk that is behind them."""
    path = tmp_path / "file.h5"
    damage_last_piece(path, write(path))
    with pytest.raises((ValueError, OSError), match="cannot be read"):
        read(path)

    opened = Path.open

    def refuse(path: Path, mode: str = "r", buffering: int = -1, **how: Any) -> Any:
        if buffering == 0:  # a stand-in for a disk that gives the file no more
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return opened(path, mode, buffering, **how)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DiskLostError, match=r"file\.h5: its disk or network share does not answer"):
        read(path)


def test_a_project_that_a_disk_does_not_give_is_not_replaced_as_one_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(BY_HDF5.format(errno.EIO))

    (tmp_path / "p.ilp").touch()
    monkeypatch.setattr(h5py, "File", refuse)
    with pytest.raises(DiskLostError):
        require_replaceable(tmp_path / "p.ilp")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files of which the disk is asked for all bytes, from now on."""
    files: list[Path] = []
    ask = disks._lost_now

    def ask_and_note(path: Path) -> DiskLostError | None:
        files.append(path)
        return ask(path)

    monkeypatch.setattr(disks, "_lost_now", ask_and_note)
    return files


def test_a_disk_is_asked_once_for_a_project_however_many_lanes_are_damaged(
    tmp_path: Path, asked: list[Path]
) -> None:
    """A large project was read whole for each of its lanes."""
    path, crops = tmp_path / "p.ilp", {f"c/{number}.h5": (1, 64, 64) for number in range(9)}
    create_project(path, crops, label_classes(["A", "B"]))
    with h5py.File(path, "r+") as file:
        for lane in file["Input Data/infos"].values():
            del lane["Raw Data/axistags"]
    flaws = [problem.what for problem in read_project(path).training_problems]
    assert flaws == ["axistags: missing; run fix, which looks at the crop"] * 9
    assert asked == [path]


def test_a_disk_is_not_asked_for_what_a_rescue_has_copied(
    tmp_path: Path, asked: list[Path]
) -> None:
    path = tmp_path / "p.ilp"
    where = write_labelled(path)
    with h5py.File(path, "r+") as file:
        for number in range(1, 9):
            file.copy(where, f"{where[:-1]}{number}")
    for number in range(9):
        damage_last_piece(path, f"{where[:-1]}{number}")
    assert len(salvage(path, tmp_path / "sound.ilp")) == 9
    assert asked == []


def test_a_rescue_names_the_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It named the project, which may lie on another one."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_labelled(tmp_path / "p.ilp")
    monkeypatch.setattr(shutil, "copyfile", refuse)
    with pytest.raises(DiskFullError) as caught:
        salvage(tmp_path / "p.ilp", tmp_path / "elsewhere" / "sound.ilp")
    assert caught.value.folder == tmp_path / "elsewhere"
