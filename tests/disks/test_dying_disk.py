"""A disk that no longer gives all that is on it: those images fail, the others are done."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

import flows
from flows.errors import ImagesFailedError
from ilpix.errors import DiskLostError
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from tests.disks.conftest import make_disk, mounted
from tests.unit.foreign_projects import set_up

DISK_BYTES = 8 * 2**20
N_IMAGES = 8
EDGE_PX = 300
PAGE_BYTES = 4096  # of the disk's blocks, and of memory: what is lost together
BLOCK = "PixelClassification/LabelSets/labels000/block0000"
LARGE_LABELS = np.random.default_rng(1).integers(0, 3, (512, 512), np.uint8)


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


@contextmanager
def without(source: Path, place: int, image: Path) -> Iterator[Path]:
    """A file on a disk that gives nothing of it from the page of a place on."""
    make_disk(image, DISK_BYTES, *("mkfs.ext4", "-q", "-b", str(PAGE_BYTES), "-O", "^has_journal"))
    with mounted(image) as folder:
        shutil.copy(source, folder)
    first = place // PAGE_BYTES * PAGE_BYTES
    page, stored = source.read_bytes()[first : first + PAGE_BYTES], image.read_bytes()
    assert stored.count(page) == 1
    with mounted(image, "ro,loop") as folder:
        os.truncate(image, stored.index(page))
        yield folder / source.name


def enlarge_labels(project: Path) -> int:
    """Give a project labels that have pages of their own, which begin at the place returned."""
    values = LARGE_LABELS[np.newaxis, ..., np.newaxis]
    with h5py.File(project, "r+") as file:
        attributes = dict(file[BLOCK].attrs) | {"blockSlice": "[0:1,0:512,0:512,0:1]"}
        del file[BLOCK]
        pieces = {"chunks": (1, 256, 256, 1), "compression": "gzip"}
        block = file.create_dataset(BLOCK, data=values, **pieces)
        block.attrs.update(attributes)
        last = block.id.get_num_chunks() - 1
        return int(block.id.get_chunk_info(last).byte_offset) + PAGE_BYTES


def enlarge_crop(crop: Path) -> int:
    """Give a crop so many pixels that the last ones, at the place returned, have pages alone."""
    pixels = np.random.default_rng(1).integers(0, 255, (1, 512, 512, 2), np.uint16)
    with h5py.File(crop, "r+") as file:
        attributes = dict(file[crop.stem].attrs)
        del file[crop.stem]
        file.create_dataset(crop.stem, data=pixels).attrs.update(attributes)
    return crop.stat().st_size - PAGE_BYTES


def given(study: Path) -> dict[str, bytes | None]:
    """The files of a folder but for what runs note, by name; of links only that they are there."""
    return {
        str(path.relative_to(study)): None if path.is_symlink() else path.read_bytes()
        for path in study.rglob("*")
        if path.is_symlink() or (path.is_file() and path.parent in {study, study / "ilastik_crops"})
        if path.name != "ilpix_run.json"
    }


@pytest.mark.parametrize("name", ["p.ilp", "ilastik_crops/a.h5"])
def test_a_fix_takes_nothing_out_that_a_disk_does_not_give(tmp_path: Path, name: str) -> None:
    """Labels were taken out, as damaged, that the disk merely did not give."""
    study, image = tmp_path / "study", tmp_path / "disk.img"
    set_up(study)
    with h5py.File(study / "p.ilp", "r+") as file:
        file["Input Data/infos/lane0000/Raw Data/shape"][...] = (1, 512, 512, 2)
    places = {
        "p.ilp": enlarge_labels(study / "p.ilp"),
        "ilastik_crops/a.h5": enlarge_crop(study / "ilastik_crops" / "a.h5"),
    }
    whole = (study / name).rename(tmp_path / Path(name).name)
    with without(whole, places[name], image) as damaged:
        (study / name).symlink_to(damaged)
        before = given(study)
        with pytest.raises(DiskLostError) as caught:
            flows.fix(study, flows.FixOptions(ilp=Path("p.ilp")))
        assert str(caught.value) == str(DiskLostError(study / name, "Input/output error"))
        assert given(study) == before
    (study / name).unlink()
    whole.rename(study / name)
    flows.fix(study, flows.FixOptions(ilp=Path("p.ilp")))
    labels = read_all_labels(read_project(study / "p.ilp"))[0]
    np.testing.assert_array_equal(labels, LARGE_LABELS)
