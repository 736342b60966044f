"""Change a project in a copy beside it, which then takes its place."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import h5py

from ilpix.errors import InvalidProjectError, Problem
from ilpix.files import replacing
from ilpix.images.datasets import exaggerates
from ilpix.images.new_hdf5 import new_hdf5
from ilpix.project.damage import telling_damage
from ilpix.project.file import MAX_VALUES, open_project
from ilpix.project.reading import read_project


@contextmanager
def rewriting(project_path: Path, without: Collection[str]) -> Iterator[h5py.File]:
    """Yield a copy of a project without some groups; read back, it replaces the project.

    Args:
        project_path: the project.
        without: paths inside the project that are left out of the copy.

    Raises:
        InvalidProjectError: if the project cannot be read, or the copy is no valid project.
        ProjectLockedError: if a running Ilastik has the project open.
    """
    with replacing(project_path) as temporary:
        with (
            open_project(project_path) as source,
            new_hdf5(temporary) as target,
        ):
            copy_without(source, target, without)
            yield target
        require_valid(temporary, project_path)


def require_valid(draft: Path, project_path: Path, known: Collection[Problem] = ()) -> None:
    """Read a draft of a project back before it takes the place of the project.

    Args:
        draft: the new file.
        project_path: the project.
        known: problems of lanes and labels that the project may keep.

    Raises:
        InvalidProjectError: with every other problem of the draft, under the name of the project.
    """
    try:
        problems = read_project(draft).training_problems
        if new := [problem for problem in problems if problem not in known]:
            raise InvalidProjectError(project_path, tuple(new))
    except InvalidProjectError as error:
        raise InvalidProjectError(project_path, error.problems) from error


def copy_without(source: h5py.Group, target: h5py.Group, without: Collection[str]) -> None:
    """Copy a group but for the paths `without`, which are given from the root of the file.

    Values are read and written again: the copying of the HDF5 library itself does not survive
    damage.

    Raises:
        InvalidProjectError: if a value is damaged.
    """
    copy_attributes(source, target)
    with _copying(source):
        for name, item in source.items():
            where = item.name.lstrip("/")
            if where in without:
                continue
            if isinstance(item, h5py.Group):
                copy_without(item, target.create_group(name), without)
            elif isinstance(item, h5py.Dataset):
                copy_dataset(item, target, name)


def copy_dataset(source: h5py.Dataset, target: h5py.Group, name: str) -> None:
    """Copy a dataset with its type, attributes and compression.

    Raises:
        InvalidProjectError: if its value is damaged, or too large for any project.
    """
    with _copying(source):
        if source.size is not None and source.size > MAX_VALUES:
            raise ValueError(f"claims to hold {source.size} values")
        if what := exaggerates(source):
            raise ValueError(what)
        value = source[()]
        copy = target.create_dataset(
            name,
            data=value,
            dtype=None if source.shape is None else source.dtype,
            chunks=source.chunks,
            compression=source.compression,
            compression_opts=source.compression_opts,
        )
        copy_attributes(source, copy)


def copy_attributes(source: h5py.Group | h5py.Dataset, target: h5py.Group | h5py.Dataset) -> None:
    """Copy all attributes of a group or dataset with their types.

    Raises:
        InvalidProjectError: if one is damaged.
    """
    with _copying(source):
        for name, value in source.attrs.items():
            dtype = None if isinstance(value, h5py.Empty) else source.attrs.get_id(name).dtype
            target.attrs.create(name, value, dtype=dtype)


def _copying(source: h5py.Group | h5py.Dataset) -> AbstractContextManager[None]:
    return telling_damage(Path(source.file.filename), source.name)
