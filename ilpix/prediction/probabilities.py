"""Probability images as steinbock leaves them: TIFF, (Y, X, K) uint16, 65535 for 1, LZW.

They are written strip by strip, whole or not at all. The height of a strip follows from the image
alone, so the same probabilities give the same bytes whoever computed them in whatever pieces.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from imagecodecs import lzw_encode
from tifffile import TiffFile, TiffFileError, TiffPage, TiffWriter

from ilpix.arrays import FloatArray
from ilpix.errors import told_shape
from ilpix.files import replacing
from ilpix.prediction.errors import InvalidProbabilitiesError

LARGEST = 65535  # the stored value of a probability of 1

StoredArray = npt.NDArray[np.uint16]
Rows = npt.NDArray[Any]  # (rows, X, K), K values of each pixel

_STRIP_BYTES = 2**18
LARGEST_CLASSIC_TIFF = 2**31  # bytes before compression, which can make noise half as long again
_LOOK_AHEAD = 64  # strips in compression


def to_uint16(
    probabilities: FloatArray, rounding: Literal["nearest", "down"] = "nearest"
) -> StoredArray:
    """Convert as Ilastik does: in float32, to the nearest since 1.4.2, down before.

    Example:
        >>> to_uint16(np.array([[[0.25, 0.75]]], np.float32))
        array([[[16384, 49151]]], dtype=uint16)
    """
    scaled = probabilities * np.float32(LARGEST)
    whole: FloatArray = np.rint(scaled) if rounding == "nearest" else np.floor(scaled)
    return whole.astype(np.uint16)


def write_probabilities(
    target: Path,
    shape: tuple[int, int, int],
    blocks: Iterable[Rows],
    pool: Executor | None = None,
    dtype: npt.DTypeLike = np.uint16,
) -> None:
    """Write an image as its rows arrive.

    Args:
        target: the file, replaced where it exists.
        shape: (Y, X, K).
        blocks: (rows, X, K) each, from top to bottom, Y rows in all.
        pool: compresses strips at the same time; without it they are compressed one after the
            other.
        dtype: of the stored numbers; other products than probabilities may have another one.

    Raises:
        ValueError: if the blocks have another number of rows in all; nothing is written.

    Example:
        >>> probabilities = np.full((60, 50, 3), 1 / 3, np.float32)
        >>> write_probabilities(Path("even.tiff"), probabilities.shape, [to_uint16(probabilities)])
    """
    height, width, n_classes = shape
    stored = np.dtype(dtype).newbyteorder("<")
    row_bytes = stored.itemsize * width * n_classes
    strip_rows = max(1, min(height, _STRIP_BYTES // row_bytes))
    with (
        replacing(target) as temporary,
        TiffWriter(
            temporary, bigtiff=height * row_bytes > LARGEST_CLASSIC_TIFF, byteorder="<"
        ) as file,
    ):
        file.write(
            _compress(cut_rows(blocks, height, strip_rows), stored, pool),
            shape=shape if n_classes > 1 else (height, width),
            dtype=stored,
            photometric="rgb" if n_classes == 3 else "minisblack",
            planarconfig="contig" if n_classes > 1 else None,
            compression="lzw",
            rowsperstrip=strip_rows,
            metadata=None,
            software=False,
        )


def verify_probabilities(path: Path, shape: tuple[int, int], n_classes: int) -> None:
    """Check that a file is a whole probability image of `shape` (Y, X); it is read strip by strip.

    Raises:
        InvalidProbabilitiesError: if it cannot be opened or decoded, has another shape, type or
            number of
            classes, or has a pixel whose probabilities do not sum to 1 within rounding.
    """
    with _opened(path) as page:
        expected = (*shape, n_classes) if n_classes > 1 else shape
        if page.shape != expected or page.dtype != np.uint16:
            found, wanted = told_shape(page.shape), told_shape(expected)
            raise InvalidProbabilitiesError(
                path, f"it is {page.dtype} of shape {found}, not uint16 of {wanted}"
            )
    for first, rows in read_rows(path):
        # each class is rounded on its own, by up to 1 where Ilastik truncates
        away = abs(rows.sum(axis=2, dtype=np.int64) - LARGEST) > n_classes
        if away.any():
            y, x = (int(place[0]) for place in np.nonzero(away))
            what = (
                f"the probabilities at y {first + y}, x {x} do not sum to 1: {rows[y, x].tolist()}"
            )
            raise InvalidProbabilitiesError(path, what)


def read_rows(path: Path, dtype: npt.DTypeLike = np.uint16) -> Iterator[tuple[int, Rows]]:
    """Read a probability image, or another product of strips, strip by strip.

    Yields:
        The first row, and (rows, X, K) of `dtype`.

    Raises:
        InvalidProbabilitiesError: if the file cannot be opened or decoded, or is no image of
            strips.
    """
    with open_rows(path, dtype) as (_, rows):
        yield from rows


@contextmanager
def open_rows(
    path: Path, dtype: npt.DTypeLike = np.uint16
) -> Iterator[tuple[tuple[int, int, int], Iterator[tuple[int, Rows]]]]:
    """Open a probability image, or another product of strips.

    Yields:
        Its (Y, X, K), and what `read_rows` yields.

    Raises:
        InvalidProbabilitiesError: as `read_rows`.
    """
    with _opened(path) as page:
        if page.is_tiled or page.planarconfig != 1 or page.dtype != dtype:
            what = f"it is not made of strips of {np.dtype(dtype)} pixels"
            raise InvalidProbabilitiesError(path, what)
        yield (page.imagelength, page.imagewidth, page.samplesperpixel), _strips(path, page)


def _strips(path: Path, page: TiffPage) -> Iterator[tuple[int, Rows]]:
    n_rows = 0
    for strip, place, _ in page.segments():
        if strip is None:
            raise InvalidProbabilitiesError(path, f"rows from {place[-3]} on are missing")
        n_rows += strip.shape[-3]
        yield place[-3], strip[0]
    if n_rows != page.imagelength:
        raise InvalidProbabilitiesError(path, f"it has {n_rows} of {page.imagelength} rows")


def read_shape(path: Path) -> tuple[int, int, int]:
    """Return the numbers of rows, columns and classes; pixels are not read.

    Raises:
        InvalidProbabilitiesError: if the file cannot be opened.
    """
    with _opened(path) as page:
        return page.imagelength, page.imagewidth, page.samplesperpixel


def class_areas(path: Path) -> dict[str, list[int] | list[float]]:
    """Return `shape` [Y, X], and as `areas` the share of pixels where each class is most probable.

    Raises:
        InvalidProbabilitiesError: as `read_rows`.
    """
    counts: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    height = width = 0
    for _, rows in read_rows(path):
        height, width = height + rows.shape[0], rows.shape[1]
        found = np.bincount(rows.argmax(axis=2).ravel(), minlength=rows.shape[2])
        counts = found if not len(counts) else counts + found
    return {"shape": [height, width], "areas": (counts / counts.sum()).round(6).tolist()}


@contextmanager
def _opened(path: Path) -> Iterator[TiffPage]:
    """Open the only page; whatever cannot be read while it is open is an error of ours."""
    try:
        with TiffFile(path) as file:
            if len(file.pages) != 1:
                raise InvalidProbabilitiesError(path, f"it holds {len(file.pages)} images, not one")
            page = file.pages.first
            yield page
    except (OSError, TiffFileError, ValueError, RuntimeError) as error:
        if isinstance(error, InvalidProbabilitiesError):
            raise
        raise InvalidProbabilitiesError(path, f"it cannot be read ({error})") from error


def cut_rows(blocks: Iterable[Rows], height: int, strip_rows: int) -> Iterator[Rows]:
    """Cut rows that arrive in blocks of any height into strips; only the last one is shorter.

    Raises:
        ValueError: if the blocks have another number of rows than `height`.
    """
    kept: list[Rows] = []
    n_kept = n_cut = 0
    for block in blocks:
        kept.append(block)
        n_kept += len(block)
        if n_kept < strip_rows:
            continue
        rows = np.concatenate(kept) if len(kept) > 1 else block
        n_whole = n_kept - n_kept % strip_rows
        for first in range(0, n_whole, strip_rows):
            yield rows[first : first + strip_rows]
        kept, n_kept, n_cut = [rows[n_whole:]], n_kept - n_whole, n_cut + n_whole
    if n_cut + n_kept != height:
        raise ValueError(f"{n_cut + n_kept} rows were given for an image of {height}")
    if n_kept:
        yield np.concatenate(kept)


def _compress(
    strips: Iterable[Rows], stored: np.dtype[Any], pool: Executor | None
) -> Iterator[bytes]:
    waiting: deque[Future[bytes]] = deque()
    for strip in strips:
        pixels = np.ascontiguousarray(strip, stored)
        if pool is None:
            yield _encode(pixels)
            continue
        waiting.append(pool.submit(_encode, pixels))
        while waiting and (waiting[0].done() or len(waiting) > _LOOK_AHEAD):
            yield waiting.popleft().result()
    for future in waiting:
        yield future.result()


def _encode(pixels: npt.NDArray[Any]) -> bytes:
    return bytes(lzw_encode(pixels.tobytes()))
