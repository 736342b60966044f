"""A forest packed for prediction: what the compiled loops read, and nothing else."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ilpix import _forest_kernels as kernels

if TYPE_CHECKING:
    from ilpix.forest import Forest

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PackedForest:
    """T trees over F columns, voting on K classes."""

    columns: npt.NDArray[np.intp]  # (F,) which columns of the feature matrix some tree looks at
    nodes: npt.NDArray[Any]  # (N,) kernels.NODE
    roots: npt.NDArray[np.int32]  # (T,)
    votes: FloatArray  # (L, K) class probabilities of the leaves

    def predict(self, features: FloatArray, width: int, out: FloatArray) -> None:
        """Write the class probabilities of a block of pixels.

        Args:
            features: (F, rows, ≥ width), the columns in the order of `columns`.
            width: pixels of each row.
            out: (rows, width, K), overwritten.
        """
        kernels.predict(features, width, self.nodes, self.roots, self.votes, out)


def pack(forest: "Forest") -> PackedForest:
    """Pack a forest; every prediction is the same as with float64 thresholds."""
    is_inner = forest.feature >= 0
    columns = np.unique(forest.feature[is_inner]).astype(np.intp)
    nodes = np.zeros(len(forest.feature), kernels.NODE)
    nodes["feature"] = np.where(is_inner, np.searchsorted(columns, forest.feature), kernels.LEAF)
    nodes["threshold"] = not_below(forest.threshold)
    nodes["left"] = np.where(is_inner, forest.left, np.cumsum(~is_inner) - 1)
    nodes["right"] = forest.right
    return PackedForest(columns, nodes, forest.roots, forest.votes[~is_inner].astype(np.float32))


def not_below(thresholds: npt.NDArray[np.float64]) -> FloatArray:
    """Return the smallest float32 that is not below each threshold.

    A float32 value is below the one exactly where it is below the other.
    """
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
    return np.where(nearest < thresholds, np.nextafter(nearest, np.float32(np.inf)), nearest)
