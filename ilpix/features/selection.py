"""Ilastik's feature bank: which columns there are, and their values.

Every channel is filtered on its own, in two steps per scale: pre-smoothing, then the filter at no
more than 1 px. Column order is feature, scale, channel, eigenvalue. Borders mirror without
repeating the edge pixel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ilpix.features.errors import ImageTooSmallError, NotFiniteError
from ilpix.features.filters import build_filters
from ilpix.features.tiles import TileSize, Window, Workspace, plan_tiles

FloatArray = npt.NDArray[np.float32]

FEATURE_IDS = (
    "GaussianSmoothing",
    "LaplacianOfGaussian",
    "GaussianGradientMagnitude",
    "DifferenceOfGaussians",
    "StructureTensorEigenvalues",
    "HessianOfGaussianEigenvalues",
)
SCALES = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)  # px, Ilastik's own choice

_TITLES = {
    "GaussianSmoothing": "Gaussian Smoothing",
    "LaplacianOfGaussian": "Laplacian of Gaussian",
    "GaussianGradientMagnitude": "Gaussian Gradient Magnitude",
    "DifferenceOfGaussians": "Difference of Gaussians",
    "StructureTensorEigenvalues": "Structure Tensor Eigenvalues",
    "HessianOfGaussianEigenvalues": "Hessian of Gaussian Eigenvalues",
}
_TWO_EIGENVALUES = frozenset({"StructureTensorEigenvalues", "HessianOfGaussianEigenvalues"})
# Below these a derivative kernel has one tap and no derivative; the smoothings work at any scale.
_SMALLEST_SCALES = {
    "LaplacianOfGaussian": 0.25,
    "GaussianGradientMagnitude": 0.25,
    "StructureTensorEigenvalues": 0.5,
    "HessianOfGaussianEigenvalues": 0.25,
}


@dataclass(frozen=True, slots=True, order=True)
class FeatureColumn:
    """One column of the feature matrix."""

    feature_id: str
    scale: float  # px
    channel: int
    eigenvalue: int  # 0 the larger, 1 the smaller; 0 where the feature has one value


@dataclass(frozen=True, slots=True)
class FeatureSelection:
    """Which features are computed at which scales.

    Raises:
        ValueError: if the matrix does not fit, a name is unknown, or a scale is unusable.
    """

    ids: tuple[str, ...]
    scales: tuple[float, ...]  # px
    matrix: tuple[tuple[bool, ...], ...]  # feature × scale

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.ids) - set(FEATURE_IDS)):
            raise ValueError(f"unknown features {unknown}; known are {list(FEATURE_IDS)}")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"each feature may be named once, got {list(self.ids)}")
        if len(self.matrix) != len(self.ids) or any(
            len(row) != len(self.scales) for row in self.matrix
        ):
            raise ValueError(
                f"the selection needs a row for each of {len(self.ids)} features "
                f"and a column for each of {len(self.scales)} scales"
            )
        for scale in self.scales:
            if not (math.isfinite(scale) and scale > 0):
                raise ValueError(f"a scale is a positive number of pixels, got {scale}")
        for feature_id, scale in self.chosen:
            if scale < _SMALLEST_SCALES.get(feature_id, 0.0):
                raise ValueError(
                    f"{feature_id} needs a scale of at least {_SMALLEST_SCALES[feature_id]} px, "
                    f"got {scale}"
                )

    @property
    def chosen(self) -> tuple[tuple[str, float], ...]:
        """The (feature, scale) pairs that are selected, in column order."""
        return tuple(
            (feature_id, scale)
            for feature_id, row in zip(self.ids, self.matrix, strict=True)
            for scale, is_chosen in zip(self.scales, row, strict=True)
            if is_chosen
        )

    def columns(self, n_channels: int) -> tuple[FeatureColumn, ...]:
        """Name every column for an image of `n_channels` channels, in Ilastik's order."""
        return tuple(
            FeatureColumn(feature_id, scale, channel, eigenvalue)
            for feature_id, scale in self.chosen
            for channel in range(n_channels)
            for eigenvalue in range(_n_values(feature_id))
        )

    def names(self, n_channels: int) -> tuple[str, ...]:
        """Name every column as Ilastik stores it beside a classifier."""
        names: list[str] = []
        for feature_id, scale in self.chosen:
            name = f"{_TITLES[feature_id]} (σ={float(scale)}) in 2D"
            n_columns = n_channels * _n_values(feature_id)
            names += (
                [name] if n_columns == 1 else [f"{name} [{index}]" for index in range(n_columns)]
            )
        return tuple(names)

    def smallest_size(self) -> int:
        """Pixels that an image needs along x and along y; 1 where nothing is selected."""
        return max((pixels_needed(scale) for _, scale in self.chosen), default=1)

    def require_size(self, height: int, width: int) -> None:
        """Refuse an image that is too small for a selected scale, as Ilastik does.

        Raises:
            ImageTooSmallError: naming the largest selected scale.
        """
        if min(height, width) < self.smallest_size():
            scale = max(scale for _, scale in self.chosen)
            raise ImageTooSmallError(height, width, scale, pixels_needed(scale))


def default_selection() -> FeatureSelection:
    """Return the choice that suits most tissue: all features from 1 px on, and every smoothing."""
    matrix = tuple(
        tuple(feature_id == "GaussianSmoothing" or scale >= 1 for scale in SCALES)
        for feature_id in FEATURE_IDS
    )
    return FeatureSelection(FEATURE_IDS, SCALES, matrix)


def pixels_needed(scale: float) -> int:
    """Return how many pixels Ilastik asks for along each axis of an image at `scale` px."""
    return math.ceil(3.5 * scale) + 1


def _n_values(feature_id: str) -> int:
    return 2 if feature_id in _TWO_EIGENVALUES else 1


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
    pixels = np.ascontiguousarray(image, np.float32)
    n_channels, height, width = pixels.shape
    selection.require_size(height, width)
    require_finite(pixels)
    y, x = np.nonzero(where) if where.dtype == np.bool_ else where.T
    columns = selection.columns(n_channels) if columns is None else columns
    values = np.empty((len(y), len(columns)), np.float32)
    size = TileSize()
    workspace = Workspace(build_filters(columns, n_channels), size)
    window = Window(pixels, 0, height)
    for tile in plan_tiles(range(height), width, size):
        inside = np.flatnonzero(
            (y >= tile.y) & (y < tile.y + tile.height) & (x >= tile.x) & (x < tile.x + tile.width)
        )
        if not len(inside):
            continue
        for first, n_rows, features in workspace.bands(window, tile):
            row = y[inside] - tile.y - first
            in_band = (row >= 0) & (row < n_rows)
            chosen = inside[in_band]
            values[chosen] = features[:, row[in_band], x[chosen] - tile.x].T
    return values


def require_finite(pixels: FloatArray, first_row: int = 0) -> None:
    """Refuse pixels (C, Y, X) that are NaN or infinite; in the image they begin at `first_row`.

    Raises:
        NotFiniteError: naming the first of them.
    """
    if not np.isfinite(pixels).all():
        channel, row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(pixels)))
        raise NotFiniteError(channel, row + first_row, column)
