"""Read OME-Zarr images (versions 0.4 and 0.5) from a folder or a ZIP archive, in pieces.

Reading pixels is zarr's work, an extra (`pip install 'ilpix[zarr]'`). What the attributes mean is
read here, from the few keys that matter, so that files that are not quite valid are read too:
https://ngff.openmicroscopy.org/0.5/.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ilpix.errors import IlpixError
from ilpix.images.errors import MissingExtraError, PixelTypeError, UnreadableImageError
from ilpix.sources.axes import Layout, find_layout
from ilpix.sources.errors import NoSuchLevelError, ZarrKindError
from ilpix.sources.foreign import describe_archive
from ilpix.sources.reading_options import ReadingOptions
from ilpix.sources.series import ChosenImages, choose_fitting, choose_told
from ilpix.sources.source import SourceImage, unreadable
from ilpix.sources.units import micrometres

_MARKERS = frozenset({"zarr.json", ".zgroup", ".zattrs", ".zarray"})
_ENDINGS = (".ome.zarr.zip", ".zarr.zip", ".ome.zarr", ".zarr", ".ozx", ".zip")
_LETTERS = {"channel": "C", "time": "T"}  # by type of axis


@dataclass(frozen=True, slots=True)
class _Level:
    """One resolution level of an image."""

    array: Any  # zarr.Array
    axes: str  # upper case
    pixel_size_um: tuple[float, float] | None
    channel_names: tuple[str, ...]


def is_zarr(path: Path) -> bool:
    """Tell whether a folder or archive is Zarr, by the names in it."""
    if path.is_dir():
        return any((path / marker).is_file() for marker in _MARKERS)
    if path.suffix.lower() not in {".zip", ".ozx"}:
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return _root(archive) is not None
    except (zipfile.BadZipFile, OSError):
        return path.name.lower().endswith((".zarr.zip", ".ozx"))


def zarr_stem(path: Path) -> str:
    """Return what the results of an image are called: `a` for `a.ome.zarr` and `a.zarr.zip`."""
    ending = next((end for end in _ENDINGS if path.name.lower().endswith(end)), "")
    return path.name[: len(path.name) - len(ending)]


def choose_zarr_images(
    path: Path, n_channels: int, options: ReadingOptions = ReadingOptions()
) -> ChosenImages:
    """Decide which images of a folder or archive are read; pixels are not.

    Raises:
        MissingExtraError: if zarr is not installed.
        ZarrKindError: if it holds labels, a plate, or no OME-Zarr image.
        NoSuchSeriesError, SeriesError: see `choose_told` and `choose_fitting`.
        UnreadableImageError: if it cannot be read.
    """
    with _images(path) as images:
        if options.series or len(images) == 1:
            return choose_told(path, options.series or 1, len(images))
        counts = [_count_channels(path, image, n_channels, options) for image in images]
    return choose_fitting(path, counts, n_channels)


@contextmanager
def open_zarr(
    path: Path,
    index: int = 0,
    n_channels: int | None = None,
    options: ReadingOptions = ReadingOptions(),
) -> Iterator[SourceImage]:
    """Open one image of an OME-Zarr folder or archive.

    Args:
        path: the folder or archive.
        index: of the image, where it holds several.
        n_channels: how many channels it must have, where that is known.
        options: may name the axes, and the resolution level.

    Raises:
        MissingExtraError, ZarrKindError, UnreadableImageError: see `choose_zarr_images`.
        NoSuchLevelError: if there are fewer levels.
        ImageAxesError, AxesOptionError: see `find_layout`.
        PixelTypeError: if the pixels are neither integers nor floating-point numbers.
    """
    with _images(path) as images:
        with unreadable(path):
            level = _read_level(path, images[index], options.level)
            if level.array.dtype.kind not in "iuf":
                raise PixelTypeError(path, str(level.array.dtype))
            shape = tuple(level.array.shape)
            layout = find_layout(path, level.axes, shape, n_channels, options.axes)
        yield SourceImage(
            path,
            layout.shape,
            level.array.dtype,
            level.axes,
            partial(_read_bands, level.array, layout),
            step=max(1, level.array.chunks[layout.kept[-2]]),
            channel_names=level.channel_names,
            pixel_size_um=level.pixel_size_um,
            notes=(layout.note,) if layout.note else (),
        )


def _root(archive: zipfile.ZipFile) -> str | None:
    """The folder in an archive that is Zarr: the outermost one with metadata."""
    names = (PurePosixPath(name) for name in archive.namelist())
    roots = [name.parent for name in names if name.name in _MARKERS]
    outermost = min(roots, key=lambda root: len(root.parts), default=None)
    return None if outermost is None else "" if outermost == PurePosixPath() else str(outermost)


@contextmanager
def _images(path: Path) -> Iterator[list[Any]]:
    """Open the groups of the images."""
    try:
        import zarr  # noqa: PLC0415 - an extra, not installed everywhere
    except ImportError as error:
        raise MissingExtraError(str(path), "zarr") from error
    if path.is_dir():
        with unreadable(path):
            images = _find_images(path, zarr.open_group(path, mode="r"))
        yield images
        return
    root = _archive_root(path)
    with zarr.storage.ZipStore(path, mode="r") as store:
        with unreadable(path):
            images = _find_images(path, zarr.open_group(store, path=root, mode="r"))
        yield images


def _archive_root(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            root = _root(archive)
            if root is not None and not any(item.flag_bits & 1 for item in archive.infolist()):
                return root
    except (zipfile.BadZipFile, OSError):
        pass
    raise UnreadableImageError(path, describe_archive(path))


def _find_images(path: Path, group: Any) -> list[Any]:
    """The groups that are images: this one, or those of a file that was converted with several."""
    about = _attributes(group)
    for key, kind in (
        ("plate", "a plate of images; give the folder of one field"),
        ("well", "a well of images; give the folder of one field"),
        ("image-label", "a label image; give the image that it was drawn on"),
    ):
        if key in about:
            raise ZarrKindError(path, kind)
    if "multiscales" in about:
        return [group]
    if "bioformats2raw.layout" in about:
        return [group[name] for name in _series_names(group)]
    kind = "a folder of label images" if "labels" in about else "Zarr without an OME-Zarr image"
    raise ZarrKindError(path, f"{kind}; give the image itself")


def _series_names(group: Any) -> list[str]:
    listed = _attributes(group["OME"]).get("series") if "OME" in group else None
    numbered = sorted((name for name in group.group_keys() if name.isdigit()), key=int)
    return [str(name) for name in listed or numbered]


def _attributes(group: Any) -> dict[str, Any]:
    """What the attributes say; version 0.5 has them below `ome`."""
    attributes = dict(group.attrs)
    return dict(attributes.get("ome", attributes))


def _read_level(path: Path, group: Any, number: int) -> _Level:
    about = _attributes(group)
    image = about["multiscales"][0]
    datasets = image["datasets"]
    if number >= len(datasets):
        raise NoSuchLevelError(path, number, len(datasets))
    array = group[datasets[number]["path"]]
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in image.get("axes", ())]
    if not axes:  # before version 0.3 there were always five
        axes = [{"name": name} for name in "tczyx"[-array.ndim :]]
    letters = "".join(_letter(axis) for axis in axes)
    scale = np.ones(array.ndim)
    for holder in (image, datasets[number]):
        for step in holder.get("coordinateTransformations", ()):
            if step.get("type") == "scale":
                scale *= np.asarray(step["scale"], float)
    channels = about.get("omero", {}).get("channels", ())
    names = tuple(str(channel.get("label", "")).strip() for channel in channels)
    return _Level(array, letters, _pixel_size_um(axes, scale), names)


def _letter(axis: dict[str, Any]) -> str:
    return _LETTERS.get(str(axis.get("type")), str(axis["name"])[:1].upper())


def _pixel_size_um(axes: list[dict[str, Any]], scale: NDArray[Any]) -> tuple[float, float] | None:
    sizes = {
        str(axis["name"]): float(size) * (micrometres(str(axis.get("unit"))) or 0)
        for axis, size in zip(axes, scale, strict=True)
    }
    y, x = sizes.get("y", 0.0), sizes.get("x", 0.0)
    return (y, x) if y > 0 and x > 0 else None


def _count_channels(path: Path, group: Any, n_channels: int, options: ReadingOptions) -> int:
    try:
        level = _read_level(path, group, 0)
        shape = tuple(level.array.shape)
        return find_layout(path, level.axes, shape, n_channels, options.axes).shape[0]
    except IlpixError:
        return 0


def _read_bands(array: Any, layout: Layout, n_rows: int) -> Iterator[NDArray[Any]]:
    """Read bands, of not more than `n_rows`; a chunk that holds one channel is decoded once."""
    step = array.chunks[layout.kept[-2]]
    if n_rows >= step or not layout.has_channels or array.chunks[layout.kept[0]] > 1:
        for first in range(0, layout.shape[1], n_rows):
            yield _read_rows(array, layout, slice(None), slice(first, first + n_rows))
        return
    n_channels, height, n_columns = layout.shape
    chunks = np.empty((n_channels, step, n_columns), array.dtype)  # one row of them
    for top in range(0, height, step):
        n_read = min(step, height - top)
        for channel in range(n_channels):
            one, rows = slice(channel, channel + 1), slice(top, top + n_read)
            chunks[one, :n_read] = _read_rows(array, layout, one, rows)
        for first in range(0, n_read, n_rows):
            yield chunks[:, first : min(first + n_rows, n_read)].copy()


def _read_rows(array: Any, layout: Layout, channels: slice, rows: slice) -> NDArray[Any]:
    """(channels, rows, X)."""
    windows: dict[int, slice] = dict.fromkeys(layout.kept, slice(None))
    if layout.has_channels:
        windows[layout.kept[0]] = channels
    windows[layout.kept[-2]] = rows
    stored = np.asarray(array[tuple(windows.get(k, 0) for k in range(array.ndim))])
    ordered = stored.transpose(np.argsort(np.argsort(layout.kept)))
    return ordered if layout.has_channels else ordered[np.newaxis]
