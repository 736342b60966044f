"""Prepared images in steinbock's Ilastik HDF5: written as steinbock does, read in any axis order.

One file holds one dataset, `img` for a whole image and `crop` for a crop, (C, Y, X) float32 and
contiguous, with the attributes `display_mode`, `axistags` and `steinbock`. A fourth attribute,
`ilpix`, is our own: an `ImageRecord` as JSON, which other programs ignore.

Files of other programs name their axes in `axistags`, may keep the pixels in chunks and in another
type, and may name the dataset after the file. `open_prepared` hides these differences and reads
only the window asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from ilpix.disks import lost_while_read
from ilpix.errors import IlpixError
from ilpix.files import printable, replacing
from ilpix.images.axistags import AXES, axis_keys, axistags_json
from ilpix.images.datasets import DatasetName, find_dataset, with_room_for_pieces
from ilpix.images.errors import (
    DuplicateImagesError,
    FileNameError,
    ImageAxesError,
    NoPreparedImagesError,
    PixelTypeError,
    UnreadableImageError,
)
from ilpix.images.hdf5_reasons import hdf5_reason
from ilpix.images.left_out import (
    is_dangling,
    is_visible_file,
    list_folder,
    require_reachable,
    tell_hidden,
)
from ilpix.images.new_hdf5 import new_large_hdf5
from ilpix.images.preparation_options import PreparationOptions

FloatImage = NDArray[np.float32]

SUFFIXES = frozenset({".h5", ".hdf5", ".he5"})
_DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError)  # what h5py makes of it
_ASCII = h5py.string_dtype("ascii")


class ImageRecord(BaseModel, frozen=True, extra="forbid"):
    """How a prepared image was made; compared before a classifier is applied to it."""

    channel_names: tuple[str, ...]
    preparation: PreparationOptions
    pixel_size_um: tuple[float, float] | None = None  # (y, x) of this image, where it is known

    @model_serializer(mode="wrap")
    def _without_unknown(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The record of an image of unknown pixel size does not mention it."""
        fields: dict[str, Any] = serialise(self)
        return {name: value for name, value in fields.items() if value is not None}


class ImageHeader(BaseModel, frozen=True):
    """What an image file says of itself, without its pixels."""

    shape: tuple[int, int, int]  # (C, Y, X), whatever the stored order
    axes: str  # the stored order, such as "zyxc"
    record: ImageRecord | None  # None where another program wrote the file
    note: str | None  # how axes without names were taken


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """An open image file; valid inside the `open_prepared` block that made it."""

    path: Path
    shape: tuple[int, int, int]  # (C, Y, X), whatever the stored order
    dtype: np.dtype[Any]  # as stored
    record: ImageRecord | None  # None where another program wrote the file
    axes: str  # the stored order, such as "zyxc"
    _dataset: h5py.Dataset
    note: str | None = None  # how axes without names were taken

    @property
    def header(self) -> ImageHeader:
        """What the file says of itself."""
        return ImageHeader(shape=self.shape, axes=self.axes, record=self.record, note=self.note)

    @property
    def pixel_size_um(self) -> tuple[float, float] | None:
        """The (y, x) size of one pixel in µm, where it is known."""
        return self.record.pixel_size_um if self.record else None

    def read(self, rows: slice = slice(None), columns: slice = slice(None)) -> FloatImage:
        """Read a window of all channels.

        Returns:
            (C, Y, X) float32, C-contiguous; Y and X are those of the window.

        Raises:
            UnreadableImageError: if the stored pixels are damaged.
        """
        windows = {"c": slice(None), "y": rows, "x": columns}
        kept = [key for key in self.axes if key in AXES]
        try:
            stored = self._dataset[tuple(windows.get(key, 0) for key in self.axes)]
        except (OSError, RuntimeError) as error:
            lost = lost_while_read(error, self.path)
            raise lost or UnreadableImageError(self.path, str(error)) from error
        if "c" not in kept:
            kept, stored = ["c", *kept], stored[np.newaxis]
        ordered = np.transpose(stored, [kept.index(key) for key in AXES])
        return np.ascontiguousarray(ordered, dtype=np.float32)


def write_image(
    path: Path, image: NDArray[Any], record: ImageRecord | None, dataset: DatasetName = "img"
) -> None:
    """Write an image as steinbock does, whole or not at all; the same input gives the same bytes.

    Args:
        path: the target, which is replaced where it exists.
        image: (C, Y, X); stored as float32.
        record: how the image was made; None leaves the attribute out.
        dataset: `img` for a whole image, `crop` for a crop.

    Example:
        >>> write_image(Path("ilastik_img/noise.h5"), np.ones((4, 60, 50)), None)
    """
    write_bands(path, image.shape, [image], record, dataset)


