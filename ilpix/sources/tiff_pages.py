"""Read the pixels of a TIFF file band by band: as they are stored, or a row of tiles at a time."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ilpix.sources.source import regroup

_BUFFER_BYTES = 2**20
_NEGLIGIBLE_BYTES = 2**28  # of pixels that need not be stored
_MOST_COMPRESSION = 2000  # of images of nothing but zeros


def require_stored(file: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> None:
    """Make sure that the pixels that an image claims to have can be stored, before any is read.

    Raises:
        ValueError: if strips or tiles are missing, or the file is far too small for the pixels.
    """
    claimed, stored = series.nbytes, file.filehandle.size
    if claimed > max(_NEGLIGIBLE_BYTES, _MOST_COMPRESSION * stored):
        raise ValueError(f"it claims {claimed / 1e6:,.0f} MB of pixels in {stored} bytes")
    if not series.dataoffset:
        require_segments(series.pages)


def require_segments(pages: Iterable[tifffile.TiffPage | tifffile.TiffFrame | None]) -> None:
    """Make sure that every strip or tile of some planes has a place and a length.

    Where one has none, tifffile makes its pixels up, and may take those behind it from another
    place.

    Raises:
        ValueError: if not.
    """
    if not all(page and _has_segments(page) for page in pages):
        raise ValueError("strips or tiles of it are missing")


def _has_segments(page: tifffile.TiffPage | tifffile.TiffFrame) -> bool:
    n_segments = math.prod(page.keyframe.chunked) if page.keyframe else 1
    stored = (page.dataoffsets[:n_segments], page.databytecounts[:n_segments])
    return all(len(numbers) == n_segments and all(numbers) for numbers in stored)


def plain_rows(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, axis: int, n_rows: int
) -> Iterator[NDArray[Any]]:
    """Read an image that is stored as it is, in parts along its axis of rows.

    Nothing is mapped into memory: if somebody cuts a mapped file short, that ends the process.

    Yields:
        Arrays of the stored axes, of `n_rows` along `axis` but for the last.

    Raises:
        ValueError: if the file ends before its pixels do.
    """
    shape, stored = series.shape, np.dtype(file.byteorder + series.dtype.char)
    begin = series.dataoffset or 0
    n_before, n_behind = math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    for first in range(0, shape[axis], n_rows):
        n_here = min(n_rows, shape[axis] - first)
        parts = np.empty((n_before, n_here * n_behind), series.dtype)
        for number, part in enumerate(parts):
            place = (number * shape[axis] + first) * n_behind * stored.itemsize
            file.filehandle.read_array(stored, offset=begin + place, out=part)
        yield parts.reshape(*shape[:axis], n_here, *shape[axis + 1 :])


def stack_pages(pages: Sequence[Any], n_rows: int) -> Iterator[NDArray[Any]]:
    """Decode single planes of one size.

    Yields:
        (pages, rows, X), of `n_rows` rows but for the last.
    """
    planes = [regroup(_page_rows(page), n_rows) for page in pages]
    for rows in zip(*planes, strict=True):
        yield np.stack(rows)


def _page_rows(page: Any) -> Iterator[NDArray[Any]]:
    """Decode one plane from top to bottom, a strip or a row of tiles at a time."""
    keyframe = page.keyframe
    segments = page.segments(maxworkers=1, buffersize=_BUFFER_BYTES)
    for first, same in groupby(segments, key=lambda segment: segment[1][2]):
        n_rows = min(_segment_length(keyframe), keyframe.imagelength - first)
        rows = np.full((n_rows, keyframe.imagewidth), keyframe.nodata, keyframe.dtype)
        for pixels, place, _ in same:
            if pixels is not None:  # tiles at the edges reach beyond the image
                part = rows[:, place[3] : place[3] + pixels.shape[2]]
                part[:] = pixels[0, :n_rows, : part.shape[1], 0]
        yield rows


def segment_rows(series: tifffile.TiffPageSeries) -> int:
    """Return in multiples of how many rows an image is decoded fastest."""
    return 1 if series.dataoffset is not None else max(1, _segment_length(series.keyframe))


def _segment_length(keyframe: Any) -> int:
    return int(keyframe.tilelength if keyframe.is_tiled else keyframe.rowsperstrip)
