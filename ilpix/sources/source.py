"""An open source image, read from top to bottom in bands of rows, whatever file it comes from."""

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ilpix.disks import lost_by_disk
from ilpix.errors import IlpixError
from ilpix.images.errors import UnreadableImageError
from ilpix.sources.errors import NonFinitePixelsError
from ilpix.sources.reading_options import ReadingOptions
from ilpix.wording import counted

BAND_BYTES = 2**26  # of stored pixels that are in memory at a time

# What the decoders of TIFF and Zarr let through when bytes are damaged.
DECODING_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RuntimeError,
    struct.error,
)


@dataclass(frozen=True, slots=True, eq=False)
class SourceImage:
    """An open image; valid inside the block that opened it."""

    path: Path
    shape: tuple[int, int, int]  # (C, Y, X), whatever the stored order
    dtype: np.dtype[Any]  # as stored
    axes: str  # the stored order, such as "ZYX"
    read_bands: Callable[[int], Iterable[NDArray[Any]]]  # (C, rows, X) of that many rows each
    step: int = 1  # reading is fastest in multiples of so many rows
    channel_names: tuple[str, ...] = ()  # as the file has them, one per channel; empty: unknown
    pixel_size_um: tuple[float, float] | None = None  # (y, x) of one pixel
    notes: tuple[str, ...] = ()  # what a person should know about how the file was read

    def bands(self, n_bytes: int = BAND_BYTES) -> Iterator[NDArray[Any]]:
        """Read the image from top to bottom.

        Yields:
            (C, rows, X) in the type of the file, of about `n_bytes`, not to be written to.

        Raises:
            UnreadableImageError: if the stored pixels are damaged.
        """
        n_channels, n_rows, n_columns = self.shape
        fitting = max(1, n_bytes // (n_channels * n_columns * self.dtype.itemsize))
        with unreadable(self.path):
            yield from self.read_bands(min(_aligned(fitting, self.step), n_rows))

    def read(self) -> NDArray[Any]:
        """Read the whole image.

        Returns:
            (C, Y, X) in the type of the file, not to be written to.

        Raises:
            UnreadableImageError: if the stored pixels are damaged.
        """
        with unreadable(self.path):
            (whole,) = self.read_bands(self.shape[1])
        return whole


@dataclass(slots=True)
class FiniteCheck:
    """Counts pixels that are NaN or infinite while bands pass, and sets them to 0."""

    path: Path
    passes_nan: bool = False  # then only infinite ones count
    count: int = 0
    first: tuple[int, int, int] | None = None  # (channel, y, x)
    _row: int = field(default=0)

    def cleaned(self, bands: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """Pass the bands of an image on, all finite."""
        for band in bands:
            yield self._clean(band) if band.dtype.kind == "f" else band
            self._row += band.shape[1]

    def require_none(self) -> None:
        """Raise if there were such pixels.

        Raises:
            NonFinitePixelsError: saying how many, and where the first is.
        """
        if self.first is not None:
            raise NonFinitePixelsError(self.path, self.count, self.first)

    def told(self) -> str | None:
        """Say how many such pixels were set to 0; None where there were none."""
        return f"{counted(self.count, 'pixel')}, NaN or infinite, became 0" if self.count else None

    def _clean(self, band: NDArray[Any]) -> NDArray[Any]:
        is_finite = np.isfinite(band)
        if self.passes_nan:
            is_finite |= np.isnan(band)
        if is_finite.all():
            return band
        channel, y, x = (int(k) for k in np.argwhere(~is_finite)[0])
        here = (channel, y + self._row, x)
        self.first = here if self.first is None else min(self.first, here)
        self.count += int(is_finite.size - np.count_nonzero(is_finite))
        return np.where(is_finite, band, band.dtype.type(0))


def finite_bands(
    image: SourceImage, check: FiniteCheck, options: ReadingOptions
) -> Iterator[NDArray[Any]]:
    """Read an image from top to bottom, with pixels that are no number set to 0.

    Yields:
        (C, rows, X) in the type of the file.

    Raises:
        NonFinitePixelsError: at the end, if there were any and `options` do not ask for zeros.
        UnreadableImageError: if the stored pixels are damaged.
    """
    yield from check.cleaned(image.bands())
    if options.nonfinite == "error":
        check.require_none()


def read_finite(image: SourceImage, check: FiniteCheck, options: ReadingOptions) -> NDArray[Any]:
    """Read a whole image like `finite_bands`, without a copy where all its pixels are finite."""
    (whole,) = check.cleaned([image.read()])
    if options.nonfinite == "error":
        check.require_none()
    return whole


def _aligned(fitting: int, step: int) -> int:
    """At most `fitting` rows: whole steps, or such parts of one that none of its rows is kept."""
    if fitting >= step:
        return fitting - fitting % step
    part = next(rows for rows in range(fitting, 0, -1) if step % rows == 0)
    return part if 4 * part > fitting else fitting


def regroup(blocks: Iterable[NDArray[Any]], n_rows: int) -> Iterator[NDArray[Any]]:
    """Cut rows that arrive in blocks of any height into blocks of `n_rows`; the last is shorter.

    Args:
        blocks: (…, rows, X) each.
        n_rows: of each block but the last.
    """
    kept: list[NDArray[Any]] = []
    n_kept = 0
    for block in blocks:
        kept.append(block)
        n_kept += block.shape[-2]
        if n_kept < n_rows:
            continue
        rows = np.concatenate(kept, axis=-2) if len(kept) > 1 else block
        n_whole = n_kept - n_kept % n_rows
        for first in range(0, n_whole, n_rows):
            yield rows[..., first : first + n_rows, :]
        n_kept -= n_whole
        kept = [rows[..., n_whole:, :].copy()] if n_kept else []
    if n_kept:
        yield np.concatenate(kept, axis=-2)


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Turn what a decoder raises into an error of ours.

    Raises:
        UnreadableImageError: if anything in the block cannot be read or decoded.
        DiskLostError: if that is its disk's fault.
    """
    try:
        yield
    except IlpixError:
        raise
    except DECODING_ERRORS as error:
        reason = str(error) or type(error).__name__
        raise lost_by_disk(error, path) or UnreadableImageError(path, reason) from error
