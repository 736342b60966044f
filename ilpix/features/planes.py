"""The features of a whole image kept in memory, in the layout that forests read."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.features.computing import fitting_pixels
from ilpix.features.filters import build_filters
from ilpix.features.selection import FeatureSelection
from ilpix.features.tiles import TileSize, Window, Workspace, plan_tiles

Places = npt.NDArray[np.int64]  # pixels, by row and column or counted row by row

BAND_ROWS = 128
_ALIGNED_PX = 16  # rows and columns of a band are a multiple of this


@dataclass(frozen=True, slots=True, eq=False)
class FeaturePlanes:
    """F features of an image, band by band from top to bottom."""

    shape: tuple[int, int]  # rows and columns of the image
    bands: tuple[FloatArray, ...]  # (F, rows, columns) each, aligned; what lies beyond is not used

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(band.nbytes for band in self.bands)

    def at(self, positions: Places) -> FloatArray:
        """Return the features of some pixels.

        Args:
            positions: (P, 2) rows and columns.

        Returns:
            (P, F).
        """
        values = np.empty((len(positions), len(self.bands[0])), np.float32)
        band_of, row = np.divmod(positions[:, 0], BAND_ROWS)
        for index in np.unique(band_of):
            inside = np.flatnonzero(band_of == index)
            values[inside] = self.bands[index][:, row[inside], positions[inside, 1]].T
        return values


def planes_bytes(shape: tuple[int, ...], selection: FeatureSelection) -> int:
    """Return how many bytes the features of an image of `shape` (C, Y, X) take in memory."""
    n_channels, height, width = shape
    n_columns = len(selection.columns(n_channels))
    return 4 * n_columns * _aligned(height) * _aligned(width)


def compute_planes(
    image: npt.NDArray[Any],
    selection: FeatureSelection,
    threads: int,
    go_on: Callable[[], None] = lambda: None,
) -> FeaturePlanes:
    """Compute all features of an image.

    Args:
        image: (C, Y, X), any number type; computed in float32.
        selection: which features.
        threads: how many bands are computed at a time; does not change a value.
        go_on: called before each band; what it raises ends the call.

    Raises:
        ImageTooSmallError: if a selected scale needs a larger image.
        NotFiniteError: if a pixel is NaN or infinite.
    """
    pixels = fitting_pixels(image, selection)
    n_channels, height, width = pixels.shape
    filters = build_filters(selection.columns(n_channels), n_channels)
    size = TileSize(rows=BAND_ROWS).within(height, width)

    def compute(first: int) -> FloatArray:
        go_on()
        rows = range(first, min(first + BAND_ROWS, height))
        shape = (filters.n_columns, _aligned(len(rows)), _aligned(width))
        band = np.empty(shape, np.float32)
        workspace = Workspace(filters, size)
        for tile in plan_tiles(rows, width, size):
            for part, features in workspace.parts(Window.whole(pixels), tile):
                band[:, *part.slices(first)] = features[:, : part.height, : part.width]
        return band

    bands = _in_threads(compute, range(0, height, BAND_ROWS), threads)
    return FeaturePlanes((height, width), tuple(bands))


def _in_threads(
    compute: Callable[[int], FloatArray], firsts: Sequence[int], threads: int
) -> list[FloatArray]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(compute, firsts))


def _aligned(n: int) -> int:
    return -(-n // _ALIGNED_PX) * _ALIGNED_PX
