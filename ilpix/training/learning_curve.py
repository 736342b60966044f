"""Whether more labels would help: how much is recognised after training on fewer of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ilpix.training.judging import Confusion, Grow, add_up, crop_folds, judge
from ilpix.training.samples import Samples

FOLDS = 5  # a point costs one forest per fold
_FEWEST_PIXELS_PER_CLASS = 5  # on average, at the first point


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a number of labelled pixels achieves on crops that were left out."""

    pixels: int  # trained on
    folds: tuple[Confusion, ...]  # the pixels of each fold, judged by a forest of the others

    @property
    def accuracy(self) -> float:
        """Share of all pixels that were recognised."""
        return add_up(self.folds).accuracy

    @property
    def mean_recall(self) -> float:
        """Of all folds together: every class counts the same."""
        return add_up(self.folds).balanced_accuracy

    @property
    def without_each_fold(self) -> tuple[float, ...]:
        """The mean recall that is left when a fold is left out, for each of them."""
        rest = ([*self.folds[:k], *self.folds[k + 1 :]] for k in range(len(self.folds)))
        return tuple(add_up(folds).balanced_accuracy for folds in rest if folds)

    @property
    def error(self) -> float:
        """Standard error of the mean recall, from how much it depends on single folds."""
        return standard_error(self.without_each_fold)


def draw_learning_curve(
    samples: Samples, grow: Grow, rng: np.random.Generator
) -> tuple[CurvePoint, ...]:
    """Accuracy on crops that were left out, for numbers of labelled pixels that double.

    At most five forests are grown for a point: of more crops, several are left out together. The
    pixels of a point are those of the point before and as many more, drawn at random.
    """
    folds = crop_folds(samples, FOLDS)
    ranks = rng.permutation(len(samples.labels))
    return tuple(
        CurvePoint(
            count,
            tuple(
                judge(samples, _draw_first(samples, fold, ranks, count), ~fold, grow)
                for fold in folds
            ),
        )
        for count in curve_counts(samples, folds)
    )


def standard_error(parts: Sequence[float]) -> float:
    """Return the standard error of a measure whose values without each fold are given.

    The jackknife; NaN for fewer than two folds.
    """
    n = len(parts)
    return float(np.sqrt((n - 1) * np.var(parts))) if n > 1 else float("nan")


def curve_counts(samples: Samples, folds: Sequence[NDArray[np.bool_]]) -> list[int]:
    """The numbers of labelled pixels of the learning curve, increasing."""
    most = min((int(np.count_nonzero(fold)) for fold in folds), default=0)
    fewest = min(most, _FEWEST_PIXELS_PER_CLASS * len(samples.label_values))
    counts = [most >> halvings for halvings in range(most.bit_length())]
    return [count for count in reversed(counts) if count >= fewest]


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
