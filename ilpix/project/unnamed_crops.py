"""Crops that are left of an earlier choice: no project of the folder names them any more."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from ilpix.images.hdf5 import SUFFIXES
from ilpix.project.crop_names import crop_path
from ilpix.project.reading import read_project
from ilpix.sources.tiff import image_stem

_PROJECT = re.compile(r".+\.ilp(\.bak\d*)?")
_LABEL_SUFFIXES = frozenset({".tif", ".tiff", ".png", ".geojson"})


def find_unnamed_crops(data_dir: Path, crops: Path, projects: Collection[Path]) -> list[Path]:
    """Return the crops that no project names, nor a backup of one, nor labels drawn elsewhere.

    Args:
        data_dir: label images are looked for in it and one level below.
        crops: the folder of the crops.
        projects: known ones; others and backups beside them and in `data_dir` count as well.

    Returns:
        The files, sorted by name; none without a project.

    Raises:
        IlpixError: if a project cannot be read: nobody knows which crops it names.
    """
    folders = {folder.resolve() for folder in (data_dir, *(path.parent for path in projects))}
    beside = (path for folder in folders for path in folder.glob("*.ilp*"))
    found = [path for path in beside if _PROJECT.fullmatch(path.name)]
    named = {crop for project in found for crop in _crops_of(project)}
    files = [path for path in sorted(crops.glob("[!.]*")) if path.suffix.lower() in SUFFIXES]
    unnamed = [path for path in files if found and path.resolve() not in named]
    labelled = set(_labelled_stems(data_dir)) if unnamed else set()
    return [path for path in unnamed if path.stem not in labelled]


def _crops_of(project: Path) -> Iterator[Path]:
    read = read_project(project)
    return (crop_path(read, lane).resolve() for lane in read.lanes if lane.inner_path is None)


def _labelled_stems(data_dir: Path) -> Iterator[str]:
    for pattern in ("*", "*/*"):
        for path in data_dir.glob(pattern):
            if path.suffix.lower() in _LABEL_SUFFIXES:
                yield image_stem(path)
