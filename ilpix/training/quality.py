"""How good a classifier trained from these labels is, measured on pixels it was not trained on.

Three measures, from flattering to honest. *Out of bag*: every pixel is judged by the trees that did
not draw it, but its neighbours in the same stroke were drawn, so the error is too small. *Leave one
crop out*: every crop is judged by a forest of the other crops, as a new image would be. The
*learning curve* repeats the second with fewer labels and shows whether more would help.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ilpix.features.selection import FeatureColumn
from ilpix.forest.growing import FloatArray, GrownForest, LabelArray, grow_forest, mean_votes
from ilpix.forest.stored import Forest
from ilpix.training.samples import Samples, advise

Grow = Callable[[FloatArray, LabelArray], GrownForest]
Key = TypeVar("Key")

_CURVE_FOLDS = 5  # a point of the learning curve costs one forest per fold
_FEWEST_PIXELS_PER_CLASS = 5  # on average, at the first point of the learning curve


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


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a number of labelled pixels achieves on crops that were left out."""

    pixels: int  # trained on
    accuracy: float  # of all pixels, each judged by a forest of other crops


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares in the decrease of impurity; each dictionary sums to 1, most important first."""

    features: dict[str, float]
    scales: dict[float, float]  # px
    channels: dict[str, float]
    pairs: dict[tuple[str, float], float]  # feature and scale: what can be chosen or not


@dataclass(frozen=True, slots=True, eq=False)
class QualityReport:
    """All measures of one training set."""

    class_names: dict[int, str]  # of all classes, by label value
    pixels: int  # labelled, in all crops
    out_of_bag: Confusion
    crops: tuple[CropResult, ...]  # empty where fewer than two crops have labels
    learning_curve: tuple[CurvePoint, ...]  # empty likewise
    importance: Importance
    advice: tuple[str, ...]  # sentences for the person who labels

    @property
    def cross_validation(self) -> Confusion | None:
        """All pixels, each judged by a forest of the crops it is not from; None with one crop."""
        return add_up(result.confusion for result in self.crops) if self.crops else None


def assess_quality(
    samples: Samples,
    grown: GrownForest,
    seed: int,
    *,
    class_names: Mapping[int, str],
    threads: int | None = None,
) -> QualityReport:
    """Measure how good `grown`, the forest of `samples`, is; deterministic for a seed.

    Args:
        samples: what the forest was grown from.
        grown: gives the out-of-bag error and the importance.
        seed: for the forests that are grown to judge pixels they were not trained on.
        class_names: of all classes, by label value.
        threads: None for all cores.
    """
    n_trees = len(grown.forest.roots)
    grow = partial(grow_forest, seed=seed, n_trees=n_trees, threads=threads)
    return QualityReport(
        class_names=dict(class_names),
        pixels=len(samples.labels),
        out_of_bag=judge_out_of_bag(samples, grown),
        crops=leave_one_crop_out(samples, grow),
        learning_curve=draw_learning_curve(samples, grow, np.random.default_rng(seed)),
        importance=summarise_importance(samples, grown),
        advice=advise(samples, class_names),
    )


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
        for crop in range(len(samples.crop_names))
        if _has_two_classes(samples.labels[samples.crops != crop])
    )


def judge(
    samples: Samples, trained_on: NDArray[np.bool_], judged: NDArray[np.bool_], grow: Grow
) -> Confusion:
    """Judge some pixels by a forest of other pixels; both (P,) flags."""
    known, unseen = samples.where(trained_on), samples.where(judged)
    forest = grow(known.features, known.labels).forest
    predicted = _most_voted(mean_votes(forest, unseen.features), forest)
    return _count(unseen.labels, predicted, samples.label_values)


def draw_learning_curve(
    samples: Samples, grow: Grow, rng: np.random.Generator
) -> tuple[CurvePoint, ...]:
    """Accuracy on crops that were left out, for numbers of labelled pixels that double.

    At most five forests are grown for a point: of more crops, several are left out together. The
    pixels of a point are those of the point before and as many more, drawn at random.
    """
    folds = crop_folds(samples, _CURVE_FOLDS)
    if not folds:
        return ()
    ranks = rng.permutation(len(samples.labels))
    most = min(int(np.count_nonzero(fold)) for fold in folds)
    fewest = min(most, _FEWEST_PIXELS_PER_CLASS * len(samples.label_values))
    counts = [most >> halvings for halvings in range(most.bit_length())]
    return tuple(
        CurvePoint(
            count,
            add_up(
                judge(samples, _draw_first(samples, fold, ranks, count), ~fold, grow)
                for fold in folds
            ).accuracy,
        )
        for count in reversed(counts)
        if count >= fewest
    )


def crop_folds(samples: Samples, most: int) -> list[NDArray[np.bool_]]:
    """Deal the crops to at most `most` folds; return for each the pixels to train on, (P,) flags.

    Empty where fewer than two crops have labels. A fold is left out where a single class remains.
    """
    n_folds = min(most, len(samples.crop_names))
    folds = [samples.crops % n_folds != fold for fold in range(n_folds)]
    return [fold for fold in folds if _has_two_classes(samples.labels[fold])]


def summarise_importance(samples: Samples, grown: GrownForest) -> Importance:
    """Add up the importance of columns by what they have in common."""
    columns = list(zip(samples.columns, grown.importances.tolist(), strict=True))
    return Importance(
        features=_sum_by(columns, lambda column: column.feature_id),
        scales=_sum_by(columns, lambda column: column.scale),
        channels=_sum_by(columns, lambda column: samples.channel_names[column.channel]),
        pairs=_sum_by(columns, lambda column: (column.feature_id, column.scale)),
    )


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


def _draw_first(
    samples: Samples, fold: NDArray[np.bool_], ranks: NDArray[np.intp], count: int
) -> NDArray[np.bool_]:
    """(P,) flags of the `count` pixels of a fold with the lowest ranks, one of each class first."""
    rows = np.flatnonzero(fold)
    rows = rows[np.argsort(ranks[rows])]
    _, of_each_class = np.unique(samples.labels[rows], return_index=True)
    drawn = np.zeros(len(fold), dtype=bool)
    drawn[np.concatenate([rows[of_each_class], np.delete(rows, of_each_class)])[:count]] = True
    return drawn


def _sum_by(
    columns: Iterable[tuple[FeatureColumn, float]], key_of: Callable[[FeatureColumn], Key]
) -> dict[Key, float]:
    sums: dict[Key, float] = defaultdict(float)
    for column, share in columns:
        sums[key_of(column)] += share
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
