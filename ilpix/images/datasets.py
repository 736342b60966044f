"""Which dataset of an HDF5 file is the image, and whether it holds what it claims."""

import math
import struct
from pathlib import Path
from typing import Literal

import h5py

from ilpix.images.errors import MissingDatasetError, UnreadableImageError
from ilpix.images.stored_texts import StoredTexts

DatasetName = Literal["img", "crop"]
_READ_ATTRIBUTES = ("axistags", "ilpix")
_LONGEST_TEXT = 2**20
_NEGLIGIBLE_BYTES = 2**26  # of pixels that need not be stored
_MOST_COMPRESSION = 500  # gzip shortens nothing by more than 1032, and images by far less
_LARGEST_PIECE = 2**28  # bytes of a chunk
_CHECKSUM_BYTES = 4
_FEW_PIECES = 2**16  # chunks that need not be stored, each of which takes time all the same
_CACHE_SLOTS = 100_003  # a prime, far more than there are chunks in the cache


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
    if what := exaggerates(dataset):
        raise UnreadableImageError(path, f"it {what}; it was not written to its end, or is damaged")
    piece = _piece_bytes(dataset)
    if piece > _LARGEST_PIECE:
        what = f"it stores its pixels in pieces of {piece / 1e6:,.0f} MB"
        raise UnreadableImageError(path, f"{what}; store them in pieces of a few MB (chunks)")


def exaggerates(dataset: h5py.Dataset) -> str:
    """Say by how much a dataset claims more than is stored of it; empty where all may be there.

    Reading one that does would take gigabytes, or hours for pieces of which none is stored.
    """
    claimed = (dataset.size or 0) * dataset.dtype.itemsize
    if claimed <= _NEGLIGIBLE_BYTES and not dataset.chunks:
        return ""
    stored = dataset.id.get_storage_size()
    if claimed > max(_NEGLIGIBLE_BYTES, stored * _MOST_COMPRESSION):
        return f"claims {claimed / 1e6:,.0f} MB of values and holds {stored / 1e6:,.3f} MB"
    n_pieces = _n_pieces(dataset)
    if n_pieces > max(_FEW_PIECES, stored):  # at least a byte of each
        return f"claims values in {n_pieces} pieces and holds {stored} bytes of them"
    if dataset.chunks and _has_short_piece(dataset):
        return "holds pieces of its values that are shorter than they must be"
    return ""


def _has_short_piece(dataset: h5py.Dataset) -> bool:
    """Whether a stored chunk is too short: the HDF5 library reads on behind its end."""
    pipeline = dataset.id.get_create_plist()
    filters = [pipeline.get_filter(k)[0] for k in range(pipeline.get_nfilters())]
    whole = _piece_bytes(dataset)

    def is_short(piece: h5py.h5d.StoreInfo) -> bool | None:
        active = {kind for k, kind in enumerate(filters) if not piece.filter_mask >> k & 1}
        checksum = _CHECKSUM_BYTES if h5py.h5z.FILTER_FLETCHER32 in active else 0
        shrinks = active - {h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_SHUFFLE}
        return piece.size < checksum + (1 if shrinks else whole) or None  # None: look at the next

    return bool(dataset.id.chunk_iter(is_short))


def _n_pieces(dataset: h5py.Dataset) -> int:
    pieces = zip(dataset.shape or (), dataset.chunks or (), strict=False)
    return math.prod(-(-size // chunk) for size, chunk in pieces)


def _piece_bytes(dataset: h5py.Dataset) -> int:
    return math.prod(dataset.chunks or ()) * dataset.dtype.itemsize if dataset.chunks else 0


def with_room_for_pieces(dataset: h5py.Dataset, axes: str) -> h5py.Dataset:
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
    # h5py's low-level calls, as this is done for each of thousands of images
    names, links = list(group.id), group.id.links
    if any(links.get_info(name).type != h5py.h5l.TYPE_HARD for name in names):
        raise UnreadableImageError(path, "it holds links to other data")
    items = {name: h5py.h5o.open(group.id, name) for name in names}
    return {
        name.decode("utf-8", "surrogateescape"): h5py.Dataset(item, readonly=True)
        for name, item in items.items()
        if isinstance(item, h5py.h5d.DatasetID)
    }


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
