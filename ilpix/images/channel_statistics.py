"""What the channels of an image look like: enough to tell one from another, and to compare images.

A few thousand pixels are read, in bands of rows that are spread evenly. Most numbers stay the same
when a channel is multiplied by a factor.
"""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from ilpix.images.hdf5 import FloatImage, PreparedImage

ALGORITHM = 1  # raised when the numbers change for the same image
QUANTILES = (0.01, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99)
DISTANCES_PX = (1, 2, 4, 8)

_BAND_ROWS = 64
_MOST_BANDS = 8
_MOST_VALUES = 2**16  # of each channel
_LARGEST_CORRELATION = 0.98

Array = NDArray[np.float64]


class ChannelStatistics(BaseModel, frozen=True):
    """C channels of one image, in its order."""

    quantiles: tuple[tuple[float, ...], ...]  # (C, Q) of the finite values, at `QUANTILES`
    linkage: tuple[tuple[float, ...], ...]  # (C, 3) see `_linkage`
    smoothness: tuple[tuple[float, ...], ...]  # (C, L) correlation of pixels `DISTANCES_PX` apart
    n_not_finite: int  # values that are no finite numbers


def describe_channels(image: PreparedImage) -> ChannelStatistics:
    """Read a part of an open image and describe its channels.

    Raises:
        UnreadableImageError: if the stored pixels are damaged.
    """
    n_rows = image.shape[1]
    n_bands = min(_MOST_BANDS, -(-n_rows // _BAND_ROWS))
    starts = np.linspace(0, max(n_rows - _BAND_ROWS, 0), n_bands).astype(int)
    return describe([image.read(slice(start, start + _BAND_ROWS)) for start in starts])


def describe(bands: list[FloatImage]) -> ChannelStatistics:
    """Describe an image by some of its rows.

    Args:
        bands: (C, rows, X) each, neighbouring rows.
    """
    lines = np.concatenate([band[:, :: _row_step(bands)] for band in bands], axis=1)
    is_finite = np.isfinite(lines)
    lines = np.where(is_finite, lines, 0)  # rare enough to leave all numbers as they are
    quantiles = np.quantile(lines.reshape(len(lines), -1), QUANTILES, axis=1).T.astype(np.float64)
    tops = np.where(quantiles[:, -1] > 0, quantiles[:, -1], 1)
    evened = _evened(lines, tops)
    return ChannelStatistics(
        quantiles=_rows(quantiles),
        linkage=_rows(_linkage(evened.reshape(len(evened), -1))),
        smoothness=_rows(_smoothness(evened)),
        n_not_finite=int(np.sum(~is_finite)),
    )


def _row_step(bands: list[FloatImage]) -> int:
    n_values: int = sum(band[0].size for band in bands)
    return -(-n_values // _MOST_VALUES)


def _evened(lines: NDArray[np.float32], tops: Array) -> NDArray[np.float32]:
    """(C, N, X) square roots of values between 0 and their channel's top, 0 to 1.

    The noise of counts is the same at all values then, and single bright pixels do not decide.
    """
    return np.sqrt(np.clip(lines / tops[:, None, None].astype(np.float32), 0, 1))


def _linkage(evened: NDArray[np.float32]) -> Array:
    """(C, 3) the lowest, middle and highest correlation of a channel with the others.

    As Fisher's z = artanh(r), so that the same difference means the same everywhere; 0 for a
    channel that is constant, or alone.
    """
    n_channels = len(evened)
    if n_channels == 1:
        return np.zeros((1, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlations = np.nan_to_num(np.corrcoef(evened))
    bounded = np.clip(correlations, -_LARGEST_CORRELATION, _LARGEST_CORRELATION)
    others = ~np.eye(n_channels, dtype=bool)
    linkage: Array = np.quantile(
        np.arctanh(bounded[others]).reshape(n_channels, -1), (0, 0.5, 1), axis=1
    ).T
    return linkage


def _smoothness(lines: NDArray[np.float32]) -> Array:
    """(C, L) correlation of pixels `DISTANCES_PX` apart; 0 where a row is too short for one.

    Args:
        lines: (C, N, X) evened rows.
    """
    found = [_correlation(lines[:, :, :-px], lines[:, :, px:]) for px in DISTANCES_PX]
    return np.stack(found, axis=1)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> Array:
    """(C,) correlation of values that belong together; 0 where there is none."""
    if not one.size:
        return np.zeros(len(one))
    centred = [side - side.mean(axis=(1, 2), keepdims=True) for side in (one, other)]
    shared, *sizes = (
        np.einsum("cyx,cyx->c", left, right, dtype=np.float64)
        for left, right in (centred, centred[:1] * 2, centred[1:] * 2)
    )
    scale = np.sqrt(sizes[0] * sizes[1])
    correlation: Array = np.divide(shared, scale, out=np.zeros(len(scale)), where=scale > 0)
    return correlation


def _rows(array: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(f"{value:.6g}") for value in row) for row in array)
