"""Features of one tile of an image at a time, in a workspace that one thread uses again and again.

A tile is pre-smoothed once, at every scale, with all the halo that needs. The filters then follow
band by band of a few rows, so that the values of all columns stay in the cache until the forest has
read them. Every pixel's values are the same whatever tile and band it lies in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.features import _kernels as kernels
from ilpix.features.filters import Filters

SPARE = 2 * kernels.LANES  # px beside a tile and its halo that are read and not used


@dataclass(frozen=True, slots=True)
class TileSize:
    """How large a piece is computed at once, in px; no value of it changes a result."""

    rows: int = 128
    columns: int = 240
    band_rows: int = 16

    def __post_init__(self) -> None:
        if min(self.rows, self.columns, self.band_rows) < 1:
            raise ValueError(f"a tile has at least one row, column and band row, got {self}")


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image, in pixels of that image."""

    y: int  # first row
    x: int  # first column
    height: int
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of an image that is in memory."""

    pixels: FloatArray  # (C, rows, columns)
    first_row: int  # row of the image that is the first here
    image_height: int
    first_column: int = 0
    image_width: int | None = None  # None where all columns are here


def plan_tiles(rows: range, width: int, size: TileSize) -> list[Tile]:
    """Cut `rows` of an image of `width` px into tiles, from top left to bottom right."""
    return [
        Tile(y, x, min(size.rows, rows.stop - y), min(size.columns, width - x))
        for y in range(rows.start, rows.stop, size.rows)
        for x in range(0, width, size.columns)
    ]


class Workspace:
    """The buffers of one thread."""

    def __init__(self, filters: Filters, size: TileSize) -> None:
        self._filters, self._size = filters, size
        lanes, margin = kernels.LANES, kernels.MARGIN
        n_columns = _round_up(size.columns)
        n_scales = len(filters.radii)
        halo = 2 * (filters.reach + margin)
        wide = n_columns + halo + 2 * lanes
        self._tile = np.zeros((size.rows + halo, wide), np.float32)
        self._passed = np.zeros((size.rows + halo, wide), np.float32)
        self._planes = np.zeros(
            (filters.n_channels, n_scales, size.rows + 2 * margin, n_columns + 2 * lanes),
            np.float32,
        )
        self._scratch = np.zeros(
            (kernels.N_SCRATCH, max(size.band_rows + 2 * margin, 3), n_columns + 2 * lanes),
            np.float32,
        )
        self._features = np.zeros(
            (filters.n_columns, _round_up(size.band_rows), n_columns), np.float32
        )

    def bands(self, window: Window, tile: Tile) -> Iterator[tuple[int, int, FloatArray]]:
        """Compute the features of a tile, band by band.

        Yields:
            The band's first row in the tile, its number of rows, and its features (F, ≥ rows, ≥
            width) float32, rounded up to a multiple of `kernels.LANES`; the next band overwrites
            them.
        """
        filters, margin = self._filters, kernels.MARGIN
        n_columns = _round_up(tile.width)
        height, width = window.image_height, window.image_width or window.pixels.shape[2]
        inset = filters.reach + margin
        rows = mirrored(tile.y - inset, tile.height + 2 * inset, height) - window.first_row
        n_wide = n_columns + 2 * filters.reach + kernels.LANES
        columns = mirrored(tile.x - inset, n_wide, width) - window.first_column
        kernels.smooth_tile(
            window.pixels,
            rows,
            columns,
            filters.smoothing,
            filters.radii,
            filters.outputs,
            tile.height + 2 * margin,
            n_columns + kernels.LANES,
            self._tile,
            self._passed,
            self._planes,
        )
        signs_y = _signs(tile.y - margin, tile.height + 2 * margin, height)
        signs_x = _signs(tile.x - margin, n_columns + 2 * kernels.LANES, width)
        for first in range(0, tile.height, self._size.band_rows):
            n_rows = min(self._size.band_rows, tile.height - first)
            kernels.filter_band(
                self._planes,
                filters.kernels,
                filters.outputs,
                first,
                n_rows,
                n_columns,
                signs_y,
                signs_x,
                self._scratch,
                self._features,
            )
            yield first, n_rows, self._features


def mirrored(first: int, n: int, size: int) -> npt.NDArray[np.int32]:
    """Return where n positions from `first` on lie on an axis that mirrors at its edge pixels."""
    period = max(2 * (size - 1), 1)
    place = np.arange(first, first + n) % period
    return np.minimum(place, period - place if size > 1 else 0).astype(np.int32)


def _signs(first: int, n: int, size: int) -> FloatArray:
    period = max(2 * (size - 1), 1)
    place = np.arange(first, first + n) % period
    return np.where(place < size, 1, -1).astype(np.float32)


def _round_up(n: int) -> int:
    return -(-n // kernels.LANES) * kernels.LANES
