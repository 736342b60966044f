"""An MCD file of imaging mass cytometry, read piece by piece.

readimc maps such a file into memory, so that the system ends the whole process where the file is
cut short meanwhile. Here readimc parses the description of what was measured, and the pixels are
read: a table of float32 values with a row for each pixel, its x, y and z and its counts.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from ilpix.arrays import FloatArray

BLOCK_BYTES = 2**24  # of the file that are in memory at a time
LONGEST_DESCRIPTION = 2**28  # bytes
_BEGIN, _END = (mark.encode("utf-16-le") for mark in ("<MCDSchema", "</MCDSchema>"))
_VALUE = np.dtype("<f4")
_N_PLACES = 3  # x, y and z


class McdFile:
    """An open MCD file; what is wrong with one is an error of Python or of readimc's parser."""

    def __init__(self, file: BinaryIO) -> None:
        from readimc.mcd_parser import MCDParser  # noqa: PLC0415 - an extra

        self._file = file
        self.slides: list[Any] = MCDParser(_read_description(file)).parse_slides()

    def read_counts(self, found: Any, channels: Sequence[int]) -> FloatArray:
        """Read the pixels of an acquisition; such as were not measured are 0.

        Args:
            found: an acquisition of one of the slides, of believable size.
            channels: the places of channels among those of the acquisition.

        Returns:
            (C, Y, X), ion counts, in the order of `channels`.
        """
        image = np.zeros((len(channels), found.height_px, found.width_px), np.float32)
        columns = [_N_PLACES + channel for channel in channels]
        for rows in self._tables(found):
            places = rows[:, :2]
            if not np.all((places >= 0) & (places < (found.width_px, found.height_px))):
                raise ValueError(f"a pixel lies outside of acquisition {found.id}")
            x, y = places.T.astype(np.intp)
            image[:, y, x] = rows[:, columns].T
        return image

    def _tables(self, found: Any) -> Iterator[FloatArray]:
        """The table of pixels, (P, 3 + C), in blocks of rows."""
        begin, end, n_bytes = (
            int(found.metadata[name]) for name in ("DataStartOffset", "DataEndOffset", "ValueBytes")
        )
        n_columns = _N_PLACES + found.num_channels
        row_bytes = n_columns * _VALUE.itemsize
        if n_bytes != _VALUE.itemsize or begin > end or (end - begin) % row_bytes:
            raise ValueError(f"acquisition {found.id} is no table of {n_columns} float32 columns")
        step = max(1, BLOCK_BYTES // row_bytes) * row_bytes
        self._file.seek(begin)
        for first in range(begin, end, step):
            block = self._file.read(min(step, end - first))
            if len(block) < min(step, end - first):
                raise ValueError(f"the file ends before acquisition {found.id} does")
            yield np.frombuffer(block, _VALUE).reshape(-1, n_columns)


def _read_description(file: BinaryIO) -> str:
    """The last description in XML: older ones may stand before it."""
    size = file.seek(0, os.SEEK_END)
    begin, end = (_find_last(file, mark, size) for mark in (_BEGIN, _END))
    if begin is None or end is None or not 0 < end - begin < LONGEST_DESCRIPTION:
        raise ValueError("it has no description of what was measured (MCDSchema)")
    file.seek(begin)
    return file.read(end + len(_END) - begin).decode("utf-16-le")


def _find_last(file: BinaryIO, mark: bytes, end: int) -> int | None:
    """Where the last of some bytes begin."""
    while end >= len(mark):
        begin = max(0, end - BLOCK_BYTES)
        file.seek(begin)
        if (place := file.read(end - begin).rfind(mark)) >= 0:
            return begin + place
        end = begin + len(mark) - 1 if begin else 0
    return None
