"""Training crops as other programs leave them: HDF5, TIFF or PNG files in any axis order.

A crop's axes are those its file names. A channel axis of another length than the project's number
of channels is named wrongly; the right one is then looked for among the other axes.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import tifffile
from imagecodecs import png_decode

from ilpix.disks import lost_while_read
from ilpix.errors import DiskLostError, IlpixError, told_shape
from ilpix.images.axistags import axis_keys
from ilpix.images.datasets import DatasetName, find_dataset
from ilpix.images.hdf5_reasons import hdf5_reason
from ilpix.project.damage import DAMAGE
from ilpix.project.writing import CROP_AXES
from ilpix.sources.tiff_pages import require_stored
from ilpix.wording import counted

Pixels = npt.NDArray[Any]

HDF5_SUFFIXES = (".h5", ".hdf5")
CROP_SUFFIXES = (*HDF5_SUFFIXES, ".tif", ".tiff", ".png")
CROP_DATASET: DatasetName = "crop"
KNOWN_AXES = "tzcyx"

MAX_CROP_VALUES = 2**28

# What the readers of TIFF and PNG let through when bytes are damaged.
_DAMAGE = (
    *DAMAGE,
    tifffile.TiffFileError,
    ArithmeticError,
    AssertionError,
    LookupError,
    MemoryError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class StoredCrop:
    """Where the pixels of a crop lie and how they are ordered there."""

    path: Path
    dataset: str  # of an HDF5 file; empty in other files
    axes: str  # the stored axis order, such as "zyxc"
    shape: tuple[int, ...]  # in the order of `axes`
    dtype: str

    @property
    def is_prepared(self) -> bool:
        """Whether the file is as steinbock writes it."""
        return self.path.suffix == HDF5_SUFFIXES[0] and (self.dataset, self.axes, self.dtype) == (
            CROP_DATASET,
            CROP_AXES,
            "float32",
        )

    @property
    def planes(self) -> tuple[int, int, int]:
        """(C, Y, X)."""
        sizes = dict(zip(self.axes, self.shape, strict=True))
        return sizes.get("c", 1), sizes["y"], sizes["x"]


def find_crop_files(folder: Path) -> list[Path]:
    """Return all files below a folder that may be crops, sorted; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("[!.]*")
        if path.suffix.lower() in CROP_SUFFIXES and path.is_file()
    )


def inspect_crop(path: Path, n_channels: int | None, axis_order: str | None) -> StoredCrop:
    """Look at a crop without reading its pixels (a PNG is read).

    Args:
        path: an HDF5, TIFF or PNG file.
        n_channels: of the project, where known.
        axis_order: the stored axes, in place of those that the file names.

    Raises:
        ValueError: in words for a person, if it cannot be a crop of the project.
        DiskLostError: if its disk or network share does not answer.
    """
    try:
        dataset, named_axes, shape, dtype = _inspector(path)(path)
    except DiskLostError:
        raise
    except IlpixError as error:
        raise ValueError(str(error)) from error
    except _DAMAGE as error:
        told = ValueError(f"{path.name} cannot be read: {hdf5_reason(error)}")
        raise lost_while_read(error, path) or told from error
    if dtype.kind not in "iuf" or math.prod(shape) > MAX_CROP_VALUES or 0 in shape:
        raise ValueError(
            f"{path.name} has shape {told_shape(shape)} and type {dtype}, which no crop has"
        )
    axes = resolve_axes(axis_order or named_axes, shape, n_channels)
    return StoredCrop(path, dataset, axes, shape, str(dtype))


def read_crop(crop: StoredCrop) -> Pixels:
    """Read the pixels of a crop.

    Returns:
        (C, Y, X) float32.

    Raises:
        ValueError: if the file has changed or is damaged.
        DiskLostError: if its disk or network share does not answer.
    """
    try:
        stored = _read_stored(crop)
    except _DAMAGE as error:
        told = ValueError(f"{crop.path.name} cannot be read: {hdf5_reason(error)}")
        raise lost_while_read(error, crop.path) or told from error
    if stored.shape != crop.shape:
        raise ValueError(f"{crop.path.name} has changed since it was looked at")
    return to_planes(stored, crop.axes)


