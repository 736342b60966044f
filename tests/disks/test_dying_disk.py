"""A disk that no longer gives all that is on it: those images fail, the others are done."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile

import flows
from flows.errors import ImagesFailedError
from ilpix.errors import DiskLostError
from tests.disks.conftest import make_disk, mounted

DISK_BYTES = 8 * 2**20
N_IMAGES = 8
EDGE_PX = 300


@pytest.fixture
def dying(tmp_path: Path) -> Iterator[Path]:
    """Images on a disk that has lost its second half."""
    file, rng = tmp_path / "disk.img", np.random.default_rng(2)
    make_disk(file, DISK_BYTES, *("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal"))
    with mounted(file) as folder:
        for number in range(N_IMAGES):
            pixels = rng.poisson(3, (3, EDGE_PX, EDGE_PX)).astype(np.uint16)
            tifffile.imwrite(folder / f"i{number}.tiff", pixels, photometric="minisblack")
    with mounted(file, "ro,loop") as folder:
        os.truncate(file, DISK_BYTES // 2)
        yield folder


def is_lost(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError as error:
        return error.errno == errno.EIO
    return False


def test_images_that_a_disk_does_not_give_fail_and_the_others_are_done(
    dying: Path, tmp_path: Path
) -> None:
    """They were said to be damaged: copy them again."""
    study = tmp_path / "study"
    study.mkdir()
    (study / "panel.csv").write_text("channel,name\nA,a\nB,b\nC,c\n")
    lost = {path.stem for path in dying.glob("*.tiff") if is_lost(path)}
    assert 0 < len(lost) < N_IMAGES
    with pytest.raises(ImagesFailedError) as caught:
        flows.prepare(study, flows.PrepareOptions(img=dying, cropsize=60, seed=1))
    assert set(caught.value.failures) == lost
    for name, said in caught.value.failures.items():
        assert said == str(DiskLostError(dying / f"{name}.tiff", "Input/output error"))
    prepared = {path.stem for path in (study / "ilastik_img").glob("*.h5")}
    assert prepared == {f"i{number}" for number in range(N_IMAGES)} - lost
