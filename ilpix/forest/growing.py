"""Grow a random forest by Ilastik's rules.

Each tree sees as many pixels as there are, drawn with replacement; each split tries the square root
of the number of columns, rounded to nearest, and takes the lowest Gini impurity, half-way between
two values; trees grow until every leaf is pure. A tree is a function of the pixels, the seed and
its number alone, so trees may be grown in any order, by any number of threads.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ilpix.arrays import FloatArray
from ilpix.cores import n_cores
from ilpix.forest import _growing as kernels
from ilpix.forest.errors import OneClassError
from ilpix.forest.stored import LEAF, Forest

TREES = 100  # as Ilastik
FIRST_TREES = 25  # enough for a first answer
# Ilastik evaluates the forests of a project side by side and takes any number of them.
_STORED_FORESTS = 4
_COLUMNS_AT_ONCE = 32  # that one thread ranks

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
        n_trees: at least 1. Fewer trees are the first of more.
        threads: None for all cores.

    Raises:
        OneClassError: if there is no second label value.
    """
    *_, grown = grow_in_parts(features, labels, seed, parts=(n_trees,), threads=threads)
    return grown


def grow_in_parts(  # noqa: PLR0913 - what `grow_forest` takes, and when to stop
    features: FloatArray,
    labels: LabelArray,
    seed: int,
    *,
    parts: Sequence[int] = (FIRST_TREES, TREES),
    threads: int | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> Iterator[GrownForest]:
    """Yield forests of more and more trees, the whole one last.

    Args:
        features: as `grow_forest`.
        labels: as there.
        seed: as there.
        parts: numbers of trees, increasing.
        threads: as there.
        go_on: asked before each tree, in any thread; what it raises ends the growing.

    Raises:
        OneClassError: if there is no second label value.
    """
    if np.all(labels == labels[0]):
        raise OneClassError(int(labels[0]))
    values, classes = np.unique(labels, return_inverse=True)
    trees: list[_Tree] = []
    with ThreadPoolExecutor(threads or n_cores()) as pool:
        pixels = _rank(features, classes.astype(np.uint8), len(values), pool)
        for n in parts:
            grow = partial(_grow_tree, pixels, seed, go_on)
            trees += pool.map(grow, range(len(trees), n))
            yield _put_together(trees, pixels, tuple(map(int, values)), is_whole=n == parts[-1])


def mean_votes(forest: Forest, features: FloatArray) -> NDArray[np.float64]:
    """Return (P, K) the mean votes of the leaves that the samples, rows of (P, F), reach."""
    votes = np.zeros((len(features), len(forest.labels)))
    for root in forest.roots:
        votes += forest.votes[_leaves(forest, features, root)]
    return votes / len(forest.roots)


@dataclass(frozen=True, slots=True, eq=False)
class _Pixels:
    """P pixels of F columns, as ranks; see the kernels."""

    ranks: NDArray[np.uint32]  # (F, P)
    values: FloatArray  # (F, P) by rank
    n_ranks: NDArray[np.int64]  # (F,)
    classes: LabelArray  # (P,) below `n_classes`
    n_classes: int


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    """One tree; its first node is the root."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    votes: NDArray[np.float64]
    drawn: NDArray[np.int32]
    importances: NDArray[np.float64]  # shares; all 0 where nothing could be split


def _rank(
    features: FloatArray, classes: LabelArray, n_classes: int, pool: ThreadPoolExecutor
) -> _Pixels:
    columns = np.ascontiguousarray(features.T)
    ranks, values = np.empty(columns.shape, np.uint32), np.empty_like(columns)
    n_ranks = np.empty(len(columns), np.int64)

    def rank(first: int) -> None:
        for f in range(first, min(first + _COLUMNS_AT_ONCE, len(columns))):
            order = np.argsort(columns[f], kind="stable")
            n_ranks[f] = kernels.rank_column(columns[f], order, ranks[f], values[f])

    list(pool.map(rank, range(0, len(columns), _COLUMNS_AT_ONCE)))
    return _Pixels(ranks, values, n_ranks, classes, n_classes)


def _grow_tree(pixels: _Pixels, seed: int, go_on: Callable[[], None], number: int) -> _Tree:
    go_on()
    n_columns, n = pixels.ranks.shape
    n_nodes = 2 * n - 1
    feature, left, right = (np.empty(n_nodes, np.int32) for _ in range(3))
    threshold, votes = np.empty(n_nodes), np.empty((n_nodes, pixels.n_classes))
    drawn, importances = np.empty(n, np.int32), np.empty(n_columns)
    n_nodes = kernels.grow_tree(
        pixels.ranks,
        pixels.values,
        pixels.n_ranks,
        pixels.classes,
        columns_per_split(n_columns),
        seed,
        number,
        drawn,
        np.empty(n, np.int64),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n_columns, np.int32),
        np.empty((3, pixels.n_classes), np.int64),
        np.empty((n + 1, 3), np.int64),
        feature,
        threshold,
        left,
        right,
        votes,
        importances,
    )
    return _Tree(
        feature[:n_nodes].copy(),
        threshold[:n_nodes].copy(),
        left[:n_nodes].copy(),
        right[:n_nodes].copy(),
        votes[:n_nodes].copy(),
        drawn,
        importances / (importances.sum() or 1.0),
    )


def _put_together(
    trees: Sequence[_Tree], pixels: _Pixels, labels: tuple[int, ...], *, is_whole: bool
) -> GrownForest:
    sizes = [len(tree.feature) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
    feature = np.concatenate([tree.feature for tree in trees])
    is_inner = feature != LEAF
    offset = np.where(is_inner, np.repeat(roots, sizes), np.int32(0))
    importances = np.mean([tree.importances for tree in trees], axis=0)
    forest = Forest(
        feature=feature,
        threshold=np.concatenate([tree.threshold for tree in trees]),
        left=np.concatenate([tree.left for tree in trees]) + offset,
        right=np.concatenate([tree.right for tree in trees]) + offset,
        votes=np.concatenate([tree.votes for tree in trees]),
        roots=roots,
        n_columns=len(pixels.ranks),
        labels=labels,
        trees_per_forest=_spread_over_forests(len(trees)),
    )
    drawn = tuple(tree.drawn for tree in trees)
    return GrownForest(forest, drawn, importances / (importances.sum() or 1.0), is_whole)


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


def columns_per_split(n_columns: int) -> int:
    """Return how many columns a split tries, as Ilastik stores it: 6 of 32, 13 of 168."""
    return int(np.sqrt(n_columns) + 0.5)


def _spread_over_forests(n_trees: int) -> tuple[int, ...]:
    parts = np.array_split(np.arange(n_trees), min(_STORED_FORESTS, n_trees))
    return tuple(len(part) for part in parts)
