"""Which columns of Ilastik's feature bank are chosen.

Column order is feature, scale, channel, eigenvalue.
"""

import math
from dataclasses import dataclass

from ilpix.features.errors import ImageTooSmallError

FEATURE_IDS = (
    "GaussianSmoothing",
    "LaplacianOfGaussian",
    "GaussianGradientMagnitude",
    "DifferenceOfGaussians",
    "StructureTensorEigenvalues",
    "HessianOfGaussianEigenvalues",
)
SMALLEST_SCALE, LARGEST_SCALE = 0.01, 1000.0  # px; a kernel is seven times as wide as its scale
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
            raise ValueError(
                f"unknown features {', '.join(unknown)}; known are {', '.join(FEATURE_IDS)}"
            )
        if len(set(self.ids)) != len(self.ids):
            raise ValueError(f"each feature may be named once, got {', '.join(self.ids)}")
        if len(self.matrix) != len(self.ids) or any(
            len(row) != len(self.scales) for row in self.matrix
        ):
            raise ValueError(
                f"the selection needs a row for each of {len(self.ids)} features "
                f"and a column for each of {len(self.scales)} scales"
            )
        for scale in self.scales:
            if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
                raise ValueError(
                    f"a scale is a positive number of pixels, from {SMALLEST_SCALE} to "
                    f"{LARGEST_SCALE}, got {scale}"
                )
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
    """Return the choice that steinbock recommends for tissue: all features from 1 px on."""
    matrix = tuple(tuple(scale >= 1 for scale in SCALES) for _ in FEATURE_IDS)
    return FeatureSelection(FEATURE_IDS, SCALES, matrix)


def pixels_needed(scale: float) -> int:
    """Return how many pixels Ilastik asks for along each axis of an image at `scale` px."""
    return math.ceil(3.5 * scale) + 1


def _n_values(feature_id: str) -> int:
    return 2 if feature_id in _TWO_EIGENVALUES else 1
