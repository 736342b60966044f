"""A forest packed for prediction: what the compiled loops read, and nothing else."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ilpix import _forest_kernels as kernels

if TYPE_CHECKING:
    from ilpix.forest import Forest

FloatArray = npt.NDArray[np.float32]

_TREES_PER_BATCH = 20  # enough visits in flight, few enough for their masks to stay in the cache


@dataclass(frozen=True, slots=True, eq=False)
class PackedForest:
    """T trees over F columns, voting on K classes."""

    columns: npt.NDArray[np.intp]  # (F,) which columns of the feature matrix some tree looks at
    nodes: npt.NDArray[Any]  # (N,) kernels.NODE
    roots: npt.NDArray[np.int32]  # (T,) as a child of a node
    batches: npt.NDArray[np.int32]  # (B + 1,) trees that are followed together
    votes: FloatArray  # (L, K) of the leaves that vote for more than one class
    longest_batch: int  # nodes and trees

    def predict(self, features: FloatArray, width: int, out: FloatArray) -> None:
        """Write the class probabilities of a block of pixels.

        Args:
            features: (F, rows, columns), in the order of `columns`; rows and columns are those of
                `out`
                rounded up to a multiple of `kernels.SIDE`.
            width: pixels of each row.
            out: (rows, width, K), overwritten.
        """
        n_leaves, n_classes = self.votes.shape
        kernels.predict(
            features,
            width,
            self.nodes,
            self.roots,
            self.batches,
            self.votes,
            np.empty((len(self.columns), kernels.LANES), np.float32),
            np.empty(1 + len(self.roots) * n_classes + n_leaves, np.uint64),
            np.empty(len(self.roots).bit_length(), np.uint64),
            np.empty((2, 2 * self.longest_batch), np.int32),
            np.empty((2, 2 * self.longest_batch), np.uint64),
            out,
        )


def pack(forest: "Forest") -> PackedForest:
    """Pack a forest; every decision is the same as with float64 thresholds."""
    n_trees, n_classes = len(forest.roots), forest.votes.shape[1]
    tree = _tree_of_node(forest)
    is_inner = forest.feature >= 0
    is_mixed = ~is_inner & (forest.votes.max(axis=1) != 1)
    ballot = np.where(
        is_mixed,
        n_trees * n_classes + np.cumsum(is_mixed),
        1 + tree * n_classes + forest.votes.argmax(axis=1),
    )
    order = np.flatnonzero(is_inner)[np.argsort(tree[is_inner], kind="stable")]
    place = np.full(len(tree), -1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    columns = np.unique(forest.feature[order]).astype(np.intp)
    nodes = np.zeros(len(order), kernels.NODE)
    nodes["feature"] = np.searchsorted(columns, forest.feature[order])
    nodes["threshold"] = not_below(forest.threshold[order])
    child = np.where(is_inner, place, -ballot).astype(np.int32)
    nodes["left"], nodes["right"] = child[forest.left[order]], child[forest.right[order]]
    batches = np.array([*range(0, n_trees, _TREES_PER_BATCH), n_trees], np.int32)
    sizes = np.add.reduceat(np.bincount(tree[order], minlength=n_trees), batches[:-1])
    return PackedForest(
        columns,
        nodes,
        child[forest.roots],
        batches,
        forest.votes[is_mixed].astype(np.float32),
        int(sizes.max()) + _TREES_PER_BATCH,
    )


def _tree_of_node(forest: "Forest") -> npt.NDArray[np.intp]:
    tree = np.zeros(len(forest.feature), np.intp)
    tree[forest.roots] = np.arange(len(forest.roots))
    parents = forest.roots
    while len(parents):
        parents = parents[forest.feature[parents] >= 0]
        for child in (forest.left, forest.right):
            tree[child[parents]] = tree[parents]
        parents = np.concatenate([forest.left[parents], forest.right[parents]])
    return tree


def not_below(thresholds: npt.NDArray[np.float64]) -> FloatArray:
    """Return the smallest float32 that is not below each threshold.

    A float32 value is below the one exactly where it is below the other.
    """
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
        above = np.nextafter(nearest, np.float32(np.inf))
    return np.where(nearest < thresholds, above, nearest)