def to_planes(stored: Pixels, axes: str) -> Pixels:
    """Return pixels as (C, Y, X) float32; axes other than these three have length 1."""
    kept = [key for key in axes if key in CROP_AXES]
    planes = stored.reshape([stored.shape[axes.index(key)] for key in kept])
    if "c" not in kept:
        kept, planes = ["c", *kept], planes[np.newaxis]
    ordered = planes.transpose([kept.index(key) for key in CROP_AXES])
    return np.ascontiguousarray(ordered, dtype=np.float32)


def resolve_axes(axes: str, shape: tuple[int, ...], n_channels: int | None) -> str:
    """Return the axes that make a plane of `n_channels` channels of `shape`: `axes` or near it.

    Raises:
        ValueError: if the axes do not fit the shape, or it is not clear which are the channels.
    """
    if len(axes) != len(shape) or not {"y", "x"} <= set(axes) or len(set(axes)) != len(axes):
        named = axes or "it names"
        raise ValueError(
            f"the axes {named} do not fit the shape {told_shape(shape)}; give the axis order"
        )
    if _is_plane(axes, shape, n_channels):
        return axes
    found = []
    for position in range(len(shape)):
        orders = _with_channels_at(axes, position)
        found += [order for order in orders if _is_plane(order, shape, n_channels)][:1]
    if n_channels is None or len(found) != 1:
        wanted = "channels" if n_channels is None else counted(n_channels, "channel")
        raise ValueError(
            f"has shape {told_shape(shape)} with the axes {axes}, which is no plane of {wanted}"
        )
    return found[0]


def _with_channels_at(axes: str, position: int) -> list[str]:
    """Axis orders with the channels at a position: the others move up, or two change places."""
    others = axes.replace("c", "")
    if "c" not in axes:
        return [axes[:position] + "c" + axes[position + 1 :]]
    moved = others[:position] + "c" + others[position:]
    swapped = axes.replace("c", "?").replace(axes[position], "c").replace("?", axes[position])
    return [moved, swapped]


def _is_plane(axes: str, shape: tuple[int, ...], n_channels: int | None) -> bool:
    sizes = dict(zip(axes, shape, strict=True))
    is_flat = all(size == 1 for key, size in sizes.items() if key not in CROP_AXES)
    has_channels = n_channels in {None, sizes.get("c", 1)}
    return is_flat and has_channels and {"y", "x"} <= set(axes)


_Header = tuple[str, str, tuple[int, ...], np.dtype[Any]]  # dataset, axes, shape, type


def _inspector(path: Path) -> Callable[[Path], _Header]:
    if path.suffix.lower() in HDF5_SUFFIXES:
        return _inspect_hdf5
    return _inspect_png if path.suffix.lower() == ".png" else _inspect_tiff


def _inspect_hdf5(path: Path) -> _Header:
    with h5py.File(path, "r") as file:
        dataset = find_dataset(file, path, (CROP_DATASET, "img"))
        try:
            axes = axis_keys(dataset)
        except ValueError:  # unnamed or misnamed: only a given axis order helps
            axes = ""
        return dataset.name.lstrip("/"), axes, dataset.shape, dataset.dtype


def _inspect_tiff(path: Path) -> _Header:
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        require_stored(file, series)
        return "", _plain_axes(series.axes, series.shape), series.shape, np.dtype(series.dtype)


def _inspect_png(path: Path) -> _Header:
    pixels = png_decode(path.read_bytes())
    return "", "yxc"[: pixels.ndim], pixels.shape, pixels.dtype


def _read_stored(crop: StoredCrop) -> Pixels:
    if crop.dataset:
        with h5py.File(crop.path, "r") as file:
            return np.asarray(file[crop.dataset][()])
    if crop.path.suffix.lower() == ".png":
        return np.asarray(png_decode(crop.path.read_bytes()))
    with tifffile.TiffFile(crop.path) as file:
        return np.asarray(file.series[0].asarray())


def _plain_axes(axes: str, shape: tuple[int, ...]) -> str:
    """Axes of a TIFF in our letters; samples and planes that are only numbered are channels."""
    letters = axes.lower().replace("s", "c")
    for position, letter in enumerate(letters):
        if letter not in KNOWN_AXES and "c" not in letters:
            letters = letters[:position] + "c" + letters[position + 1 :]
    if set(letters) <= set(KNOWN_AXES):
        return letters
    raise ValueError(f"has the axes {axes} of lengths {told_shape(shape)}")
