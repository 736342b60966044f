"""Ask a forest: packed into what the compiled loops read, and nothing else."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.forest import _kernels as kernels
from ilpix.forest.stored import Forest


@dataclass(frozen=True, slots=True, eq=False)
class PackedForest:
    """T trees over F columns, voting on K classes."""

    columns: npt.NDArray[np.intp]  # (F,) which columns of the feature matrix some tree looks at
    nodes: npt.NDArray[Any]  # (N,) kernels.NODE
    roots: npt.NDArray[np.uint32]  # (T,) as a child of a node
    votes: FloatArray  # (L, K) of the leaves that vote for more than one class

    def predict(self, features: FloatArray, out: FloatArray) -> None:
        """Write the class probabilities of a part of an image.

        Args:
            features: (F, ≥ rows, ≥ columns), in the order of `columns`; rows and columns are those
                of `out` rounded up to multiples of `kernels.HEIGHT` and `kernels.WIDTH`.
            out: (rows, columns, K), overwritten.
        """
        n_leaves, n_classes = self.votes.shape
        n_nodes, n_trees = len(self.nodes), len(self.roots)
        kernels.predict(
            features,
            self.nodes,
            self.roots,
            self.votes,
            np.empty(2 * n_nodes + n_trees + 2, kernels.VISIT),
            np.empty((2, n_classes * n_trees + n_leaves), np.uint64),
            np.empty(n_trees.bit_length(), np.uint64),
            out,
        )


def predict_samples(forest: Forest, samples: FloatArray) -> FloatArray:
    """Predict pixels whose features are known; a value equal to a threshold, or NaN, goes right.

    Args:
        forest: over F columns and K classes.
        samples: (P, F).

    Returns:
        (P, K) class probabilities, in the order of `forest.labels`.
    """
    packed = pack(forest)
    height, width = kernels.HEIGHT, kernels.WIDTH
    width *= max(-(-len(samples) // (height * width)), 1)
    features = np.zeros((len(packed.columns), height * width), np.float32)
    features[:, : len(samples)] = samples.T[packed.columns]
    out = np.empty((height, width, len(forest.labels)), np.float32)
    packed.predict(features.reshape(-1, height, width), out)
    return out.reshape(height * width, -1)[: len(samples)]


def pack(forest: Forest, columns: npt.NDArray[np.intp] | None = None) -> PackedForest:
    """Pack a forest; every decision is the same as with float64 thresholds.

    Args:
        forest: over F columns.
        columns: which of them the features will have, increasing, among them all that some tree
            looks at; by default no others.
    """
    n_trees, n_classes = len(forest.roots), forest.votes.shape[1]
    tree, order = _walk(forest)
    is_inner = forest.feature >= 0
    is_mixed = ~is_inner & (forest.votes.max(axis=1) != 1)
    ballot = np.where(
        is_mixed,
        n_classes * n_trees + np.cumsum(is_mixed) - 1,
        forest.votes.argmax(axis=1) * n_trees + tree,
    )
    place = np.zeros(len(tree), np.intp)
    place[order] = np.arange(len(order))
    if columns is None:
        columns = np.unique(forest.feature[order]).astype(np.intp)
    nodes = np.zeros(len(order), kernels.NODE)
    nodes["feature"] = np.searchsorted(columns, forest.feature[order])
    nodes["threshold"] = not_below(forest.threshold[order])
    child = np.where(is_inner, place, kernels.LEAF_BIT + ballot).astype(np.uint32)
    nodes["left"], nodes["right"] = child[forest.left[order]], child[forest.right[order]]
    return PackedForest(
        columns, nodes, child[forest.roots], forest.votes[is_mixed].astype(np.float32)
    )


def _walk(forest: Forest) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32]]:
    """Return the tree of each node, and the nodes with a threshold, from all roots down.

    In this order the nodes that most pixels reach lie close to each other.
    """
    tree = np.zeros(len(forest.feature), np.intp)
    tree[forest.roots] = np.arange(len(forest.roots))
    level, levels = forest.roots, []
    while len(level):
        parents = level[forest.feature[level] >= 0]
        level = np.stack([forest.left[parents], forest.right[parents]], axis=1).ravel()
        tree[level] = np.repeat(tree[parents], 2)
        levels.append(parents)
    return tree, np.concatenate(levels)


def not_below(thresholds: npt.NDArray[np.float64]) -> FloatArray:
    """Return the smallest float32 that is not below each threshold.

    A float32 value is below the one exactly where it is below the other.
    """
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
        above = np.nextafter(nearest, np.float32(np.inf))
    return np.where(nearest < thresholds, above, nearest)
