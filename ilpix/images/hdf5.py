"""Prepared images in steinbock's Ilastik HDF5: written as steinbock does, read in any axis order.

One file holds one dataset, `img` for a whole image and `crop` for a crop, (C, Y, X) float32 and
contiguous, with the attributes `display_mode`, `axistags` and `steinbock`. A fourth attribute,
`ilpix`, is our own: an `ImageRecord` as JSON, which other programs ignore.

Files of other programs name their axes in `axistags`, may keep the pixels in chunks and in another
type, and may name the dataset after the file. `open_prepared` hides these differences and reads
only the window asked for.
"""

import json
import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from ilpix.errors import IlpixError
from ilpix.files import printable, replacing
from ilpix.images.errors import (
    DuplicateImagesError,
    FileNameError,
    ImageAxesError,
    MissingDatasetError,
    NoPreparedImagesError,
    PixelTypeError,
    UnreadableImageError,
)
from ilpix.images.preparation import PreparationOptions
from ilpix.images.stored_texts import StoredTexts

DatasetName = Literal["img", "crop"]
FloatImage = NDArray[np.float32]

AXES = "cyx"
SUFFIXES = frozenset({".h5", ".hdf5", ".he5"})
TYPE_FLAGS = {"c": 1, "x": 2, "y": 2, "z": 2, "t": 8}  # Ilastik's number for a kind of axis
_DAMAGE = (OSError, RuntimeError, KeyError, TypeError, ValueError)  # what h5py makes of it
_READ_ATTRIBUTES = ("axistags", "ilpix")
_LONGEST_TEXT = 2**20
_NEGLIGIBLE_BYTES = 2**26  # of pixels that need not be stored
_MOST_COMPRESSION = 500  # gzip shortens nothing by more than 1032, and images by far less
_LARGEST_PIECE = 2**28  # bytes of a chunk
_CACHE_SLOTS = 100_003  # a prime, far more than there are chunks in the cache
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
            raise UnreadableImageError(self.path, str(error)) from error
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
    with replacing(path) as temporary, h5py.File(temporary, "w", libver="earliest") as file:
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
    """
    images = sorted(path for path in folder.glob("[!.]*") if _is_prepared(path))
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
    names = sorted(
        path.name for path in folder.glob("[!.]*") if path.is_file() and not _is_prepared(path)
    )
    return dict.fromkeys(names, "is no prepared image (*.h5); prepare the image it is made from")


def _is_prepared(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


@contextmanager
def open_prepared(path: Path, n_channels: int | None = None) -> Iterator[PreparedImage]:
    """Open a prepared image or crop of any axis order, to read parts of it.

    Args:
        path: an HDF5 file.
        n_channels: how many channels the image must have, where that is known: tells the channels
            in files whose axes have no names.

    Raises:
        UnreadableImageError: if the file is not HDF5, is cut short, or its attributes are damaged.
        MissingDatasetError: if it does not say which dataset is the image.
        ImageAxesError: if the image is a stack (z or t longer than 1), or its axes are not named.
        PixelTypeError: if the pixels are neither integers nor floating-point numbers.

    Example:
        >>> with open_prepared(Path("ilastik_img/region_1.h5")) as image:
        ...     image.shape, image.read(slice(0, 10)).shape
        ((4, 220, 260), (4, 10, 260))
    """
    if printable(path.name) != path.name:
        raise FileNameError(printable(path.name))
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UnreadableImageError(path, str(error)) from error
    with file:
        try:
            image = _describe(path, file, n_channels)
        except IlpixError:
            raise
        except _DAMAGE as error:
            raise UnreadableImageError(path, str(error)) from error
        yield image


def find_dataset(
    file: h5py.File, path: Path, usual_names: tuple[DatasetName, ...] = ("img", "crop")
) -> h5py.Dataset:
    """Return the dataset that holds the image.

    Args:
        file: an open file. A link in it is not followed: it may name any file of this machine.
        path: where that file lies; its stem is looked for after the usual names, then the only one.
        usual_names: which names are looked for, the first one first.

    Raises:
        MissingDatasetError: if there is none of these.
        UnreadableImageError: if pixels are, or may be, in another file.
    """
    datasets = _list_datasets(file, path) or _list_nested(file, path)
    found = next((name for name in (*usual_names, path.stem) if name in datasets), None)
    if found is None and len(datasets) != 1:
        raise MissingDatasetError(path, tuple(datasets))
    dataset = datasets[found or next(iter(datasets))]
    if dataset.shape is None or dataset.is_virtual or dataset.external:
        raise UnreadableImageError(path, "it holds no pixels, or has them in another file")
    require_sound_texts(path, dataset)
    require_stored(path, dataset)
    return dataset


def require_stored(path: Path, dataset: h5py.Dataset) -> None:
    """Make sure that the pixels that a dataset claims to have are stored, before anything is read.

    Raises:
        UnreadableImageError: if the file holds far fewer bytes than the pixels would need, or a
            compressed piece of them is larger than can be read.
    """
    claimed, stored = dataset.size * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if claimed > max(_NEGLIGIBLE_BYTES, stored * _MOST_COMPRESSION):
        what = f"it claims {claimed / 1e6:,.0f} MB of pixels and holds {stored / 1e6:,.3f} MB"
        raise UnreadableImageError(path, f"{what}; it was not written to its end, or is damaged")
    piece = _piece_bytes(dataset)
    if piece > _LARGEST_PIECE:
        what = f"it stores its pixels in pieces of {piece / 1e6:,.0f} MB"
        raise UnreadableImageError(path, f"{what}; store them in pieces of a few MB (chunks)")


def _piece_bytes(dataset: h5py.Dataset) -> int:
    return math.prod(dataset.chunks or ()) * dataset.dtype.itemsize if dataset.chunks else 0


def _with_room_for_pieces(dataset: h5py.Dataset, axes: str) -> h5py.Dataset:
    """Open a dataset so that pieces of the same rows are unpacked once, not for every few rows."""
    if not dataset.chunks:
        return dataset
    pieces = zip(axes, dataset.shape, dataset.chunks, strict=True)
    abreast = math.prod(-(-size // chunk) for key, size, chunk in pieces if key != "y")
    one = _piece_bytes(dataset)
    n_bytes = max(one, min(2 * abreast * one, _LARGEST_PIECE))
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(_CACHE_SLOTS, n_bytes, 1.0)
    return h5py.Dataset(h5py.h5d.open(dataset.file.id, dataset.name.encode(), access))


def _list_datasets(group: h5py.Group, path: Path) -> dict[str, h5py.Dataset]:
    if any(not isinstance(group.get(name, getlink=True), h5py.HardLink) for name in group):
        raise UnreadableImageError(path, "it holds links to other data")
    return {name: item for name, item in group.items() if isinstance(item, h5py.Dataset)}


def _list_nested(group: h5py.Group, path: Path, depth: int = 3) -> dict[str, h5py.Dataset]:
    """The datasets of the groups below one that has none, as Ilastik's `volume/data`."""
    groups = {name: item for name, item in group.items() if isinstance(item, h5py.Group)}
    return {
        f"{name}/{below}": dataset
        for name, item in groups.items()
        if depth
        for below, dataset in (
            _list_datasets(item, path) or _list_nested(item, path, depth - 1)
        ).items()
    }


