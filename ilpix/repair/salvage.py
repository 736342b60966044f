"""Copy out of a damaged HDF5 file what can still be read, group by group and value by value."""

import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from ilpix.disks import lost_by_disk, refused_by_disk
from ilpix.errors import InvalidProjectError, Problem
from ilpix.images.heaps import mend_heaps
from ilpix.images.new_hdf5 import new_hdf5
from ilpix.images.stored_texts import StoredTexts
from ilpix.project.backups import advise_restoring
from ilpix.project.damage import DAMAGE
from ilpix.project.errors import NoProjectError, UnreadableProjectError
from ilpix.project.rewriting import copy_attributes, copy_dataset
from ilpix.project.self_contained import MAX_OBJECTS, check_object

_DAMAGE = (*DAMAGE, struct.error, LookupError)
_LARGEST_FILE = 2**36
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# where the length of the whole file is stored, by the version of its first block
_LENGTH_AT = {0: 40, 1: 44, 2: 28, 3: 28}


def salvage(source: Path, target: Path) -> tuple[Problem, ...]:
    """Write a sound HDF5 file with everything of a damaged one that can be read.

    Args:
        source: is not changed.
        target: the new file; the folder is used for a copy.

    Returns:
        What is lost.

    Raises:
        NoProjectError: if there is no such file.
        UnreadableProjectError: if not even its first block can be read.
        DiskLostError: if its disk or network share does not answer.
    """
    problems: list[Problem] = []
    with (
        _opened(source, target.with_name("whole.h5")) as (file, path),
        StoredTexts(path, file.userblock_size) as texts,
        new_hdf5(target) as copy,
    ):
        try:
            root = h5py.h5o.get_info(h5py.h5g.open(file.id, b"/")).addr
            if not check_object(file.id, root, texts):
                copy_attributes(file, copy)
        except _DAMAGE as error:
            problems.append(Problem("/", f"has no attributes left: {error}"))
        _Salvage(texts, problems).copy_group(file, copy)
    return tuple(problems)


class _Salvage:
    """One pass through a file."""

    def __init__(self, texts: StoredTexts, problems: list[Problem]) -> None:
        self.texts, self.problems = texts, problems
        self._met: set[int] = set()

    def copy_group(self, source: h5py.Group, target: h5py.Group) -> None:
        """Copy what is in a group; what is lost is noted."""
        for name in self._names(source):
            try:
                self._copy(source, target, name)
            except InvalidProjectError as error:
                self.problems += [Problem(found.where, found.what) for found in error.problems]
            except _DAMAGE as error:
                self.problems.append(Problem(f"{source.name}/{name}", f"is lost: {error}"))

    def _names(self, group: h5py.Group) -> list[str]:
        names: list[str] = []
        try:
            names.extend(group)
        except _DAMAGE as error:
            self.problems.append(Problem(group.name, f"cannot be listed to its end: {error}"))
        return names

    def _copy(self, source: h5py.Group, target: h5py.Group, name: str) -> None:
        if not isinstance(source.get(name, getlink=True), h5py.HardLink):
            raise ValueError("it is a link")
        item = h5py.h5o.open(source.id, name.encode())
        address = h5py.h5o.get_info(item).addr
        if address in self._met or len(self._met) >= MAX_OBJECTS:
            raise ValueError("it is stored elsewhere as well, or there are too many of its kind")
        self._met.add(address)
        wrong = check_object(item, address, self.texts)
        if isinstance(item, h5py.h5g.GroupID):
            child = target.create_group(name)
            if not wrong:
                self._copy_attributes(source[name], child)
            self.copy_group(source[name], child)
        elif wrong:
            raise ValueError(f"it {', '.join(wrong)}")
        elif isinstance(item, h5py.h5d.DatasetID):
            copy_dataset(source[name], target, name)

    def _copy_attributes(self, source: h5py.Group, target: h5py.Group) -> None:
        try:
            copy_attributes(source, target)
        except InvalidProjectError as error:
            self.problems += error.problems


@contextmanager
def _opened(source: Path, whole: Path) -> Iterator[tuple[h5py.File, Path]]:
    """Open a copy of a file, mended where it is cut short or its texts are damaged.

    A copy, so that what the disk of the file does not give is not taken for lost.
    """
    path = source
    try:
        path = _with_texts(source, whole)
        file = h5py.File(path, "r")
    except FileNotFoundError as error:
        raise NoProjectError(source) from error
    except OSError as first:
        try:
            path = _lengthened(source, whole)
            file = h5py.File(path, "r")
        except _DAMAGE:
            unreadable = UnreadableProjectError(source, str(first), advise_restoring(source))
            told = lost_by_disk(first, source) or refused_by_disk(first, whole.parent)
            raise told or unreadable from first
    with file:
        yield file, path


def _with_texts(source: Path, copy: Path) -> Path:
    shutil.copyfile(source, copy)
    if copy.stat().st_size:
        mend_heaps(copy)
    return copy


def _lengthened(source: Path, whole: Path) -> Path:
    shutil.copyfile(source, whole)
    with whole.open("r+b") as file:
        start = file.read(64)
        (length,) = struct.unpack_from("<Q", start, _LENGTH_AT[start[8]])
        if not start.startswith(_SIGNATURE) or length > _LARGEST_FILE:
            raise ValueError("is no HDF5 file")
        os.truncate(file.fileno(), max(length, source.stat().st_size))
    mend_heaps(whole)
    return whole
