"""The values of the feature bank for an image.

Every channel is filtered on its own, in two steps per scale: pre-smoothing, then the filter at no
more than 1 px. Borders mirror without repeating the edge pixel.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.features.errors import NotFiniteError
from ilpix.features.filters import build_filters
from ilpix.features.selection import FeatureColumn, FeatureSelection
from ilpix.features.tiles import Tile, TileSize, Window, Workspace, plan_tiles


def compute_features(
    image: npt.NDArray[Any],
    selection: FeatureSelection,
    columns: Sequence[FeatureColumn] | None = None,
) -> FloatArray:
    """Compute feature columns of a whole image; all of them are in memory at once.

    Args:
        image: (C, Y, X), any number type; computed in float32.
        selection: decides how large the image has to be.
        columns: F of the selection's columns for C channels; all of them by default.

    Returns:
        (Y, X, F) float32.

    Raises:
        ImageTooSmallError: if a selected scale needs a larger image.
        NotFiniteError: if a pixel is NaN or infinite.

    Example:
        >>> with open_prepared(Path("ilastik_img/region_1.h5")) as image:
        ...     compute_features(image.read(), choose_features("fast")).shape
        (220, 260, 36)
    """
    positions = np.ones(image.shape[1:], np.bool_)
    values = features_at(image, selection, positions, columns)
    return values.reshape(*image.shape[1:], -1)


def features_at(
    image: npt.NDArray[Any],
    selection: FeatureSelection,
    where: npt.NDArray[Any],
    columns: Sequence[FeatureColumn] | None = None,
) -> FloatArray:
    """Compute feature columns at some pixels; only tiles that hold one are computed.

    Args:
        image: (C, Y, X), any number type; computed in float32.
        selection: decides how large the image has to be.
        where: (Y, X) bool, or (P, 2) integer rows and columns.
        columns: F of the selection's columns for C channels; all of them by default.

    Returns:
        (P, F) float32, in the order of `where`; row by row for a mask.

    Raises:
        ImageTooSmallError: if a selected scale needs a larger image.
        NotFiniteError: if a pixel is NaN or infinite.
    """
    pixels = fitting_pixels(image, selection)
    n_channels, height, width = pixels.shape
    y, x = np.nonzero(where) if where.dtype == np.bool_ else where.T
    columns = selection.columns(n_channels) if columns is None else columns
    values = np.empty((len(y), len(columns)), np.float32)
    size = TileSize().within(height, width)
    workspace = Workspace(build_filters(columns, n_channels), size)
    window = Window.whole(pixels)
    for tile in plan_tiles(range(height), width, size):
        inside = np.flatnonzero(_lies_in(tile, y, x))
        if not len(inside):
            continue
        for part, features in workspace.parts(window, tile):
            chosen = inside[_lies_in(part, y[inside], x[inside])]
            values[chosen] = features[:, y[chosen] - part.y, x[chosen] - part.x].T
    return values


def _lies_in(tile: Tile, y: npt.NDArray[Any], x: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    below, right = tile.y + tile.height, tile.x + tile.width
    return (y >= tile.y) & (y < below) & (x >= tile.x) & (x < right)


def fitting_pixels(image: npt.NDArray[Any], selection: FeatureSelection) -> FloatArray:
    """Return an image (C, Y, X) as contiguous float32, ready for the filters.

    Raises:
        ImageTooSmallError: if a selected scale needs a larger image.
        NotFiniteError: if a pixel is NaN or infinite.
    """
    pixels = np.ascontiguousarray(image, np.float32)
    selection.require_size(*pixels.shape[1:])
    require_finite(pixels)
    return pixels


def require_finite(pixels: FloatArray, first_row: int = 0, first_column: int = 0) -> None:
    """Refuse pixels (C, Y, X) that are NaN or infinite; the first row and column are the image's.

    Raises:
        NotFiniteError: naming the first of them.
    """
    if not np.isfinite(pixels).all():
        channel, row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(pixels)))
        raise NotFiniteError(channel, row + first_row, column + first_column)
