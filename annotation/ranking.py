"""Where the next label would help most: how uncertain a forest is in each crop.

Of every crop the same few hundred pixels on a grid are judged again and again, so that this costs
little however many crops there are. Uncertain is a pixel whose two best classes are close.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.features.planes import Places
from ilpix.forest.stored import Forest
from ilpix.forest.voting import predict_samples

GRID = 20  # points along each axis of a crop, or as many as it has pixels
_AROUND = 1  # neighbours of a grid point that count with it


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How uncertain a forest is in one crop."""

    mean: float  # 0: sure everywhere; 1: two classes equally probable everywhere
    y: int  # centre of the most uncertain region, px
    x: int


def grid_places(size: tuple[int, int]) -> Places:
    """Return the pixels of a crop that are judged, counted row by row; the grid is regular."""
    rows, columns = (_spread(n) for n in size)
    return np.add.outer(rows * size[1], columns).ravel()


def rank(forest: Forest, features: FloatArray, size: tuple[int, int]) -> Uncertainty:
    """Judge a crop.

    Args:
        forest: over F columns.
        features: (P, F) of the pixels that `grid_places` names.
        size: rows and columns of the crop.
    """
    rows, columns = (_spread(n) for n in size)
    votes = np.sort(predict_samples(forest, features), axis=1)
    doubt = (1 - votes[:, -1] + votes[:, -2]).reshape(len(rows), len(columns))
    y, x = np.unravel_index(_smooth(doubt).argmax(), doubt.shape)
    return Uncertainty(float(doubt.mean()), int(rows[y]), int(columns[x]))


def _spread(n: int) -> Places:
    points = min(n, GRID)
    return np.asarray((np.arange(points) + 0.5) * n / points, np.int64)


def _smooth(doubt: FloatArray) -> npt.NDArray[np.float64]:
    padded = np.pad(doubt.astype(np.float64), _AROUND, mode="edge")
    edge = 2 * _AROUND + 1
    around = np.lib.stride_tricks.sliding_window_view(padded, (edge, edge))
    return np.asarray(around.mean(axis=(2, 3)))
