"""MCD files are read as readimc reads them; one that is cut short meanwhile fails."""

import os
import tracemalloc
from io import FileIO
from pathlib import Path

import numpy as np
import pytest
import readimc

from ilpix.sources import mcd
from ilpix.sources.mcd import McdFile
from tests.unit.raw_files import CHANNELS, Measured, counts, write_mcd

SMALL = 250  # bytes; a row of pixels has 28, the mark of a description 20


@pytest.mark.parametrize("block_bytes", [mcd.BLOCK_BYTES, SMALL])
def test_counts_are_those_that_readimc_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_bytes: int
) -> None:
    monkeypatch.setattr(mcd, "BLOCK_BYTES", block_bytes)
    measured = [Measured(1, counts(1)), Measured(3, counts(3, (5, 6)))]
    path = write_mcd(tmp_path / "a.mcd", measured)
    with readimc.MCDFile(path) as expected, path.open("rb") as file:
        (theirs,), (ours,) = expected.slides, McdFile(file).slides
        assert len(theirs.acquisitions) == len(ours.acquisitions) == 2
        for their, our in zip(theirs.acquisitions, ours.acquisitions, strict=True):
            assert their.metadata == our.metadata
            image = McdFile(file).read_counts(our, range(len(CHANNELS)))
            np.testing.assert_array_equal(image, expected.read_acquisition(their))


def test_the_last_description_counts_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_mcd(tmp_path / "a.mcd", [Measured(1, counts(1))])
    described = path.read_bytes()
    older = "<MCDSchema><Slide><ID>7</ID></Slide></MCDSchema>".encode("utf-16-le")
    for n_bytes in range(0, 80, 2):  # behind it, so that a mark lies across two blocks
        path.write_bytes(older + described + bytes(n_bytes))
        monkeypatch.setattr(mcd, "BLOCK_BYTES", SMALL)
        with path.open("rb") as file:
            assert [slide.id for slide in McdFile(file).slides] == [0]


def test_pixels_outside_of_their_acquisition_are_refused(tmp_path: Path) -> None:
    for x, value in ((0, -1), (0, np.nan), (1, 7)):
        path = write_mcd(tmp_path / "a.mcd", [Measured(1, counts(1))])
        content = np.frombuffer(path.read_bytes()[:28], "<f4").copy()
        content[x] = value
        path.write_bytes(content.tobytes() + path.read_bytes()[28:])
        with path.open("rb") as file:
            opened = McdFile(file)
            with pytest.raises(ValueError, match="outside of acquisition 1"):
                opened.read_counts(opened.slides[0].acquisitions[0], [0])


class Shrinking(FileIO):
    """A file that is cut short by another program as soon as a piece of it was read."""

    is_shrinking = False

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(-1 if size is None else size)
        if self.is_shrinking:
            os.truncate(self.name, SMALL)
        return block or b""


def test_a_file_that_is_cut_short_while_it_is_read_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was mapped into memory: the whole process died, and all other images with it."""
    path = write_mcd(tmp_path / "a.mcd", [Measured(1, counts(1))])
    monkeypatch.setattr(mcd, "BLOCK_BYTES", SMALL)
    with Shrinking(path) as file:
        opened = McdFile(file)
        file.is_shrinking = True
        with pytest.raises(ValueError, match="the file ends before acquisition 1 does"):
            opened.read_counts(opened.slides[0].acquisitions[0], [0])


def test_a_large_acquisition_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mcd, "BLOCK_BYTES", 2**20)
    path = write_mcd(tmp_path / "a.mcd", [Measured(1, counts(1, (1024, 512)))])
    with path.open("rb") as file:
        opened = McdFile(file)
        tracemalloc.start()
        try:
            image = opened.read_counts(opened.slides[0].acquisitions[0], [0])
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert image.nbytes < peak < path.stat().st_size / 2
