"""Read TIFF files of channels, rows and columns.

The axes are those the file names (OME, ImageJ, tifffile), see `axes`. A file may hold several
images: those with the panel's number of channels are read, each as an image of its own; single
planes of one size, as many as the panel has rows, are the channels of one image.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ilpix.disks import lost_by_disk
from ilpix.errors import IlpixError
from ilpix.images.errors import (
    DuplicateImagesError,
    NoImagesError,
    PixelTypeError,
    UnreadableImageError,
)
from ilpix.sources.axes import Layout, find_layout
from ilpix.sources.foreign import recognise
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.series import ChosenImages, choose_fitting, choose_told
from ilpix.sources.source import (
    DECODING_ERRORS,
    FiniteCheck,
    SourceImage,
    read_finite,
    unreadable,
)
from ilpix.sources.tiff_metadata import read_channel_names, read_pixel_size_um
from ilpix.sources.tiff_pages import (
    plain_rows,
    require_segments,
    require_stored,
    segment_rows,
    stack_pages,
)

SUFFIXES = frozenset({".tif", ".tiff"})
ALL_PAGES = -1  # in place of the number of an image: the single planes of the file are its channels

_STREAMED_BYTES = 2**27  # larger compressed images are decoded band by band


def list_tiffs(folder: Path) -> list[Path]:
    """Return all TIFF files below a folder in steinbock's order; hidden files are left out."""
    return sorted(
        path for path in folder.rglob("[!.]*") if path.suffix.lower() in SUFFIXES and path.is_file()
    )


def find_images(folder: Path) -> list[Path]:
    """Return the TIFF files below a folder, each of which is an image.

    Raises:
        NoImagesError: if there are none, or no such folder.
        DuplicateImagesError: if the results of several images would have the same name.
    """
    paths = list_tiffs(folder)
    if not paths:
        raise NoImagesError(folder)
    require_names_differ((image_stem(path), path) for path in paths)
    return paths


def image_stem(path: Path) -> str:
    """Return what the results of an image are called: `a` for `a.tiff` and for `a.ome.tiff`."""
    return path.stem[: -len(".ome")] if path.stem.lower().endswith(".ome") else path.stem


def require_names_differ(named: Iterable[tuple[str, Path]]) -> None:
    """Raise where the results of several images would have the same name.

    Raises:
        DuplicateImagesError: naming all of them.
    """
    by_name = defaultdict(list)
    for name, path in named:
        by_name[name].append(path)
    if duplicates := tuple(tuple(same) for same in by_name.values() if len(same) > 1):
        raise DuplicateImagesError(duplicates)


def read_image(
    path: Path, n_channels: int | None = None, options: ReadingOptions = ReadingOptions()
) -> NDArray[Any]:
    """Read the only image of a file.

    Args:
        path: a TIFF file.
        n_channels: how many channels it must have, where that is known: then as many slices or time
            points are channels, too.
        options: may name one of several images, and the axes.

    Returns:
        (C, Y, X) in the type of the file, not to be written to.

    Raises:
        SeriesError: if the file holds several images.
        NonFinitePixelsError: if a pixel is NaN or infinite, and `options` do not ask for zeros.
        UnreadableImageError, ImageAxesError, PixelTypeError: as `open_tiff`.

    Example:
        >>> read_image(Path("img/region_1.tiff")).shape
        (5, 110, 130)
    """
    index = choose_images(path, n_channels, options).indices[0]
    with open_tiff(path, index, n_channels, options) as source:
        return read_finite(source, FiniteCheck(path), options)


def choose_images(
    path: Path, n_channels: int | None = None, options: ReadingOptions = ReadingOptions()
) -> ChosenImages:
    """Decide which images of a file are read; pixels are not.

    Args:
        path: a TIFF file.
        n_channels: of the panel, where there is one.
        options: may name one image.

    Raises:
        UnreadableImageError: if the file is no TIFF, or is cut short.
        NoSuchSeriesError: if it has no image of the number asked for.
        SeriesError: if it holds several and none is what the panel describes.
    """
    with open_file(path) as file, unreadable(path):
        series = file.series
        if options.series or len(series) == 1:
            return choose_told(path, options.series or 1, len(series))
        counts = [_count_channels(path, one, n_channels, options) for one in series]
        if _are_planes(series, n_channels):
            note = f"its {len(series)} planes are taken as channels"
            return ChosenImages((ALL_PAGES,), len(series), note)
    return choose_fitting(path, counts, n_channels)


@contextmanager
def open_tiff(
    path: Path,
    index: int = 0,
    n_channels: int | None = None,
    options: ReadingOptions = ReadingOptions(),
) -> Iterator[SourceImage]:
    """Open one image of a TIFF file.

    Args:
        path: the file.
        index: of the image in the file, as `choose_images` gives it.
        n_channels: how many channels it must have, where that is known.
        options: may name the axes.

    Raises:
        UnreadableImageError: if the file is no TIFF, is cut short, or lies partly in other files.
        ImageAxesError, AxesOptionError: see `find_layout`.
        PixelTypeError: if the pixels are neither integers nor floating-point numbers.
    """
    with open_file(path) as file:
        with unreadable(path):
            source = _describe(path, file, index, n_channels, options)
        yield source