def write_bands(
    path: Path,
    shape: tuple[int, ...],
    bands: Iterable[NDArray[Any]],
    record: ImageRecord | None,
    dataset: DatasetName = "img",
) -> None:
    """Write an image like `write_image`, band after band.

    Args:
        path: the target, which is replaced where it exists.
        shape: (C, Y, X) of the image.
        bands: (C, rows, X) each, from top to bottom, Y rows in all.
        record: as for `write_image`.
        dataset: as for `write_image`.
    """
    with replacing(path) as temporary, new_large_hdf5(temporary) as file:
        stored = file.create_dataset(dataset, shape, np.float32, track_times=False)
        first = 0
        for band in bands:
            stored[:, first : first + band.shape[1]] = np.asarray(band, dtype=np.float32)
            first += band.shape[1]
        if first != shape[1]:
            raise ValueError(f"{first} rows were given for an image of {shape[1]}")
        stored.attrs.create("display_mode", "grayscale", dtype=_ASCII)
        stored.attrs.create("axistags", axistags_json(AXES), dtype=_ASCII)
        stored.attrs["steinbock"] = True
        if record is not None:
            stored.attrs["ilpix"] = record.model_dump_json()


def find_prepared(folder: Path) -> list[Path]:
    """Return the prepared images of a folder, sorted by name.

    Raises:
        NoPreparedImagesError: if there are none, or no such folder.
        DuplicateImagesError: if the results of several images would have the same name.
        FolderNotReadableError: if nobody may look into it.
    """
    images = [path for path in list_folder(folder) if _is_prepared(path)]
    if not images:
        others = tuple(f"{name} {what}" for name, what in find_foreign(folder).items())
        raise NoPreparedImagesError(folder, others)
    by_stem: defaultdict[str, list[Path]] = defaultdict(list)
    for image in images:
        by_stem[image.stem].append(image)
    if same := tuple(tuple(paths) for paths in by_stem.values() if len(paths) > 1):
        raise DuplicateImagesError(same)
    return images


def find_foreign(folder: Path) -> dict[str, str]:
    """Return the files of a folder of prepared images that are none, and what to do with each."""
    paths = list_folder(folder)
    names = [
        printable(path.name) for path in paths if is_visible_file(path) and not _is_prepared(path)
    ]
    told = dict.fromkeys(names, "is no prepared image (*.h5); prepare the image it is made from")
    return told | tell_hidden(paths, SUFFIXES)


def _is_prepared(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and (
        is_visible_file(path) or (is_dangling(path) and not path.name.startswith("."))
    )


@contextmanager
def open_prepared(path: Path, n_channels: int | None = None) -> Iterator[PreparedImage]:
    """Open a prepared image or crop of any axis order, to read parts of it.

    Args:
        path: an HDF5 file.
        n_channels: how many channels the image must have, where that is known: tells the channels
            in files whose axes have no names.

    Raises:
        FileNameError, DanglingLinkError: see `require_openable`.
        UnreadableImageError: if the file is not HDF5, is cut short, or its attributes are damaged.
        MissingDatasetError: if it does not say which dataset is the image.
        ImageAxesError: if the image is a stack (z or t longer than 1), or its axes are not named.
        PixelTypeError: if the pixels are neither integers nor floating-point numbers.

    Example:
        >>> with open_prepared(Path("ilastik_img/region_1.h5")) as image:
        ...     image.shape, image.read(slice(0, 10)).shape
        ((4, 220, 260), (4, 10, 260))
    """
    require_openable(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        lost = lost_while_read(error, path)
        raise lost or UnreadableImageError(path, hdf5_reason(error)) from error
    with file:
        try:
            image = _describe(path, file, n_channels)
        except IlpixError:
            raise
        except _DAMAGE as error:
            lost = lost_while_read(error, path)
            raise lost or UnreadableImageError(path, str(error)) from error
        yield image


def require_openable(path: Path) -> None:
    """Make sure that a file has a name that can be written down, and is not a link to nothing.

    Raises:
        FileNameError, DanglingLinkError: if not.
    """
    if printable(path.name) != path.name:
        raise FileNameError(printable(path.name))
    require_reachable(path)


def _describe(path: Path, file: h5py.File, n_channels: int | None) -> PreparedImage:
    dataset = find_dataset(file, path)
    if dataset.dtype.kind not in "iuf":
        raise PixelTypeError(path, str(dataset.dtype))
    axes = _plane_axes(path, dataset, n_channels)
    sizes = dict(zip(axes, dataset.shape, strict=True))
    shape = (sizes.get("c", 1), sizes["y"], sizes["x"])
    is_guessed = axes not in {AXES, "yx"} and "axistags" not in dataset.attrs
    note = f"its axes have no names and are taken for {axes}" if is_guessed else None
    record = _read_record(path, dataset)
    pixels = with_room_for_pieces(dataset, axes)
    return PreparedImage(path, shape, dataset.dtype, record, axes, pixels, note)


def _plane_axes(path: Path, dataset: h5py.Dataset, n_channels: int | None) -> str:
    """The stored axes, of which all but c, y and x are known to have length 1."""
    try:
        axes = axis_keys(dataset, n_channels)
    except ValueError as error:
        raise UnreadableImageError(path, str(error)) from error
    is_stack = any(
        size != 1 for key, size in zip(axes, dataset.shape, strict=True) if key not in AXES
    )
    if is_stack or not {"y", "x"} <= set(axes) or 0 in dataset.shape:
        raise ImageAxesError(path, axes, dataset.shape)
    return axes


def _read_record(path: Path, dataset: h5py.Dataset) -> ImageRecord | None:
    text = dataset.attrs.get("ilpix")
    if text is None:
        return None
    try:
        return ImageRecord.model_validate_json(text)
    except ValidationError as error:
        raise UnreadableImageError(path, f"its attribute 'ilpix' is damaged: {error}") from error
