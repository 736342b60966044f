from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.errors import InvalidProjectError
from ilpix.project.errors import LabelsError
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes

PLANE = np.array([[1, 0, 2], [0, 2, 0]], np.uint8)
PLACED = np.zeros((6, 8), np.uint8)
PLACED[1:3, 4:7] = PLANE


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.ilp"
    create_project(
        path, {"crops/a.h5": (2, 6, 8), "crops/b.h5": (2, 6, 8)}, label_classes(["A", "B"])
    )
    return path


def store_block(path: Path, name: str = "block0000") -> None:
    with h5py.File(path, "r+") as file:
        block = file.require_group("PixelClassification/LabelSets/labels000").create_dataset(
            name, data=PLANE[np.newaxis]
        )
        block.attrs["blockSlice"] = "[0:1,1:3,4:7]"


def test_written_labels_are_read_back(project_path: Path) -> None:
    write_labels(project_path, {0: PLACED})
    project = read_project(project_path)
    np.testing.assert_array_equal(read_all_labels(project)[0], PLACED)
    assert not read_all_labels(project)[1].any()


def test_only_the_given_lanes_change(project_path: Path) -> None:
    write_labels(project_path, {0: PLACED, 1: PLACED})
    write_labels(project_path, {1: np.zeros_like(PLACED)})
    assert read_project(project_path).labelled_pixels == ((1, 2), (0, 0))


def test_several_blocks_make_one_image(project_path: Path) -> None:
    store_block(project_path)
    with h5py.File(project_path, "r+") as file:
        block = file["PixelClassification/LabelSets/labels000"].create_dataset(
            "block0001", data=np.full((1, 1, 1), 2, np.uint8)
        )
        block.attrs["blockSlice"] = "[0:1,5:6,7:8]"
    expected = PLACED.copy()
    expected[5, 7] = 2
    np.testing.assert_array_equal(read_all_labels(read_project(project_path))[0], expected)


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        ({0: np.zeros((8, 6), np.uint8)}, "has shape"),
        ({2: PLACED}, "has 2 lanes"),
        ({0: np.full((6, 8), 3, np.uint8)}, "has the value 3"),
    ],
    ids=["size", "lane", "class"],
)
def test_labels_that_do_not_fit_are_refused(
    project_path: Path, labels: dict[int, np.ndarray], what: str
) -> None:
    before = project_path.read_bytes()
    with pytest.raises(LabelsError, match=what):
        write_labels(project_path, labels)
    assert project_path.read_bytes() == before


@pytest.mark.parametrize(
    ("block_slice", "what"),
    [
        ("[1:3,4:7,0:1]", "not that of its blockSlice"),
        ("[0:1,-1:1,4:7]", "no interval"),
        ("[0:1,5:7,4:7]", "beyond the 6"),
        ("0:1", "no block slice"),
    ],
)
def test_a_misplaced_block_is_an_error(project_path: Path, block_slice: str, what: str) -> None:
    store_block(project_path)
    with h5py.File(project_path, "r+") as file:
        block = file["PixelClassification/LabelSets/labels000/block0000"]
        block.attrs["blockSlice"] = block_slice
    project = read_project(project_path)
    assert project.labelled_pixels[0] == (0, 0)
    with pytest.raises(InvalidProjectError, match=what):
        read_all_labels(project)


def test_a_label_without_a_class_is_an_error(project_path: Path) -> None:
    store_block(project_path)
    with h5py.File(project_path, "r+") as file:
        file["PixelClassification/LabelSets/labels000/block0000"][0, 0, 1] = 3
    with pytest.raises(InvalidProjectError, match="labels of value 3"):
        read_all_labels(read_project(project_path))
