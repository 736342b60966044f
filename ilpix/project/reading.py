"""An Ilastik pixel classification project (`.ilp`) as a typed value, checked where it is read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from pydantic import ValidationError

from ilpix.errors import InvalidProjectError, Problem, told_shape
from ilpix.features.selection import FeatureSelection
from ilpix.forest.stored import Forest
from ilpix.images.hdf5 import ImageRecord
from ilpix.project.block_order import block_axes
from ilpix.project.damage import telling_damage
from ilpix.project.file import INFOS, LABEL_SETS, ProjectReader, open_project
from ilpix.project.label_blocks import (
    LabelBlock,
    find_spare_labels,
    labels_group,
    read_label_blocks,
)
from ilpix.project.planar import require_planar
from ilpix.project.stored_classifier import read_features_and_forest
from ilpix.project.stored_lanes import Lane, read_lanes
from ilpix.wording import counted

Color = tuple[int, int, int]  # red, green, blue; 0 to 255

LABEL_NAMES = "PixelClassification/LabelNames"
LABEL_COLORS = "PixelClassification/LabelColors"
PMAP_COLORS = "PixelClassification/PmapColors"
RECORD = "ilpix"  # our own attribute of the whole file: an ImageRecord

MAX_STORED_CLASSES = 255


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class that a person labels."""

    name: str
    color: Color  # of its labels
    pmap_color: Color  # of its probability map


@dataclass(frozen=True, slots=True, eq=False)
class PixelProject:
    """A project, read and checked."""

    path: Path
    ilastik_version: str
    classes: tuple[LabelClass, ...]  # label value 1 is the first
    lanes: tuple[Lane, ...]
    features: FeatureSelection | None  # None until features are chosen
    forest: Forest | None  # None until a classifier is stored
    labelled_pixels: tuple[tuple[int, ...], ...]  # per lane, per class
    record: ImageRecord | None  # how the crops were made; None in projects of other programs
    training_problems: tuple[Problem, ...] = ()  # in lanes and labels; no matter for predicting

    @property
    def has_labels(self) -> bool:
        """Whether a person has labelled anything."""
        return any(map(any, self.labelled_pixels))

    @property
    def has_classifier(self) -> bool:
        """Whether a trained classifier is stored."""
        return self.forest is not None and self.features is not None

    @property
    def lacks(self) -> str:
        """What has to come before a prediction, in words; empty where nothing is missing."""
        if self.features is not None and self.forest is not None:
            return ""
        if not self.classes or not (self.lanes or self.training_problems):
            return "labels yet, nor classes and images to label"
        return "features" if self.features is None else "classifier"

    @property
    def n_channels(self) -> int | None:
        """Channels that the classifier, or without one every lane, has; None where lanes differ."""
        if self.forest is not None and self.features is not None:
            return self.forest.n_columns // len(self.features.columns(1))
        counts = {lane.n_channels for lane in self.lanes}
        return counts.pop() if len(counts) == 1 else None


def read_project(path: Path) -> PixelProject:
    """Read a pixel classification project.

    What only training needs, lanes and labels, may be damaged: see `require_training_data`.

    Raises:
        InvalidProjectError: with every problem found in classes, features and classifier.
        NotPlanarError: if its features are those of volumes, or its images are stacks.
        NoProjectError: if there is no such file.
        UnreadableProjectError: if it is no HDF5 file or cut short.
        ProjectLockedError: if a running Ilastik has it open.
        WrongWorkflowError: if it belongs to another Ilastik workflow.

    Example:
        >>> project = read_project(Path("pixel_classifier.ilp"))
        >>> [label_class.name for label_class in project.classes]
        ['Nucleus', 'Cytoplasm', 'Background']
        >>> project.has_classifier
        True
    """
    with open_project(path) as file, telling_damage(path):
        reader, training = ProjectReader(file), ProjectReader(file)
        for where, of_it in (("PixelClassification", reader), (LABEL_SETS, training)):
            if where in file:
                of_it.group(where)
        classes = read_classes(reader)
        entries = read_lanes(training)
        lanes = _usable_lanes(training, entries)
        stacks = (
            f"{lane.nickname}: {lane.axes} {told_shape(lane.shape)}"
            for lane in lanes
            if lane.is_stack
        )
        require_planar(file, stacks)
        features, forest = read_features_and_forest(reader, len(classes))
        version = training.text("ilastikVersion")
        for where in find_spare_labels(file, len(entries)):
            training.note(where, "holds labels of a lane that the project does not have; run fix")
        counts = [_count_labels(training, version, lane, len(classes)) for lane in lanes]
        project = PixelProject(
            path=path,
            ilastik_version=version,
            classes=classes,
            lanes=lanes,
            features=features,
            forest=forest,
            labelled_pixels=tuple(counts),
            record=read_record(reader),
            training_problems=tuple(training.problems),
        )
    if reader.problems:
        raise InvalidProjectError(path, tuple(reader.problems))
    return project


