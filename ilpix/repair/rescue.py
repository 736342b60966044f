"""Make a new project of what a damaged one still holds.

Everything that can be read is copied first (`salvage`). What a project needs is then taken from
there, or made anew where it is lost: classes are numbered, a lane without an entry waits for a crop
of its number, a lane without a size for a fix, which looks at its crop.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import h5py
import numpy as np

from ilpix.data_directory import CROPS
from ilpix.errors import IlpixError, Problem
from ilpix.files import replacing
from ilpix.images.new_hdf5 import changing_hdf5
from ilpix.project.backups import advise_restoring
from ilpix.project.block_order import block_axes, names_block_axes
from ilpix.project.errors import UnreadableProjectError
from ilpix.project.file import FEATURES, FORESTS, INFOS, LABEL_SETS, ProjectReader
from ilpix.project.label_blocks import labels_group, write_block
from ilpix.project.reading import (
    LABEL_NAMES,
    LabelClass,
    PixelProject,
    read_classes,
    read_project,
    read_record,
)
from ilpix.project.rewriting import copy_without
from ilpix.project.stored_classifier import read_features_and_forest
from ilpix.project.stored_lanes import LOCAL_DATA, read_lane
from ilpix.project.writing import (
    MAX_CLASSES,
    MIN_CLASSES,
    OLDEST_VERSION,
    create_lane,
    create_project,
    label_classes,
)
from ilpix.repair.errors import FixRefusedError
from ilpix.repair.label_plan import plan_labels
from ilpix.repair.salvage import salvage
from ilpix.wording import counted

_FOREST = re.compile(rf"{FORESTS}/(Forest\d+)")


@dataclass(frozen=True, slots=True)
class Rescued:
    """What was saved of a damaged project."""

    project: PixelProject
    lost: tuple[Problem, ...]

    @property
    def summary(self) -> str:
        """What was saved, in a line."""
        project = self.project
        n_labelled = sum(map(sum, project.labelled_pixels))
        n_trees = len(project.forest.roots) if project.forest is not None else 0
        saved = (
            counted(len(project.classes), "class"),
            counted(len(project.lanes), "lane"),
            counted(n_labelled, "labelled pixel"),
        )
        return (
            f"{', '.join(saved)} and {counted(n_trees, 'tree')} saved, "
            f"{counted(len(self.lost), 'part')} missing"
        )


def rescue_project(source: Path, target: Path) -> Rescued:
    """Write a new project with the classes, features, labels and forests that can still be read.

    Args:
        source: the damaged project, which is not changed.
        target: the new project. It lies in the same folder, where the paths of crops are relative.

    Raises:
        FixRefusedError: if there is such a file already.
        NoProjectError, UnreadableProjectError: if there is nothing to read.
    """
    require_unused(source, target)
    with TemporaryDirectory() as folder, replacing(target) as draft:
        sound = Path(folder) / "sound.h5"
        lost = list(salvage(source, sound))
        with changing_hdf5(sound) as found:
            _rebuild(found, draft, lost)
        draft_project = read_project(draft)
        if not (draft_project.lanes or draft_project.training_problems or draft_project.forest):
            raise UnreadableProjectError(source, "nothing of it is left", advise_restoring(source))
        lost += draft_project.training_problems
    return Rescued(read_project(target), tuple(dict.fromkeys(lost)))


def require_unused(source: Path, target: Path) -> None:
    """Make sure that a rescue of a project replaces no file, and lies where the crops are found.

    Raises:
        FixRefusedError: if there is such a file already, or in another folder.
    """
    if source.absolute().parent.resolve() != target.absolute().parent.resolve():
        what = "is in another folder, from which the project leads to no crop; name one beside it"
        raise FixRefusedError(source, (Problem(str(target), what),))
    if target.exists():
        what = "is there already, and a rescue replaces nothing; choose another name"
        raise FixRefusedError(source, (Problem(str(target), what),))


def _rebuild(found: h5py.File, draft: Path, lost: list[Problem]) -> None:
    reader = ProjectReader(found)
    version = reader.text("ilastikVersion") or OLDEST_VERSION
    record = read_record(reader)
    classes = _find_classes(found, lost)
    lost += reader.problems
    _drop_damaged_forests(found, len(classes), lost)
    create_project(draft, {}, classes, record, version)
    with changing_hdf5(draft) as target:
        _replace_group(found, target, LOCAL_DATA)
        for where in (FEATURES, FORESTS):
            _replace_group(found, target, where)
        for index in _lane_numbers(found):
            _rebuild_lane(found, target, index, version, lost)


def _replace_group(found: h5py.File, target: h5py.File, where: str) -> None:
    if isinstance(found.get(where), h5py.Group):
        if where in target:
            del target[where]
        copy_without(found[where], target.create_group(where), ())


def _find_classes(found: h5py.File, lost: list[Problem]) -> tuple[LabelClass, ...]:
    """The classes, at least with their names, else numbered as far as labels and forests go."""
    reader = ProjectReader(found)
    classes = read_classes(reader)
    if classes and not reader.problems:
        return classes
    lost += reader.problems
    try:
        return label_classes(ProjectReader(found).texts(LABEL_NAMES))
    except IlpixError:
        lost.append(Problem(LABEL_NAMES, "is lost: the classes are numbered; name them again"))
    n_classes = min(max(_largest_label(found), MIN_CLASSES), MAX_CLASSES)
    return label_classes([f"Class {number}" for number in range(1, n_classes + 1)])


def _largest_label(found: h5py.File) -> int:
    values = [0]
    if f"{FORESTS}/known_labels" in found:
        values += np.ravel(found[f"{FORESTS}/known_labels"][()]).tolist()
    for layer in _members(found, LABEL_SETS).values():
        blocks = layer.values() if isinstance(layer, h5py.Group) else ()
        arrays = (block[()] for block in blocks if isinstance(block, h5py.Dataset))
        values += [int(np.max(array, initial=0)) for array in arrays if array.dtype.kind in "iu"]
    return max(values)


def _drop_damaged_forests(found: h5py.File, n_classes: int, lost: list[Problem]) -> None:
    """Keep the forests that are whole; features without a forest stay, but not the other way."""
    while True:
        reader = ProjectReader(found)
        features, _ = read_features_and_forest(reader, n_classes)
        found_in = (_FOREST.search(problem.where) for problem in reader.problems)
        damaged = {match[1] for match in found_in if match}
        lost += reader.problems
        for name in damaged:
            del found[f"{FORESTS}/{name}"]
        if reader.problems and not damaged:
            for where in (FORESTS, *([FEATURES] if features is None else [])):
                found.pop(where, None)
        if not reader.problems or not damaged:
            return


def _lane_numbers(found: h5py.File) -> list[int]:
    """All lanes of which an entry or labels are left."""
    entries = [name.removeprefix("lane") for name in _members(found, INFOS)]
    layers = [
        name.removeprefix("labels")
        for name, layer in _members(found, LABEL_SETS).items()
        if isinstance(layer, h5py.Group) and len(layer)
    ]
    return sorted({int(number) for number in (*entries, *layers) if number.isdecimal()})


def _members(found: h5py.File, where: str) -> Mapping[str, h5py.Group | h5py.Dataset]:
    """What is in a group; nothing where there is none, or an array in its place."""
    group = found.get(where)
    return group if isinstance(group, h5py.Group) else {}


def _rebuild_lane(
    found: h5py.File, target: h5py.File, number: int, version: str, lost: list[Problem]
) -> None:
    """Append a lane; where one is lost, later ones move up with their labels."""
    index = len(target[INFOS])
    where = f"{INFOS}/lane{number:04d}"
    reader = ProjectReader(found)
    lane = read_lane(reader, number, f"{where}/Raw Data") if f"{where}/Raw Data" in found else None
    if lane is None:
        crop = PurePosixPath(CROPS) / f"lost_lane{number:04d}.h5"
        lost.append(Problem(where, f"is lost: name its crop {crop.name} and run fix"))
        create_lane(target, index, crop, (1, 1, 1))
        del target[f"{INFOS}/lane{index:04d}/Raw Data/shape"]
    else:
        copy_without(found[where], target.create_group(f"{INFOS}/lane{index:04d}"), ())
    layer = labels_group(number)
    if layer not in found:
        return
    group = target.create_group(labels_group(index))
    if lane is None or not lane.shape:
        copy_without(found[layer], group, ())
        return
    axes = block_axes(version, lane.axes)
    planned = plan_labels(found, lane, axes, axes, n_classes=len(target[LABEL_NAMES]))
    lost += [Problem(layer, what) for what in planned.removed]
    for block in planned.blocks:
        write_block(group, block, axes, names_axes=names_block_axes(version))