def open_file(path: Path) -> tifffile.TiffFile:
    """Open a TIFF file that is whole, to be closed by the caller.

    Raises:
        UnreadableImageError: if it is no TIFF, is cut short, or holds no image.
    """
    try:
        file = tifffile.TiffFile(path)
    except DECODING_ERRORS as error:
        lost = lost_by_disk(error, path)
        raise lost or UnreadableImageError(path, recognise(path) or str(error)) from error
    try:
        with unreadable(path):
            _require_whole(file)
    except UnreadableImageError:
        file.close()
        raise
    return file


def _require_whole(file: tifffile.TiffFile) -> None:
    file.filehandle.seek(file.pages.next_page_offset or 0)
    if any(file.filehandle.read(file.tiff.offsetsize)):
        raise ValueError("the file ends before its last plane")
    if not file.series:
        raise ValueError("the file holds no image")


def _describe(
    path: Path,
    file: tifffile.TiffFile,
    index: int,
    n_channels: int | None,
    options: ReadingOptions,
) -> SourceImage:
    series = _require_series(file, index)
    axes, shape, dtype = _stored_shape(file, series, index)
    if dtype is None or dtype.kind not in "iuf":
        raise PixelTypeError(path, str(dtype))
    require_stored(file, series)
    if index == ALL_PAGES:
        require_segments(one.pages[0] for one in file.series)
    layout = find_layout(path, axes, shape, n_channels, options.axes)
    return SourceImage(
        path,
        layout.shape,
        dtype,
        axes,
        _band_reader(file, series, index, layout),
        step=segment_rows(series),
        channel_names=read_channel_names(file, series, index, layout.shape[0]),
        pixel_size_um=read_pixel_size_um(file, index),
        notes=(layout.note,) if layout.note else (),
    )


def _require_series(file: tifffile.TiffFile, index: int) -> tifffile.TiffPageSeries:
    series = file.series[max(index, 0)]
    if None in series.pages:
        raise ValueError("some of its planes are in other files, which are not there")
    return series


def _stored_shape(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, index: int
) -> tuple[str, tuple[int, ...], np.dtype[Any] | None]:
    if index == ALL_PAGES:
        return "CYX", (len(file.series), *_squeezed(series)), series.dtype
    return series.axes, series.shape, series.dtype


def _squeezed(series: tifffile.TiffPageSeries) -> tuple[int, ...]:
    return tuple(
        size for key, size in zip(series.axes, series.shape, strict=True) if size > 1 or key in "YX"
    )


def _are_planes(series: Sequence[tifffile.TiffPageSeries], n_channels: int | None) -> bool:
    """Whether a file holds nothing but single planes of one size, one for each channel."""
    kinds = {(_squeezed(one), one.dtype) for one in series}
    return len(series) == n_channels and len(kinds) == 1 and len(_squeezed(series[0])) == 2


def _count_channels(
    path: Path,
    series: tifffile.TiffPageSeries,
    n_channels: int | None,
    options: ReadingOptions,
) -> int:
    """How many channels one image of a file has; 0 where it is none, or a smaller copy."""
    if series.keyframe.is_reduced:
        return 0
    try:
        return find_layout(path, series.axes, series.shape, n_channels, options.axes).shape[0]
    except IlpixError:
        return 0


def _band_reader(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, index: int, layout: Layout
) -> Any:
    if index == ALL_PAGES:
        return partial(stack_pages, [one.pages[0] for one in file.series])
    is_paged = layout.kept == tuple(range(len(series.shape)))[-len(layout.kept) :]
    pages = list(series.pages)
    if (
        series.dataoffset is None
        and series.nbytes > _STREAMED_BYTES
        and is_paged
        and len(pages) == layout.shape[0]
    ):
        return partial(stack_pages, pages)
    if series.dataoffset is not None:
        return partial(_read_plain, file, series, layout)
    return partial(_cut_array, series, layout)


def _read_plain(
    file: tifffile.TiffFile, series: tifffile.TiffPageSeries, layout: Layout, n_rows: int
) -> Iterator[NDArray[Any]]:
    stored = plain_rows(file, series, layout.kept[-2], n_rows)
    return (_arrange(rows, layout) for rows in stored)


def _cut_array(series: Any, layout: Layout, n_rows: int) -> Iterator[NDArray[Any]]:
    """Cut bands out of an image that is decoded whole."""
    whole = _arrange(series.asarray(), layout).reshape(layout.shape)
    for first in range(0, layout.shape[1], n_rows):
        yield whole[:, first : first + n_rows]


def _arrange(stored: Any, layout: Layout) -> NDArray[Any]:
    """(C, rows, X) of an array as it is stored."""
    dropped = tuple(0 if k not in layout.kept else slice(None) for k in range(stored.ndim))
    order = np.argsort(np.argsort(layout.kept))
    arranged: NDArray[Any] = stored[dropped].transpose(order)
    return arranged if layout.has_channels else arranged[np.newaxis]
