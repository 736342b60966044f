"""Labelled pixels with their features: what a forest is trained on and judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ilpix.arrays import LabelImage
from ilpix.errors import IlpixError, Problem, told_shape
from ilpix.features.computing import features_at
from ilpix.features.selection import FeatureColumn, FeatureSelection
from ilpix.images.hdf5 import open_prepared
from ilpix.project.crop_names import crop_path, lane_stem
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.reading import PixelProject
from ilpix.project.stored_lanes import Lane
from ilpix.training.errors import NoLabelsError
from ilpix.training.phases import Phase, Tell, tell_nobody
from ilpix.wording import counted

FEW_PIXELS = 20  # of a class; so few seldom show how much a class varies


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """P labelled pixels of several crops, in the order of lanes, rows, columns."""

    features: NDArray[np.float32]  # (P, F), finite
    labels: NDArray[np.uint8]  # (P,) from 1
    crops: NDArray[np.int32]  # (P,) index into `crop_names`
    crop_names: tuple[str, ...]
    columns: tuple[FeatureColumn, ...]  # (F)
    channel_names: tuple[str, ...]  # (C)

    @property
    def label_values(self) -> tuple[int, ...]:
        """The label values that occur, increasing."""
        return tuple(int(label) for label in np.unique(self.labels))

    def where(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> Self:
        """Return some of the pixels: (P,) flags, or positions."""
        return replace(
            self, features=self.features[kept], labels=self.labels[kept], crops=self.crops[kept]
        )

    def with_columns(self, kept: NDArray[np.bool_]) -> Self:
        """Return all pixels with some of their columns: (F,) flags."""
        columns = tuple(self.columns[index] for index in np.flatnonzero(kept))
        return replace(self, features=self.features[:, kept], columns=columns)


def collect_samples(
    project: PixelProject,
    labels: Mapping[int, LabelImage],
    selection: FeatureSelection,
    tell: Tell = tell_nobody,
) -> Samples:
    """Compute the features of every labelled pixel; parts of a crop without labels cost nothing.

    Args:
        project: names the crop of each lane.
        labels: (Y, X) label values by lane index; lanes without labels may be missing.
        selection: which features.
        tell: is told each crop.

    Raises:
        NoLabelsError: if no pixel is labelled.
        UnusableLabelsError: with every labelled crop that is missing, unreadable or unfit.
    """
    lanes = [lane for lane in project.lanes if np.any(labels.get(lane.index, 0))]
    if not lanes:
        raise NoLabelsError(project.path)
    problems: list[Problem] = []
    parts = []
    for done, lane in enumerate(lanes):
        now = f"features of crop {done + 1} of {len(lanes)}"
        tell(Phase("features", now, done / len(lanes)))
        parts.append(_sample_crop(project, lane, labels[lane.index], selection, problems))
    if len({part.n_channels for part in parts}) > 1 and not problems:
        problems = [
            Problem(
                lane_stem(lane), f"has {counted(part.n_channels, 'channel')}, other crops do not"
            )
            for lane, part in zip(lanes, parts, strict=True)
        ]
    if problems:
        raise UnusableLabelsError(project.path, tuple(problems))
    sizes = [len(part.labels) for part in parts]
    return Samples(
        features=np.concatenate([part.features for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        crops=np.repeat(np.arange(len(parts), dtype=np.int32), sizes),
        crop_names=tuple(lane_stem(lane) for lane in lanes),
        columns=selection.columns(parts[0].n_channels),
        channel_names=channel_names(project, parts[0].n_channels),
    )


def advise(samples: Samples, class_names: Mapping[int, str]) -> tuple[str, ...]:
    """Say what a person who labels could improve.

    Args:
        samples: what was labelled.
        class_names: of all classes, by label value.
    """
    advice = []
    for label, name in class_names.items():
        of_class = samples.labels == label
        n_pixels = int(np.count_nonzero(of_class))
        if not n_pixels:
            advice.append(f"{name} has no labels: its probability is zero everywhere")
        elif n_pixels < FEW_PIXELS:
            advice.append(f"{name} has {counted(n_pixels, 'labelled pixel')}: label more")
        elif len(samples.crop_names) > 1 and len(np.unique(samples.crops[of_class])) == 1:
            crop = samples.crop_names[samples.crops[of_class][0]]
            advice.append(f"{name} is labelled in {crop} only: label it in other crops as well")
    if len(samples.crop_names) == 1:
        advice.append("all labels are in one crop: label others, so that quality can be measured")
    return tuple(advice)


@dataclass(frozen=True, slots=True, eq=False)
class _CropSamples:
    """The labelled pixels of one crop."""

    features: NDArray[np.float32]
    labels: NDArray[np.uint8]
    n_channels: int


_NO_SAMPLES = _CropSamples(np.zeros((0, 0), np.float32), np.zeros(0, np.uint8), 0)


def _sample_crop(
    project: PixelProject,
    lane: Lane,
    labels: LabelImage,
    selection: FeatureSelection,
    problems: list[Problem],
) -> _CropSamples:
    """Compute the features of one crop; a problem gives no pixels."""
    positions = np.argwhere(labels)
    path = crop_path(project, lane)
    if lane.inner_path is not None and not path.is_file():
        what = "has its pixels in the project; run fix, which makes a crop file of them"
        problems.append(Problem(lane_stem(lane), what))
        return _NO_SAMPLES
    if not path.is_file():
        what = f"has no crop in {path.parent}; copy it there, or train without its labels"
        problems.append(Problem(lane_stem(lane), what))
        return _NO_SAMPLES
    try:
        with open_prepared(path) as crop:
            image = crop.read()
        if image.shape[1:] != labels.shape:
            size, drawn = told_shape(image.shape[1:]), told_shape(labels.shape)
            what = f"is of size {size}, but its labels of size {drawn}"
            problems.append(Problem(lane_stem(lane), what))
            return _NO_SAMPLES
        features = features_at(image, selection, positions)
    except IlpixError as error:
        problems.append(Problem(lane_stem(lane), str(error)))
        return _NO_SAMPLES
    return _CropSamples(features, labels[tuple(positions.T)], len(image))


def channel_names(project: PixelProject, n_channels: int) -> tuple[str, ...]:
    """Return the names of channels, or numbers where the project does not know them."""
    if project.record is not None and len(project.record.channel_names) == n_channels:
        return project.record.channel_names
    return tuple(f"channel {channel}" for channel in range(n_channels))
