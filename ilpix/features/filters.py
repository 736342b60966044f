"""The kernels of the feature bank, and where the value of each wanted column is computed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ilpix.arrays import FloatArray
from ilpix.features import _kernels as kernels
from ilpix.features.selection import FeatureColumn

_PRE_SMOOTHING_RATIO = 3.5  # radius of a kernel per σ
_FILTER_RATIO = 2.0
_LARGEST_FILTER = 1.0  # px; larger scales are reached by pre-smoothing
_TENSOR_RATIO = 0.5  # of the scale at which the structure tensor takes derivatives
_NARROW_RATIO = 0.66  # of the narrower Gaussian of a difference

_VALUES = {
    "GaussianSmoothing": kernels.SMOOTHED,
    "LaplacianOfGaussian": kernels.LAPLACIAN,
    "GaussianGradientMagnitude": kernels.GRADIENT,
    "DifferenceOfGaussians": kernels.DIFFERENCE,
    "StructureTensorEigenvalues": kernels.TENSOR,
    "HessianOfGaussianEigenvalues": kernels.HESSIAN,
}


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """What computes F columns of C channels at S scales; taps from the centre outwards."""

    n_channels: int
    n_columns: int  # F
    smoothing: FloatArray  # (S, ·) of the pre-smoothing
    radii: npt.NDArray[np.int32]  # (S,) of the pre-smoothing, px
    kernels: FloatArray  # (S, N_KERNELS, 3) of the filters
    outputs: npt.NDArray[np.int32]  # (C, S, N_VALUES) column; negative: not needed

    @property
    def reach(self) -> int:
        """How far the pre-smoothing looks, px."""
        return int(self.radii.max(initial=0))

    @property
    def halo(self) -> int:
        """How far a value looks in all, px."""
        return self.reach + kernels.MARGIN


def build_filters(columns: Sequence[FeatureColumn], n_channels: int) -> Filters:
    """Plan the computation of `columns`, in their order, each of them once."""
    scales = sorted({column.scale for column in columns})
    outputs = np.full((n_channels, len(scales), kernels.N_VALUES), -1, np.int32)
    for index, column in enumerate(columns):
        value = _VALUES[column.feature_id] + column.eigenvalue
        outputs[column.channel, scales.index(column.scale), value] = index
    smoothing = [_pre_smoothing(scale) for scale in scales]
    radii = np.array([len(taps) - 1 for taps in smoothing], np.int32)
    return Filters(
        n_channels,
        len(columns),
        np.array([_padded(taps, radii.max() + 1) for taps in smoothing], np.float32, ndmin=2),
        radii,
        np.array([_filter_taps(scale) for scale in scales], np.float32, ndmin=3),
        outputs,
    )


def gaussian_taps(sigma: float, order: int, ratio: float) -> FloatArray:
    """Return the right half of a Gaussian kernel or of its derivative, from the centre outwards.

    Order 0 sums to 1 over the whole kernel, order 1 answers 1 to a ramp, order 2 answers 1 to x²/2
    and 0 to a constant. The radius is `ratio` · `sigma`, rounded. As in Ilastik's filters the
    function's values are rounded to float32 before they are normalised: without that some taps
    differ in their last bit.
    """
    radius = math.floor(ratio * sigma + 0.5)
    x = np.arange(radius + 1)
    polynomial = (1, x, x**2 / sigma**2 - 1)[order]
    density = np.exp(-(x**2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
    taps = (polynomial * density).astype(np.float32).astype(np.float64)
    if order == 2:
        taps -= (taps[0] + 2 * taps[1:].sum()) / (2 * radius + 1)
    if order == 0:
        taps /= taps[0] + 2 * taps[1:].sum()
    else:
        taps /= 2 * (taps * x**order).sum() / order
    return taps.astype(np.float32)


def _pre_smoothing(scale: float) -> FloatArray:
    sigma = math.sqrt(scale**2 - 1) if scale > 1 else scale
    return gaussian_taps(sigma, 0, _PRE_SMOOTHING_RATIO)


def _filter_taps(scale: float) -> FloatArray:
    sigma = min(scale, _LARGEST_FILTER)
    taps = np.zeros((kernels.N_KERNELS, 3), np.float32)
    for kernel, sigma_px, order in (
        (kernels.ORDER_0, sigma, 0),
        (kernels.ORDER_1, sigma, 1),
        (kernels.ORDER_2, sigma, 2),
        (kernels.NARROW, _NARROW_RATIO * sigma, 0),
        (kernels.TENSOR_0, _TENSOR_RATIO * sigma, 0),
        (kernels.TENSOR_1, _TENSOR_RATIO * sigma, 1),
    ):
        if math.floor(_FILTER_RATIO * sigma_px + 0.5) >= order / 2:
            taps[kernel] = _padded(gaussian_taps(sigma_px, order, _FILTER_RATIO), 3)
    return taps


def _padded(taps: FloatArray, n: int) -> FloatArray:
    return np.pad(taps, (0, n - len(taps)))
