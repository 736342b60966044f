"""Find, read and check images: TIFF files of channels, rows and columns.

The axes are those the file names (OME, ImageJ, tifffile); an axis of length 1 other than rows and
columns says nothing and is dropped. A file that only numbers its planes holds channels. One
plane is an image of one channel. Slices (z), time points (t) and colour photographs are refused.
"""

import struct
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ilpix.images.errors import (
    DuplicateImagesError,
    ImageAxesError,
    NoImagesError,
    NonFinitePixelsError,
    PixelTypeError,
    UnreadableImageError,
)

SUFFIXES = {".tif", ".tiff"}

# What tifffile and the decoders behind it let through when bytes are damaged.
_DECODING_ERRORS = (
    OSError,
    tifffile.TiffFileError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RuntimeError,
    struct.error,
)


def find_images(folder: Path) -> list[Path]:
    """Return all images below a folder in steinbock's order; hidden files are left out.

    Raises:
        NoImagesError: if there are none, or no such folder.
        DuplicateImagesError: if the results of several images would have the same name.
    """
    paths = sorted(
        path for path in folder.rglob("[!.]*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not paths:
        raise NoImagesError(folder)
    by_stem = defaultdict(list)
    for path in paths:
        by_stem[image_stem(path)].append(path)
    if duplicates := tuple(tuple(same) for same in by_stem.values() if len(same) > 1):
        raise DuplicateImagesError(duplicates)
    return paths


def image_stem(path: Path) -> str:
    """Return what the results of an image are called: `a` for `a.tiff` and for `a.ome.tiff`."""
    return path.stem[: -len(".ome")] if path.stem.lower().endswith(".ome") else path.stem


def read_image(path: Path) -> NDArray[Any]:
    """Read an image; pixels that are stored plainly stay in the file and are mapped into memory.

    Returns:
        (C, Y, X) in the type of the file, not to be written to.

    Raises:
        UnreadableImageError: if the file is no TIFF, is cut short, or lies partly in other files.
        ImageAxesError: if it has other axes than channels, rows and columns.
        PixelTypeError: if the pixels are neither integers nor floating-point numbers.
        NonFinitePixelsError: if a pixel is NaN or infinite.
    """
    try:
        with tifffile.TiffFile(path) as file:
            series = _whole_series(file)
            axes, dtype, is_plain = series.axes, series.dtype, series.dataoffset is not None
            if dtype is None or dtype.kind not in "iuf":
                raise PixelTypeError(path, str(dtype))
            stored = tifffile.memmap(path, mode="r") if is_plain else series.asarray()
    except PixelTypeError:
        raise
    except _DECODING_ERRORS as error:
        raise UnreadableImageError(path, str(error) or type(error).__name__) from error
    image = _channels_first(path, axes, stored)
    _require_finite(path, image)
    return image


def _whole_series(file: tifffile.TiffFile) -> tifffile.TiffPageSeries:
    """The first image of a file, all of whose planes are in the file."""
    file.filehandle.seek(file.pages.next_page_offset or 0)
    if any(file.filehandle.read(file.tiff.offsetsize)):
        raise ValueError("the file ends before its last plane")
    if not file.series:
        raise ValueError("the file holds no image")
    if None in file.series[0].pages:
        raise ValueError("some of its planes are in other files, which are not there")
    return file.series[0]


def _channels_first(path: Path, axes: str, stored: NDArray[Any]) -> NDArray[Any]:
    told = [key for key, size in zip(axes, stored.shape, strict=True) if size > 1 or key in "YX"]
    image = stored.reshape(
        [size for key, size in zip(axes, stored.shape, strict=True) if key in told]
    )
    names = "".join(told)
    if names == "YX":
        return image[np.newaxis]
    if names in {"QYX", "IYX", "SYX"}:
        return image
    if sorted(names) != ["C", "X", "Y"]:
        raise ImageAxesError(path, axes, stored.shape)
    return image.transpose([names.index(key) for key in "CYX"])


def _require_finite(path: Path, image: NDArray[Any]) -> None:
    if image.dtype.kind != "f":
        return
    counts = [int(np.size(plane) - np.count_nonzero(np.isfinite(plane))) for plane in image]
    if not any(counts):
        return
    channel = next(channel for channel, count in enumerate(counts) if count)
    y, x = np.argwhere(~np.isfinite(image[channel]))[0]
    raise NonFinitePixelsError(path, sum(counts), (channel, int(y), int(x)))
