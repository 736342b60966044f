"""Grow a random forest by Ilastik's rules: scikit-learn grows the trees, Ilastik's form holds them.

The rules: each tree sees as many pixels as there are, drawn with replacement; each split tries the
square root of the number of columns, rounded to nearest, and takes the lowest Gini impurity; trees
grow until every leaf is pure. Three things differ between the two programs, and none is left over:

- scikit-learn goes left where `x <= t`, a stored tree where `x < t`. The stored threshold is the
  next float64 above `t`. No float32 lies between them, so every value is decided alike.
- scikit-learn takes values that are less than 1e-7 apart for equal, whatever the unit of the image.
  Every column is therefore multiplied by a power of two that makes its largest magnitude about
  2^100, and its thresholds are divided by it again. Neither step rounds.
- scikit-learn has a branch for missing values (NaN). Features are finite, so it is never taken.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ilpix.arrays import FloatArray
from ilpix.forest.errors import OneClassError
from ilpix.forest.stored import LEAF, Forest

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

TREES = 100  # as Ilastik
# Ilastik evaluates the forests of a project side by side and takes any number of them.
_STORED_FORESTS = 4
_FULL_RANGE = 100  # exponent of two of each column's largest magnitude while trees grow

LabelArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class GrownForest:
    """A forest with what is known only while it grows."""

    forest: Forest
    drawn: tuple[NDArray[np.int32], ...]  # for each tree the rows it saw, drawn with replacement
    importances: NDArray[np.float64]  # (F,) share of each column in the decrease of impurity
    is_whole: bool = True  # whether no further trees follow


def grow_forest(
    features: FloatArray,
    labels: LabelArray,
    seed: int,
    *,
    n_trees: int = TREES,
    threads: int | None = None,
) -> GrownForest:
    """Grow a forest; the same input and seed give the same forest for any number of threads.

    Args:
        features: (P, F) finite float32, one row per labelled pixel. Not modified.
        labels: (P,) label values from 1, P >= 1. What does not occur is absent from the forest.
        seed: from 0 to 2^32 - 1.
        n_trees: at least 1.
        threads: None for all cores.

    Raises:
        OneClassError: if there is no second label value.
    """
    if np.all(labels == labels[0]):
        raise OneClassError(int(labels[0]))
    exponents = _exponents_to_full_range(features)
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - a second to import

    trees = RandomForestClassifier(
        n_trees,
        max_features=_columns_per_split(features.shape[1]),
        random_state=seed,
        n_jobs=-1 if threads is None else threads,
    )
    # scikit-learn's threads edit the warning filters of the process while others of them read and
    # restore them: without this they end up different, and every tree may warn
    with warnings.catch_warnings(record=True):
        trees.fit(np.ldexp(features, exponents, order="F"), labels)
        importances = trees.feature_importances_
    return GrownForest(
        forest=convert_trees(trees, exponents),
        drawn=tuple(rows.astype(np.int32) for rows in trees.estimators_samples_),
        importances=importances,
    )


def grow_in_parts(
    features: FloatArray,
    labels: LabelArray,
    seed: int,
    *,
    go_on: Callable[[], None] = lambda: None,
) -> Iterator[GrownForest]:
    """Yield forests of more and more trees, the whole one last; arguments as `grow_forest`.

    Args:
        features: as there.
        labels: as there.
        seed: as there.
        go_on: asked before each part; what it raises ends the growing.
    """
    go_on()
    yield grow_forest(features, labels, seed)


def mean_votes(forest: Forest, features: FloatArray) -> NDArray[np.float64]:
    """Return (P, K) the mean votes of the leaves that the samples, rows of (P, F), reach."""
    votes = np.zeros((len(features), len(forest.labels)))
    for root in forest.roots:
        votes += forest.votes[_leaves(forest, features, root)]
    return votes / len(forest.roots)


def convert_trees(trees: "RandomForestClassifier", exponents: NDArray[np.int32]) -> Forest:
    """Return the forest that decides every finite float32 sample as the trees of scikit-learn do.

    Args:
        trees: fitted, with label values as classes.
        exponents: (F,) the powers of two by which the columns were multiplied for the trees; the
            forest takes the columns as they were before.
    """
    estimators = trees.estimators_
    sizes = [estimator.tree_.node_count for estimator in estimators]
    roots = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
    nodes = [
        _convert_nodes(estimator, exponents, int(root))
        for estimator, root in zip(estimators, roots, strict=True)
    ]
    feature, threshold, left, right, votes = (
        np.concatenate(column) for column in zip(*nodes, strict=True)
    )
    return Forest(
        feature=feature,
        threshold=threshold,
        left=left,
        right=right,
        votes=votes,
        roots=roots,
        n_columns=trees.n_features_in_,
        labels=tuple(int(label) for label in trees.classes_),
        trees_per_forest=_spread_over_forests(len(estimators)),
    )


def stored_threshold(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `s` such that `x < s` decides every float32 `x` as `x <= threshold` does."""
    return np.nextafter(threshold, np.inf)


def _leaves(forest: Forest, features: FloatArray, root: np.int32) -> NDArray[np.int32]:
    """All samples walk down one tree, a level at a time; (P,) nodes."""
    nodes = np.full(len(features), root)
    walking = np.flatnonzero(forest.feature[nodes] != LEAF)
    while len(walking):
        node = nodes[walking]
        goes_left = features[walking, forest.feature[node]] < forest.threshold[node]
        nodes[walking] = np.where(goes_left, forest.left[node], forest.right[node])
        walking = walking[forest.feature[nodes[walking]] != LEAF]
    return nodes


def _convert_nodes(
    estimator: "DecisionTreeClassifier", exponents: NDArray[np.int32], root: int
) -> tuple[NDArray[np.generic], ...]:
    tree = estimator.tree_
    is_leaf = tree.children_left == tree.children_right  # both say "no child" in a leaf
    column = np.where(is_leaf, 0, tree.feature)
    threshold = stored_threshold(np.ldexp(tree.threshold, -exponents[column]))
    return (
        np.where(is_leaf, LEAF, tree.feature).astype(np.int32),
        np.where(is_leaf, 0.0, threshold),
        np.where(is_leaf, 0, tree.children_left + root).astype(np.int32),
        np.where(is_leaf, 0, tree.children_right + root).astype(np.int32),
        np.where(is_leaf[:, np.newaxis], tree.value[:, 0, :], 0.0),
    )


def _exponents_to_full_range(features: FloatArray) -> NDArray[np.int32]:
    """Powers of two that bring each column's largest magnitude to about 2^100; never below 2^0."""
    _, exponents = np.frexp(np.abs(features).max(axis=0))
    return np.maximum(_FULL_RANGE - np.asarray(exponents, np.int32), np.int32(0))


def _columns_per_split(n_columns: int) -> int:
    """Ilastik's stored `actual_mtry_`: 6 of 32 columns, 13 of 168, 14 of 196."""
    return int(np.sqrt(n_columns) + 0.5)


def _spread_over_forests(n_trees: int) -> tuple[int, ...]:
    parts = np.array_split(np.arange(n_trees), min(_STORED_FORESTS, n_trees))
    return tuple(len(part) for part in parts)
