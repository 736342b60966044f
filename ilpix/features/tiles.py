"""Features of one tile of an image at a time, in a workspace that one thread uses again and again.

A tile is pre-smoothed once, at every scale, with all the halo that needs. The filters then follow
part by part of a few rows and columns, so that the values of all features stay in the cache until
the forest has read them. Every pixel's values are the same whatever tile and part it lies in.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ilpix._vectors import WIDTH
from ilpix.arrays import FloatArray
from ilpix.features import _kernels as kernels
from ilpix.features.filters import Filters

_LINE_BYTES = 64  # of the cache


@dataclass(frozen=True, slots=True)
class TileSize:
    """How large tiles and their parts are, in px; no value of it changes a result."""

    rows: int = 128
    columns: int = 240
    part_rows: int = 16
    part_columns: int = 48  # rounded up to a multiple of WIDTH

    def __post_init__(self) -> None:
        if min(self.rows, self.columns, self.part_rows, self.part_columns) < 1:
            raise ValueError(f"tiles and parts have at least one row and column, got {self}")

    def within(self, height: int, width: int) -> "TileSize":
        """Return the size for an image of `height` × `width` px, which may be less than a tile."""
        return replace(self, rows=min(self.rows, height), columns=min(self.columns, width))


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image, in pixels of that image."""

    y: int  # first row
    x: int  # first column
    height: int
    width: int

    def slices(self, first_row: int = 0) -> tuple[slice, slice]:
        """Return its rows, counted from `first_row` on, and its columns."""
        top = self.y - first_row
        return slice(top, top + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A part of an image that is in memory."""

    pixels: FloatArray  # (C, rows, columns)
    first_row: int  # row of the image that is the first here
    height: int  # of the image
    first_column: int
    width: int  # of the image

    @classmethod
    def whole(cls, image: FloatArray) -> "Window":
        """Make the window that shows all of an image (C, Y, X)."""
        return cls(image, 0, image.shape[1], 0, image.shape[2])

    def rows(self, first: int, n: int) -> npt.NDArray[np.int32]:
        """Return where n rows of the image from `first` on lie here, mirrored at its edges.

        What no value needs may lie outside; the nearest row stands for it.
        """
        place = mirrored(first, n, self.height) - self.first_row
        return np.clip(place, 0, self.pixels.shape[1] - 1).astype(np.int32)

    def columns(self, first: int, n: int) -> npt.NDArray[np.int32]:
        """Return the same of columns."""
        place = mirrored(first, n, self.width) - self.first_column
        return np.clip(place, 0, self.pixels.shape[2] - 1).astype(np.int32)


def plan_tiles(rows: range, width: int, size: TileSize) -> list[Tile]:
    """Cut `rows` of an image of `width` px into tiles, from top left to bottom right."""
    return _cut(Tile(rows.start, 0, len(rows), width), size.rows, size.columns)


def _cut(area: Tile, n_rows: int, n_columns: int) -> list[Tile]:
    bottom, right = area.y + area.height, area.x + area.width
    return [
        Tile(y, x, min(n_rows, bottom - y), min(n_columns, right - x))
        for y in range(area.y, bottom, n_rows)
        for x in range(area.x, right, n_columns)
    ]


class Workspace:
    """The buffers of one thread."""

    def __init__(self, filters: Filters, size: TileSize) -> None:
        self._filters, self._size = filters, size
        n_scales, reach = len(filters.radii), filters.reach
        n_rows, n_columns = _plane_shape(size.rows, size.columns)
        part_columns = _round_up(size.part_columns, WIDTH)
        # WIDTH columns more, since rows as long as a power of two share their places in the cache
        self._tile = _zeros((n_rows + 2 * reach, n_columns + 2 * reach + WIDTH))
        self._passed = _zeros((n_rows + 2 * reach, n_columns + WIDTH))
        self._planes = _zeros((filters.n_channels, n_scales, n_rows, n_columns + WIDTH))
        self._products = _zeros((3, size.part_rows + 4, part_columns + WIDTH))
        self._features = _zeros((filters.n_columns, _round_up(size.part_rows, 8), part_columns))

    def parts(self, window: Window, tile: Tile) -> Iterator[tuple[Tile, FloatArray]]:
        """Compute the features of a tile, part by part.

        Yields:
            A part, in pixels of the image, and its features (F, rows, columns) float32; rows are
            rounded up to a multiple of 8, columns to one of WIDTH, what lies beyond the part is not
            used, and the next part overwrites all.
        """
        self._smooth(window, tile)
        n_rows, n_columns = self._planes.shape[2:]
        signs_y = _signs(tile.y - kernels.MARGIN, n_rows, window.height)
        signs_x = _signs(tile.x - kernels.MARGIN, n_columns, window.width)
        for part in _cut(tile, self._size.part_rows, _round_up(self._size.part_columns, WIDTH)):
            kernels.filter_part(
                self._planes,
                self._filters.kernels,
                self._filters.outputs,
                part.y - tile.y,
                part.x - tile.x,
                part.height,
                _round_up(part.width, WIDTH),
                signs_y,
                signs_x[np.newaxis],
                self._products,
                self._features,
            )
            yield part, self._features

    def _smooth(self, window: Window, tile: Tile) -> None:
        filters = self._filters
        n_rows, n_columns = _plane_shape(tile.height, tile.width)
        inset = filters.reach + kernels.MARGIN
        kernels.smooth_tile(
            window.pixels,
            window.rows(tile.y - inset, n_rows + 2 * filters.reach),
            window.columns(tile.x - inset, n_columns + 2 * filters.reach),
            filters.smoothing,
            filters.radii,
            filters.outputs,
            n_rows,
            n_columns,
            self._tile,
            self._passed,
            self._planes,
        )


def _zeros(shape: tuple[int, ...]) -> FloatArray:
    """Return an array that begins where a line of the cache does."""
    n_bytes = 4 * math.prod(shape)
    room = np.zeros(n_bytes + _LINE_BYTES, np.uint8)
    first = -room.ctypes.data % _LINE_BYTES
    return room[first : first + n_bytes].view(np.float32).reshape(shape)


def _plane_shape(height: int, width: int) -> tuple[int, int]:
    """Return the rows and columns of the pre-smoothed planes of a tile, with what filters need."""
    n_rows = _round_up(height + 2 * kernels.MARGIN, kernels.ROWS)
    return n_rows, _round_up(_round_up(width, WIDTH) + WIDTH, kernels.COLUMNS)


def mirrored(first: int, n: int, size: int) -> npt.NDArray[np.int32]:
    """Return where n positions from `first` on lie on an axis that mirrors at its edge pixels."""
    period = max(2 * (size - 1), 1)
    place = np.arange(first, first + n) % period
    return np.minimum(place, period - place if size > 1 else 0).astype(np.int32)


def _signs(first: int, n: int, size: int) -> FloatArray:
    period = max(2 * (size - 1), 1)
    place = np.arange(first, first + n) % period
    return np.where(place < size, 1, -1).astype(np.float32)


def _round_up(n: int, step: int) -> int:
    return -(-n // step) * step
