"""How long the texts of an HDF5 file claim to be, found without reading them.

A text is stored as its length and where it lies. The HDF5 library allocates the length before it
looks whether such a text exists, so that one wrong bit costs gigabytes. Here the stored lengths
themselves are read, as the HDF5 file format specification (version 3, sections IV.A.1 and IV.A.2.m)
lays them out. Only contiguous datasets and object headers of version 1 are understood, which is
what Ilastik writes.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import h5py

_TEXT_BYTES = 16  # of a stored text: length (4), heap address (8), heap index (4)
_CONTINUATION, _ATTRIBUTE = 0x10, 0x0C
_PLAIN_KINDS = {0, 1, 3, 5, 8}  # integer, float, text of fixed length, opaque, enumeration
_TEXT_KIND = 9
_MAX_BLOCKS = 1000


class StoredTexts:
    """Reads lengths of texts from the bytes of a file; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def longest_in(self, dataset: h5py.h5d.DatasetID) -> int:
        """Return the longest text of a dataset, in bytes; 0 where it holds none.

        Raises:
            ValueError: if its type is none that a project uses, or its texts are not contiguous.
        """
        kind = dataset.get_type()
        if not (isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()):
            if kind.get_class() not in _PLAIN_KINDS:
                raise ValueError("has a type that no project uses")
            return 0
        offset, n_bytes = dataset.get_offset(), dataset.get_storage_size()
        if n_bytes == 0:
            return 0
        if offset is None:
            raise ValueError("holds texts in chunks, which no project does")
        return _longest(self._read(offset, n_bytes))

    def longest_in_attributes(self, header: int) -> int:
        """Return the longest text among the attributes of an object, in bytes.

        Args:
            header: the address of the object.

        Raises:
            ValueError: if the header is damaged, or of another version than Ilastik writes.
        """
        return max(map(_longest_in_attribute, self._messages(header)), default=0)

    def _messages(self, header: int) -> Iterator[bytes]:
        """Yield the attribute messages of a version 1 object header."""
        version, _, _, _, size = struct.unpack("<BBHII", self._read(header, 12))
        if version != 1:
            raise ValueError("has attributes in a format that no project uses")
        blocks = [(header + 16, size)]
        for number, (start, length) in enumerate(blocks):
            if number > _MAX_BLOCKS:
                raise ValueError("has an endless header")
            block = self._read(start, length)
            place = 0
            while place + 8 <= length:
                kind, n_bytes = struct.unpack_from("<HH", block, place)
                message = block[place + 8 : place + 8 + n_bytes]
                if kind == _CONTINUATION:
                    blocks.append(struct.unpack("<QQ", message[:16]))
                elif kind == _ATTRIBUTE:
                    yield message
                place += 8 + n_bytes

    def _read(self, offset: int, n_bytes: int) -> bytes:
        self._file.seek(0, 2)
        if offset + n_bytes > self._file.tell():
            raise ValueError("points beyond the end of the file")
        self._file.seek(offset)
        return self._file.read(n_bytes)


def _longest_in_attribute(message: bytes) -> int:
    version, _, *sizes = struct.unpack_from("<BBHHH", message)
    start = 9 if version == 3 else 8  # version 3 names its encoding
    if version == 1:
        sizes = [size + -size % 8 for size in sizes]
    name, kind, space = sizes
    stored_kind = message[start + name] & 0x0F
    if stored_kind == _TEXT_KIND:
        return _longest(message[start + name + kind + space :])
    if stored_kind not in _PLAIN_KINDS:
        raise ValueError("has an attribute of a type that no project uses")
    return 0


def _longest(stored: bytes) -> int:
    n_texts = len(stored) // _TEXT_BYTES
    return max(
        (length for length, _, _ in struct.iter_unpack("<IQI", stored[: n_texts * _TEXT_BYTES])),
        default=0,
    )
