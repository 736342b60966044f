"""How good a classifier trained from these labels is, measured on pixels it was not trained on.

Three measures, from flattering to honest. *Out of bag*: every pixel is judged by the trees that did
not draw it, but its neighbours in the same stroke were drawn, so the error is too small. *Leave one
crop out*: every crop is judged by a forest of the other crops, as a new image would be. The
*learning curve* repeats the second with fewer labels and shows whether more would help.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TypeVar

import numpy as np

from ilpix.features.selection import FeatureColumn
from ilpix.forest.growing import FloatArray, GrownForest, LabelArray, grow_forest
from ilpix.training.judging import (
    Confusion,
    CropResult,
    Grow,
    add_up,
    crop_folds,
    judge_out_of_bag,
    judged_crops,
    leave_one_crop_out,
)
from ilpix.training.learning_curve import FOLDS, CurvePoint, curve_counts, draw_learning_curve
from ilpix.training.phases import Phase, Tell, tell_nobody
from ilpix.training.samples import Samples, advise

Key = TypeVar("Key")


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


def assess_quality(  # noqa: PLR0913 - what is judged, and who is told
    samples: Samples,
    grown: GrownForest,
    seed: int,
    *,
    class_names: Mapping[int, str],
    threads: int | None = None,
    tell: Tell = tell_nobody,
) -> QualityReport:
    """Measure how good `grown`, the forest of `samples`, is; deterministic for a seed.

    Args:
        samples: what the forest was grown from.
        grown: gives the out-of-bag error and the importance.
        seed: for the forests that are grown to judge pixels they were not trained on.
        class_names: of all classes, by label value.
        threads: None for all cores.
        tell: is told each forest that is grown to judge.
    """
    n_trees = len(grown.forest.roots)
    grow = _telling(
        partial(grow_forest, seed=seed, n_trees=n_trees, threads=threads), samples, tell
    )
    return QualityReport(
        class_names=dict(class_names),
        pixels=len(samples.labels),
        out_of_bag=judge_out_of_bag(samples, grown),
        crops=leave_one_crop_out(samples, grow),
        learning_curve=draw_learning_curve(samples, grow, np.random.default_rng(seed)),
        importance=summarise_importance(samples, grown),
        advice=advise(samples, class_names),
    )


def summarise_importance(samples: Samples, grown: GrownForest) -> Importance:
    """Add up the importance of columns by what they have in common."""
    columns = list(zip(samples.columns, grown.importances.tolist(), strict=True))
    return Importance(
        features=_sum_by(columns, lambda column: column.feature_id),
        scales=_sum_by(columns, lambda column: column.scale),
        channels=_sum_by(columns, lambda column: samples.channel_names[column.channel]),
        pairs=_sum_by(columns, lambda column: (column.feature_id, column.scale)),
    )


def _telling(grow: Grow, samples: Samples, tell: Tell) -> Grow:
    """`grow` for the forests that judge, in their order; the work for one is as its pixels."""
    crops = [int(np.count_nonzero(samples.crops != crop)) for crop in judged_crops(samples)]
    folds = crop_folds(samples, FOLDS)
    curve = [count for count in curve_counts(samples, folds) for _ in folds]
    names = [f"judging crop {k} of {len(crops)}" for k in range(1, len(crops) + 1)]
    names += [f"learning curve, forest {k} of {len(curve)}" for k in range(1, len(curve) + 1)]
    before = accumulate([0, *crops, *curve])
    steps = zip(names, before, strict=False)

    def grow_next(features: FloatArray, labels: LabelArray) -> GrownForest:
        name, done = next(steps)
        tell(Phase("judging", name, done / sum([*crops, *curve])))
        return grow(features, labels)

    return grow_next


def _sum_by(
    columns: Iterable[tuple[FeatureColumn, float]], key_of: Callable[[FeatureColumn], Key]
) -> dict[Key, float]:
    sums: dict[Key, float] = defaultdict(float)
    for column, share in columns:
        sums[key_of(column)] += share
    return dict(sorted(sums.items(), key=lambda item: -item[1]))