def require_sound_texts(path: Path, dataset: h5py.Dataset) -> None:
    """Make sure that the attributes that are read here can be: damage may hold the HDF5 library.

    Raises:
        UnreadableImageError: if one is damaged, or of unbelievable length.
    """
    header = h5py.h5o.get_info(dataset.id).addr
    try:
        with StoredTexts(path, dataset.file.userblock_size) as texts:
            longest = texts.longest_in_attributes(header, _READ_ATTRIBUTES)
    except (ValueError, IndexError, struct.error) as error:
        raise UnreadableImageError(path, f"its dataset {dataset.name} {error}") from error
    if longest > _LONGEST_TEXT:
        raise UnreadableImageError(path, f"an attribute claims to be {longest} characters long")


def axis_keys(dataset: h5py.Dataset, n_channels: int | None = None) -> str:
    """Return the axes of a dataset in stored order, such as `cyx`.

    Without `axistags`, three axes are taken for `cyx`, as steinbock tells Ilastik to take them; but
    where only another one is as long as there are channels, that is the axis of the channels, also
    among more axes of which the others have length 1.

    Raises:
        ValueError: if the tags cannot be read or do not fit the dataset's number of axes.
    """
    tags = dataset.attrs.get("axistags")
    if tags is None:
        keys = _guess_axes(dataset.shape, n_channels)
    else:
        keys = parse_axistags(tags.decode() if isinstance(tags, bytes) else str(tags))
    if len(keys) != dataset.ndim:
        what = f"the axes {keys}" if keys else "axes without names"
        raise ValueError(
            f"{what} do not fit its {dataset.ndim} dimensions {dataset.shape}; name them in the "
            "attribute 'axistags', as Ilastik's plugin for Fiji does"
        )
    return keys


def _guess_axes(shape: tuple[int, ...], n_channels: int | None) -> str:
    """The axes of a dataset that does not name them; empty where there is no telling."""
    usual = AXES[-len(shape) :] if len(shape) in {2, 3} else ""
    if usual == AXES and n_channels in {None, shape[0]}:
        return usual
    long = [k for k, size in enumerate(shape) if size > 1]
    channels = [k for k in long if shape[k] == n_channels]
    plane = [k for k in long if k not in channels]
    if len(channels) > 1 or len(plane) != 2 or (n_channels != 1 and not channels):
        return usual
    names = dict(zip([*channels, *plane], "cyx" if channels else "yx", strict=True))
    spare = iter("tzabdefgh"[max(0, 2 - (len(shape) - len(names))) :])
    return "".join(names[k] if k in names else next(spare) for k in range(len(shape)))


def parse_axistags(text: str) -> str:
    """Return the axis keys of an `axistags` JSON text in their order, such as `zyxc`.

    Raises:
        ValueError: if the text does not name one-letter axes, each once.
    """
    try:
        keys = [str(axis["key"]) for axis in json.loads(text)["axes"]]
    except (KeyError, TypeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the axis tags cannot be read: {text[:80]!r}") from error
    if any(len(key) != 1 for key in keys) or len(set(keys)) != len(keys):
        raise ValueError(f"the axis tags name {', '.join(keys)}")
    return "".join(keys)


def axistags_json(keys: str) -> str:
    """Return the `axistags` text for axes (letters of `cxyzt`), in steinbock's spelling."""
    return json.dumps({"axes": [{"key": key, "typeFlags": TYPE_FLAGS[key]} for key in keys]})


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
    pixels = _with_room_for_pieces(dataset, axes)
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
