"""Global heaps of an HDF5 file, where its texts are, looked at before the HDF5 library reads them.

A collection is a chain of objects, each of which says how long it is. The library (2.0 as well)
follows the chain without a look at where it leads: a free object of length 0 holds it for ever, and
with it every other thread that reads any HDF5 file. The layout is that of the HDF5 file format
specification (version 3, section III.E).
"""

import struct
from collections.abc import Callable

_SIGNATURE = b"GCOL"
_HEADER = struct.Struct("<4sB3xQ")  # signature, version, length of the collection
_OBJECT = struct.Struct("<HH4xQ")  # index (0: free space), references, length
_SMALLEST, _LARGEST = 4096, 2**26  # bytes of a collection

ReadBytes = Callable[[int, int], bytes]  # from an offset, so many


def read_heap(read: ReadBytes, address: int) -> dict[int, int]:
    """Return the length in bytes of each object of a collection, by its index.

    Args:
        read: returns bytes of the file, or raises ValueError beyond its end.
        address: where the collection begins.

    Raises:
        ValueError: if there is no collection, or its objects do not fill it exactly.
    """
    signature, version, size = _HEADER.unpack(read(address, _HEADER.size))
    if signature != _SIGNATURE or version != 1 or not _SMALLEST <= size <= _LARGEST:
        raise ValueError("has a text that lies where no texts are")
    return _lengths(read(address, size))


def _lengths(collection: bytes) -> dict[int, int]:
    lengths: dict[int, int] = {}
    place = _HEADER.size
    while place + _OBJECT.size <= len(collection):
        index, _, length = _OBJECT.unpack_from(collection, place)
        if index:
            lengths[index] = length
        # free space counts its own header, an object does not and is filled up to eight bytes
        taken = _OBJECT.size + length + -length % 8 if index else length
        if not _OBJECT.size <= taken <= len(collection) - place:
            raise ValueError("has texts that are damaged")
        place += taken
    return lengths
