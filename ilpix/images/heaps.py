"""Global heaps of an HDF5 file, where its texts are, looked at before the HDF5 library reads them.

A collection is a chain of objects, each of which says how long it is. The library (2.0 as well)
follows the chain without a look at where it leads: a free object of length 0 holds it for ever, and
with it every other thread that reads any HDF5 file. The layout is that of the HDF5 file format
specification (version 3, section III.E).
"""

import re
import struct
from collections.abc import Callable, Iterator
from mmap import mmap
from pathlib import Path

_SIGNATURE = b"GCOL"
_HEADER = struct.Struct("<4sB3xQ")  # signature, version, length of the collection
_OBJECT = struct.Struct("<HH4xQ")  # index (0: free space), references, length
_FREE = 0  # the index of free space
_SMALLEST, _LARGEST = 4096, 2**26  # bytes of a collection

_START = re.compile(rb"GCOL\x01\x00\x00\x00(?=.{8})", re.DOTALL)  # and a length behind it

ReadBytes = Callable[[int, int], bytes]  # from an offset, so many


class DamagedHeapError(ValueError):
    """The objects of a collection do not follow one another to its end."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place  # of the first unsound object, in the collection

    def __str__(self) -> str:
        return "holds damaged texts"


def read_heap(read: ReadBytes, address: int) -> dict[int, int]:
    """Return the length in bytes of each object of a collection, by its index.

    Args:
        read: returns bytes of the file, or raises ValueError beyond its end.
        address: where the collection begins.

    Raises:
        ValueError: if there is no collection.
        DamagedHeapError: if its objects do not fill it exactly.
    """
    signature, version, size = _HEADER.unpack(read(address, _HEADER.size))
    if signature != _SIGNATURE or version != 1 or not _SMALLEST <= size <= _LARGEST:
        raise ValueError("has a text that lies where no texts are")
    return dict(_objects(read(address, size)))


def mend_heaps(path: Path) -> int:
    """Turn everything behind the last sound object of each collection of a file into free space.

    Returns:
        How many collections were damaged; their other texts can be read then.
    """
    n_mended = 0
    with path.open("r+b") as file, mmap(file.fileno(), 0) as content:
        for start in [found.start() for found in _START.finditer(content)]:
            _, _, size = _HEADER.unpack_from(content, start)
            if _SMALLEST <= size <= min(_LARGEST, len(content) - start):
                n_mended += _mend(content, start, size)
    return n_mended


def _mend(content: mmap, start: int, size: int) -> bool:
    try:
        list(_objects(content[start : start + size]))
    except DamagedHeapError as error:
        _OBJECT.pack_into(content, start + error.place, _FREE, 0, size - error.place)
        return True
    return False


def _objects(collection: bytes) -> Iterator[tuple[int, int]]:
    """Yield index and length of each object; free space is none."""
    place = _HEADER.size
    while place + _OBJECT.size <= len(collection):
        index, _, length = _OBJECT.unpack_from(collection, place)
        # free space counts its own header, an object does not and is filled up to eight bytes
        taken = length if index == _FREE else _OBJECT.size + length + -length % 8
        if not _OBJECT.size <= taken <= len(collection) - place:
            raise DamagedHeapError(place)
        place += taken
        if index != _FREE:
            yield index, length
