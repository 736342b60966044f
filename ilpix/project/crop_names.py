"""The crop of a lane: its file, and the name that label images of it have."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ilpix.errors import InvalidProjectError, Problem
from ilpix.project.reading import PixelProject
from ilpix.project.stored_lanes import Lane
from ilpix.sources.tiff import image_stem

LONGEST_STEM = 240  # bytes; file systems take 255, with the suffix
_HDF5_SUFFIXES = frozenset({".h5", ".hdf5", ".ilp"})


def crop_path(project: PixelProject, lane: Lane) -> Path:
    """Return the file of a lane's crop; a stored relative path starts at the project's folder."""
    return project.path.parent / _file_of(lane)


def lane_stem(lane: Lane) -> str:
    """Return the name of a lane's label image, without its suffix: that of the crop's file."""
    stored = _file_of(lane) if lane.inner_path is None else PurePosixPath(lane.nickname)
    return image_stem(Path(stored.name))


def _file_of(lane: Lane) -> PurePosixPath:
    """The stored path without the dataset behind an HDF5 file."""
    stored = PurePosixPath(lane.file_path.replace("\\", "/"))
    files = (path for path in (stored, *stored.parents) if path.suffix.lower() in _HDF5_SUFFIXES)
    return next(files, stored)


def lanes_by_stem(project: PixelProject) -> dict[str, Lane]:
    """Name the lanes as their label images are named.

    Raises:
        InvalidProjectError: if two have the same name, or one has a name that no file can have.
    """
    lanes = {lane_stem(lane): lane for lane in project.lanes}
    problems = [
        Problem(f"lane {lane.index} ({lane_stem(lane)[:50]})", what)
        for lane in project.lanes
        if (what := _misnamed(lane_stem(lane)) or _doubled(lane, lanes))
    ]
    if problems:
        raise InvalidProjectError(project.path, tuple(problems))
    return lanes


def _doubled(lane: Lane, lanes: Mapping[str, Lane]) -> str:
    is_first = lanes[lane_stem(lane)] is lane
    return "" if is_first else "has a crop of the same name as another lane; rename one of the two"


def _misnamed(stem: str) -> str:
    """Say why no file can have a name, if so."""
    if "\0" in stem or not stem.strip("."):
        return f"has a crop of the name {stem[:50]!r}, which no file can have; rename it"
    if len(stem.encode()) > LONGEST_STEM:
        return f"has a crop whose name is {len(stem)} characters long, {stem[:50]}…; rename it"
    return ""
