"""Labels without a place are taken out by a fix, and all others kept; people lost days of work."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.errors import InvalidProjectError
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.repair.errors import FixRefusedError
from tests.unit.foreign_projects import (
    LABELS,
    SIZE,
    assert_fixed,
    fix,
    pixels,
    plan,
    write_crop,
    write_project,
)

LAYER = "PixelClassification/LabelSets/labels000"
RAW_DATA = "Input Data/infos/lane0000/Raw Data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that needs no fix, and its crop."""
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"], "cyx")
    write_crop(tmp_path / "ilastik_crops" / "a.h5", pixels(1), "cyx", name="crop")
    fix(tmp_path)
    for backup in tmp_path.glob("*.bak"):
        backup.rename(tmp_path.parent / f"{tmp_path.name}-{backup.name}")
    return tmp_path


def add_block(file: h5py.File, place: str | None, layer: str = LAYER) -> None:
    block = file.require_group(layer).create_dataset("block0009", data=np.ones((1, 2, 3), np.uint8))
    if place is not None:
        block.attrs["blockSlice"] = place


def without_place(file: h5py.File) -> None:
    add_block(file, None)


def beyond_its_lane(file: h5py.File) -> None:
    add_block(file, "[0:1,5:7,0:3]")


def of_no_lane(file: h5py.File) -> None:
    add_block(file, "[0:1,0:2,0:3]", LAYER.replace("000", "004"))


def in_a_stack(file: h5py.File) -> None:
    block = file[LAYER].create_dataset("block0009", data=np.ones((1, 1, 2, 3, 1), np.uint8))
    block.attrs["blockSlice"] = "[0:1,3:4,0:2,0:3,0:1]"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (without_place, "block0009 has no attribute blockSlice"),
        (beyond_its_lane, "block0009 reaches to y = 7, beyond the 6"),
        (of_no_lane, "a lane that the project does not have"),
        (in_a_stack, "block0009 has shape"),
    ],
)
def test_what_has_no_place_is_taken_out_and_the_rest_is_kept(
    folder: Path, damage: Callable[[h5py.File], None], said: str
) -> None:
    project = folder / "p.ilp"
    with h5py.File(project, "r+") as file:
        damage(file)
    before = project.read_bytes()
    with pytest.raises(InvalidProjectError):
        read_all_labels(read_project(project))
    planned = plan(folder)
    assert said in " ".join(row.what for row in planned.rows)
    assert planned.summary == "1 label layer"
    assert planned.removed_labels.startswith("labelled pixels: A ")
    fix(folder)
    assert_fixed(folder, ["a"], [1])
    assert (folder / "p.ilp.bak").read_bytes() == before


def test_pixels_are_counted_before_and_after(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        without_place(file)
    n_a, n_b = (np.count_nonzero(value == LABELS) for value in (1, 2))
    assert plan(folder).removed_labels == f"labelled pixels: A {n_a + 6} → {n_a}, B {n_b} → {n_b}"


@pytest.mark.parametrize("lost", ["shape", "axistags"])
def test_a_lane_without_its_size_gets_that_of_its_crop(folder: Path, lost: str) -> None:
    """Ilastik 1.2 stored none, and such a project could neither be read nor fixed."""
    with h5py.File(folder / "p.ilp", "r+") as file:
        del file[RAW_DATA][lost]
    assert read_project(folder / "p.ilp").lanes == ()
    fix(folder)
    assert_fixed(folder, ["a"], [1])


def test_a_lane_without_size_and_crop_says_what_to_copy(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        del file[RAW_DATA]["shape"]
    (folder / "ilastik_crops" / "a.h5").unlink()
    with pytest.raises(FixRefusedError, match=r"shape: missing.* copy it there$"):
        fix(folder)


def test_labels_without_classes_are_not_taken_out(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        del file["PixelClassification/LabelNames"]
    with pytest.raises(FixRefusedError, match="names no classes"):
        fix(folder)


def test_the_summary_counts_what_is_fixed(tmp_path: Path) -> None:
    """The last line was `nothing to do` where everything had been changed."""
    write_project(tmp_path / "p.ilp", ["old/a.h5/a", "old/b.h5/b"], "zyxc", version="1.4.2")
    for seed, name in enumerate("ab", 1):
        write_crop(tmp_path / "ilastik_crops" / f"{name}.h5", pixels(seed))
    assert plan(tmp_path).summary == "2 lanes, 2 crops, 2 label layers"
    fix(tmp_path)
    assert plan(tmp_path).summary == ""


def test_a_stack_is_said_to_be_one(tmp_path: Path) -> None:
    write_project(tmp_path / "p.ilp", ["old/a.h5/a"], "zyxc")
    (tmp_path / "ilastik_crops").mkdir()
    with h5py.File(tmp_path / "p.ilp", "r+") as file:
        file[RAW_DATA]["shape"][...] = (5, *SIZE, 2)
        file["FeatureSelections/FeatureIds"] = [b"GaussianSmoothing"]
        file["FeatureSelections/Scales"] = [1.0]
        file["FeatureSelections/SelectionMatrix"] = [[True]]
        file["FeatureSelections/ComputeIn2d"] = [True]
    project = read_project(tmp_path / "p.ilp")
    assert "is a stack or a time series" in project.training_problems[0].what
    with pytest.raises(FixRefusedError, match="no plane"):
        fix(tmp_path)
