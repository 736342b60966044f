"""Judge labelled pixels by forests that were not trained on them.

From flattering to honest. *Out of bag*: every pixel is judged by the trees that did not draw it,
but its neighbours in the same stroke were drawn, so the error is too small. *Leave one crop out*:
every crop is judged by a forest of the other crops, as a new image would be.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ilpix.forest.growing import FloatArray, GrownForest, LabelArray, mean_votes
from ilpix.forest.stored import Forest
from ilpix.training.samples import Samples

Grow = Callable[[FloatArray, LabelArray], GrownForest]


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How often pixels of each class were taken for each class."""

    labels: tuple[int, ...]  # K label values, the order of rows and columns
    counts: NDArray[np.int64]  # (K, K) pixels; row: as labelled, column: as predicted

    @property
    def accuracy(self) -> float:
        """Share of all pixels that were recognised."""
        return float(np.trace(self.counts) / self.counts.sum())

    @property
    def recall(self) -> NDArray[np.float64]:
        """(K,) share of the pixels labelled as a class that were recognised; NaN without pixels."""
        return _ratio(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def precision(self) -> NDArray[np.float64]:
        """(K,) share of the pixels taken for a class that are of it; NaN where none was."""
        return _ratio(np.diag(self.counts), self.counts.sum(axis=0))

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall: every class counts the same, however many pixels it has."""
        return float(np.nanmean(self.recall))


@dataclass(frozen=True, slots=True)
class CropResult:
    """One crop, judged by a forest of the other crops."""

    crop: str
    confusion: Confusion


def judge_out_of_bag(samples: Samples, grown: GrownForest) -> Confusion:
    """Judge every pixel by the trees that did not draw it; some pixels may have no such tree."""
    forest = grown.forest
    votes = np.zeros((len(samples.labels), len(forest.labels)))
    for root, drawn in zip(forest.roots, grown.drawn, strict=True):
        unseen = np.ones(len(votes), dtype=bool)
        unseen[drawn] = False
        tree = replace(forest, roots=np.array([root], np.int32), trees_per_forest=(1,))
        votes[unseen] += mean_votes(tree, samples.features[unseen])
    judged = votes.any(axis=1)
    predicted = _most_voted(votes[judged], forest)
    return _count(samples.labels[judged], predicted, forest.labels)


def leave_one_crop_out(samples: Samples, grow: Grow) -> tuple[CropResult, ...]:
    """Judge every crop by a forest of the others; empty where fewer than two crops have labels."""
    return tuple(
        CropResult(
            samples.crop_names[crop],
            judge(samples, samples.crops != crop, samples.crops == crop, grow),
        )
        for crop in judged_crops(samples)
    )


def judge(
    samples: Samples, trained_on: NDArray[np.bool_], judged: NDArray[np.bool_], grow: Grow
) -> Confusion:
    """Judge some pixels by a forest of other pixels; both (P,) flags."""
    known, unseen = samples.where(trained_on), samples.where(judged)
    forest = grow(known.features, known.labels).forest
    predicted = _most_voted(mean_votes(forest, unseen.features), forest)
    return _count(unseen.labels, predicted, samples.label_values)


def judged_crops(samples: Samples) -> list[int]:
    """The crops without which two classes remain."""
    crops = range(len(samples.crop_names))
    return [crop for crop in crops if _has_two_classes(samples.labels[samples.crops != crop])]


def crop_folds(samples: Samples, most: int) -> list[NDArray[np.bool_]]:
    """Deal the crops to at most `most` folds; return for each the pixels to train on, (P,) flags.

    Empty where fewer than two crops have labels. A fold is left out where a single class remains.
    """
    n_folds = min(most, len(samples.crop_names))
    folds = [samples.crops % n_folds != fold for fold in range(n_folds)]
    return [fold for fold in folds if _has_two_classes(samples.labels[fold])]


def add_up(parts: Iterable[Confusion]) -> Confusion:
    """Add the pixels of several confusions of the same labels, of which there is at least one."""
    parts = list(parts)
    return Confusion(parts[0].labels, np.sum([part.counts for part in parts], axis=0))


def _count(truth: LabelArray, predicted: LabelArray, labels: tuple[int, ...]) -> Confusion:
    rows, columns = np.searchsorted(labels, truth), np.searchsorted(labels, predicted)
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    return Confusion(labels, counts)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(len(part), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _most_voted(votes: NDArray[np.floating], forest: Forest) -> LabelArray:
    return np.asarray(np.take(forest.labels, votes.argmax(axis=1)), np.uint8)


def _has_two_classes(labels: LabelArray) -> bool:
    return bool(len(labels) and np.any(labels != labels[0]))
