"""Texts of an HDF5 file, looked at before the HDF5 library reads them.

A text is stored as its length and where it lies in a heap. The library allocates the length before
it looks whether such a text exists, so that one wrong bit costs gigabytes, and a damaged heap may
hold it for ever (see `heaps`). Here the stored lengths and places themselves are read, as the HDF5
file format specification (version 3, sections IV.A.1 and IV.A.2.m) lays them out. Texts of a
dataset have to be contiguous, and attributes to lie in the header of their object.
"""

import os
import struct
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import h5py

from ilpix.images.heaps import read_heap

_CONTINUATION, _ATTRIBUTE, _ATTRIBUTE_STORE = 0x10, 0x0C, 0x15
_NOWHERE = 2**64 - 1
_PLAIN_KINDS = {0, 1, 3, 5, 8}  # integer, float, text of fixed length, opaque, enumeration
_TEXT_KIND = 9  # of variable length: a sequence, or with this flag a text
_IS_TEXT = 1
_TEXT = struct.Struct("<IQI")  # length, heap address, index in the heap
_LARGEST_HEADER = 2**24  # bytes; endless ones are longer


class StoredTexts:
    """Reads lengths and places of texts from the bytes of a file; use as a context manager.

    Attributes:
        base: where the HDF5 file begins in the file: its user block is before it.
    """

    def __init__(self, path: Path, base: int = 0) -> None:
        self._file = path.open("rb")
        self._n_bytes = os.fstat(self._file.fileno()).st_size
        self.base = base
        self._heap = cache(lambda address: read_heap(self._read, self.base + address))

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
            ValueError: if its type is none that a project uses, its texts are not contiguous, or
                one of them is damaged.
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
        return self._longest(self._read(offset, n_bytes))

    def longest_in_attributes(self, header: int, names: Collection[str] = ()) -> int:
        """Return the longest text among the attributes of an object, in bytes.

        Args:
            header: the address of the object.
            names: of the attributes that are looked at; all of them where none is named.

        Raises:
            ValueError: if the header, an attribute or its text is damaged, or attributes have types
                that no project uses.
        """
        wanted = {name.encode() for name in names}
        attributes = map(_parse_attribute, self._attribute_messages(header))
        return max(
            (
                self._longest(attribute.texts())
                for attribute in attributes
                if not wanted or attribute.name in wanted
            ),
            default=0,
        )

    def _attribute_messages(self, header: int) -> Iterator[bytes]:
        blocks = [self._first_block(self.base + header)]
        for block in blocks:
            if sum(block.head + block.length for block in blocks) > _LARGEST_HEADER:
                raise ValueError("has an endless header")
            for kind, message in self._messages(block):
                if kind == _CONTINUATION:
                    start, length = struct.unpack("<QQ", message[:16])
                    blocks.append(block.next_at(self.base + start, length))
                elif kind == _ATTRIBUTE:
                    yield message
                elif kind == _ATTRIBUTE_STORE and _has_store(message):
                    raise ValueError("has too many attributes in a file of the latest HDF5 format")

    def _first_block(self, header: int) -> "_Block":
        start = self._read(header, 16)
        if start[0] == 1:
            return _Block(header + 16, int.from_bytes(start[8:12], "little"))
        if start[:5] != b"OHDR\x02":
            raise ValueError("has a header that cannot be read")
        flags = start[5]
        place = header + 6 + 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
        width = 1 << (flags & 0x03)
        length = int.from_bytes(self._read(place, width), "little")
        return _Block(place + width, length, 2, 6 if flags & 0x04 else 4)

    def _messages(self, block: "_Block") -> Iterator[tuple[int, bytes]]:
        content, place = self._read(block.start, block.length), 0
        while place + block.head <= block.length:
            kind, n_bytes = struct.unpack_from(
                "<HH" if block.version == 1 else "<BH", content, place
            )
            place += block.head
            yield kind, content[place : place + n_bytes]
            place += n_bytes

    def _longest(self, stored: bytes) -> int:
        whole = stored[: len(stored) // _TEXT.size * _TEXT.size]
        return max((self._length(*text) for text in _TEXT.iter_unpack(whole)), default=0)

    def _length(self, length: int, address: int, index: int) -> int:
        if length and self._heap(address).get(index) != length:
            raise ValueError(f"claims a text of {length} characters that is not there")
        return length

    def _read(self, offset: int, n_bytes: int) -> bytes:
        if n_bytes < 0 or offset + n_bytes > self._n_bytes:
            raise ValueError("points beyond the end of the file")
        self._file.seek(offset)
        return self._file.read(n_bytes)


class _Block(NamedTuple):
    """Messages of an object header, in one piece."""

    start: int
    length: int
    version: int = 1
    head: int = 8  # bytes before the content of each message

    def next_at(self, start: int, length: int) -> "_Block":
        """Return the block that goes on at another place; in version 2 it has a frame."""
        if self.version == 1:
            return self._replace(start=start, length=length)
        return self._replace(start=start + 4, length=length - 8)


class _Attribute(NamedTuple):
    name: bytes
    kind: bytes  # its stored type
    value: bytes

    def texts(self) -> bytes:
        """Return the places of its texts as they are stored; nothing where its type has none.

        Raises:
            ValueError: if its type is neither plain nor a text.
        """
        stored_kind = self.kind[0] & 0x0F
        if stored_kind in _PLAIN_KINDS:
            return b""
        if stored_kind != _TEXT_KIND or not _is_text(self.kind):
            raise ValueError("has an attribute of a type that no project uses")
        return self.value


def _parse_attribute(message: bytes) -> _Attribute:
    version, flags, *sizes = struct.unpack_from("<BBHHH", message)
    start = 9 if version == 3 else 8  # version 3 names its encoding
    if version == 1:
        sizes = [size + -size % 8 for size in sizes]
    elif flags:
        raise ValueError("has an attribute whose type is stored elsewhere")
    name, kind, space = sizes
    value = message[start + name + kind + space :]
    texts = message[start + name :]
    return _Attribute(message[start : start + name].partition(b"\0")[0], texts[:kind], value)


def _is_text(kind: bytes) -> bool:
    """Tell whether a stored type of variable length is a text, made of single bytes."""
    is_text = kind[1] & 0x0F == _IS_TEXT
    size, element_size = (int.from_bytes(kind[at : at + 4], "little") for at in (4, 12))
    return is_text and size == _TEXT.size and element_size == 1


def _has_store(message: bytes) -> bool:
    place = 4 if message[1] & 0x01 else 2
    return int.from_bytes(message[place : place + 8], "little") != _NOWHERE