def require_training_data(project: PixelProject) -> None:
    """Make sure that every lane and every label of a project can be used.

    Raises:
        InvalidProjectError: with everything that cannot.
    """
    if project.training_problems:
        raise InvalidProjectError(project.path, project.training_problems)


def _usable_lanes(reader: ProjectReader, lanes: Iterable[Lane]) -> tuple[Lane, ...]:
    for lane in lanes:
        where = f"{INFOS}/lane{lane.index:04d}/Raw Data"
        if lane.flaw:
            reader.note(where, f"{lane.flaw}; run fix, which looks at the crop")
        elif lane.is_stack:
            reader.note(
                where, f"is a stack or a time series, {lane.axes} of shape {told_shape(lane.shape)}"
            )
    return tuple(lane for lane in lanes if not lane.flaw)


def read_classes(reader: ProjectReader) -> tuple[LabelClass, ...]:
    """Read the classes of an open project, none until one is made; problems go to `reader`."""
    stored = reader.file.get(LABEL_NAMES)
    if stored is None or (isinstance(stored, h5py.Dataset) and stored.size == 0):
        return ()
    names = reader.texts(LABEL_NAMES)
    problems_known = bool(reader.problems)
    colors, pmap_colors = (
        _read_colors(reader, where, len(names)) for where in (LABEL_COLORS, PMAP_COLORS)
    )
    if not problems_known and not 1 <= len(names) <= MAX_STORED_CLASSES:
        reader.note(LABEL_NAMES, f"names {counted(len(names), 'class')}")
    if len(set(names)) != len(names):
        reader.note(LABEL_NAMES, f"names a class twice: {', '.join(names)}")
    return tuple(map(LabelClass, names, colors, pmap_colors))


def _read_colors(reader: ProjectReader, where: str, n_classes: int) -> Iterable[Color]:
    values = reader.numbers(where, "iu", 2)
    if values is None:
        return [(0, 0, 0)] * n_classes
    if len(values) < n_classes or values.shape[1] != 3 or np.any((values < 0) | (values > 255)):
        reader.note(
            where,
            f"has no red, green and blue from 0 to 255 for each of {counted(n_classes, 'class')}",
        )
        return [(0, 0, 0)] * n_classes
    return [(int(red), int(green), int(blue)) for red, green, blue in values[:n_classes]]


def read_blocks(reader: ProjectReader, version: str, lane: Lane) -> tuple[LabelBlock, ...]:
    """Read the label blocks of a lane of an open project; problems go to `reader`."""
    axes = block_axes(version, lane.axes)
    return read_label_blocks(reader, lane.index, axes, lane.axes, lane.size)


def _count_labels(
    reader: ProjectReader, version: str, lane: Lane, n_classes: int
) -> tuple[int, ...]:
    counts = np.zeros(256, np.int64)
    for block in read_blocks(reader, version, lane):
        counts += np.bincount(block.labels.ravel(), minlength=256)
    if counts[n_classes + 1 :].any():
        largest = int(np.flatnonzero(counts)[-1])
        what = f"has labels of value {largest}, but {counted(n_classes, 'class')}; run fix"
        reader.note(labels_group(lane.index), f"{what}, which takes them out")
    return tuple(int(count) for count in counts[1 : n_classes + 1])


def read_record(reader: ProjectReader) -> ImageRecord | None:
    """Read how the crops of an open project were made; None where it does not say."""
    text = reader.attribute_text("/", RECORD)
    if text is None:
        return None
    try:
        return ImageRecord.model_validate_json(text)
    except ValidationError as error:
        reader.note(f"attribute {RECORD}", f"does not say how the crops were made: {error}")
        return None
