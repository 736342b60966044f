"""A file larger than the memory is read all the same; one that is cut short meanwhile fails."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ilpix.images.errors import UnreadableImageError
from ilpix.sources.tiff import open_tiff


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.tiff"
    tifffile.imwrite(path, np.ones((2, 4096, 1024), np.float32), photometric="minisblack")
    return path


def test_bands_that_were_read_leave_the_memory(large: Path) -> None:
    """All that was read of an image stayed, as it was mapped once."""
    tracemalloc.start()
    try:
        with open_tiff(large) as image:
            total = sum(float(band.sum()) for band in image.bands(2**21))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 2 * 4096 * 1024
    assert 2**21 <= peak < large.stat().st_size / 4


def test_an_image_that_is_cut_short_while_it_is_read_fails(large: Path) -> None:
    """It was mapped into memory: the whole process died, and all other images with it."""
    with open_tiff(large) as image:
        bands = image.bands(2**21)
        first = next(bands)
        os.truncate(large, 2**12)
        assert first.sum() == first.size
        with pytest.raises(UnreadableImageError, match="failed to read"):
            next(bands)
