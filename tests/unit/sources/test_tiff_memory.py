"""A file that is larger than the memory is read all the same."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ilpix.sources.tiff import open_tiff

MAPPINGS = Path("/proc/self/smaps")


def _resident_bytes(file: Path) -> int:
    """How much of a mapped file is in memory."""
    mappings = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", MAPPINGS.read_text())
    sizes = [re.search(r"Rss: +(\d+) kB", one) for one in mappings if str(file) in one]
    return sum(1024 * int(size[1]) for size in sizes if size)


@pytest.mark.skipif(not MAPPINGS.exists(), reason="only Linux tells what is in memory")
def test_bands_that_were_read_leave_the_memory(tmp_path: Path) -> None:
    """All that was read of an image stayed, as it was mapped once."""
    path = tmp_path / "large.tiff"
    tifffile.imwrite(path, np.ones((2, 4096, 1024), np.float32), photometric="minisblack")
    with open_tiff(path) as image:
        total, resident = 0.0, []
        for band in image.bands(2**21):
            total += float(band.sum())
            resident.append(_resident_bytes(path))
    assert total == 2 * 4096 * 1024
    assert 0 < max(resident) < path.stat().st_size / 4
