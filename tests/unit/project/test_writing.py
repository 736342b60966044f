import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.errors import InvalidProjectError
from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.forest.stored import LEAF, Forest
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.errors import LabelClassesError, ProjectInUseError
from ilpix.project.labels import write_labels
from ilpix.project.reading import read_project
from ilpix.project.writing import (
    create_project,
    label_classes,
    require_replaceable,
    store_classifier,
)

CROPS = {"ilastik_crops/a.b_x0_y0_w8_h6.h5": (2, 6, 8), "ilastik_crops/c.h5": (2, 5, 5)}
SELECTION = FeatureSelection(FEATURE_IDS[:1], (1.0, 1.6), ((True, True),))
STUMP = Forest(
    feature=np.array([3, LEAF, LEAF, LEAF], np.int32),
    threshold=np.array([0.25, 0, 0, 0]),
    left=np.array([1, 0, 0, 0], np.int32),
    right=np.array([2, 0, 0, 0], np.int32),
    votes=np.array([[0, 0], [1, 0], [0.25, 0.75], [0.5, 0.5]]),
    roots=np.array([0, 3], np.int32),
    n_columns=4,
    labels=(1, 3),
    trees_per_forest=(1, 1),
)


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    path = tmp_path / "p.ilp"
    create_project(path, CROPS, label_classes(["A", "B", "C"]))
    return path


def train(path: Path) -> None:
    store_classifier(path, SELECTION, STUMP, SELECTION.names(2), n_samples=7)


def test_lanes_and_classes_are_read_back(project_path: Path) -> None:
    project = read_project(project_path)
    assert [lane.nickname for lane in project.lanes] == ["a.b_x0_y0_w8_h6", "c"]
    assert [lane.size for lane in project.lanes] == [(6, 8), (5, 5)]
    assert project.lanes[1].file_path == "ilastik_crops/c.h5/crop"
    assert [label.name for label in project.classes] == ["A", "B", "C"]
    assert project.n_channels == 2
    assert not project.has_labels
    assert not project.has_classifier


def test_how_the_crops_were_made_is_kept(tmp_path: Path) -> None:
    record = ImageRecord(channel_names=("mean", "Ir191"), preparation=PreparationOptions(scale=3))
    create_project(tmp_path / "p.ilp", CROPS, label_classes(["A", "B"]), record)
    assert read_project(tmp_path / "p.ilp").record == record


def test_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "here" / "p.ilp", tmp_path / "elsewhere" / "q.ilp"]
    for path in paths:
        create_project(path, CROPS, label_classes(["A", "B", "C"]))
        write_labels(path, {1: np.eye(5, dtype=np.uint8)})
        train(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_names_in_any_script_are_kept(tmp_path: Path) -> None:
    create_project(
        tmp_path / "p.ilp", {"crops/φ 1.h5": (1, 3, 3)}, label_classes(["Zellkern-ä" * 3, "核"])
    )
    project = read_project(tmp_path / "p.ilp")
    assert [label.name for label in project.classes] == ["Zellkern-ä" * 3, "核"]
    assert project.lanes[0].nickname == "φ 1"


@pytest.mark.parametrize("n_classes", [2, 3, 20])
def test_colours_of_classes_differ(n_classes: int) -> None:
    classes = label_classes([str(number) for number in range(n_classes)])
    for one, other in itertools.combinations(classes, 2):
        assert np.abs(np.subtract(one.color, other.color)).sum() >= 95
    assert classes[0].color == (255, 0, 0)
    assert classes[1].pmap_color == (0, 225, 0)


@pytest.mark.parametrize("names", [[], ["A"], ["A", "A"], ["A", " "], [str(n) for n in range(21)]])
def test_unusable_classes_are_refused(names: list[str]) -> None:
    with pytest.raises(LabelClassesError, match="2 to 20 classes"):
        label_classes(names)


def test_stored_classifier_is_read_back(project_path: Path) -> None:
    train(project_path)
    project = read_project(project_path)
    assert project.has_classifier
    assert project.features == SELECTION
    assert project.forest is not None
    assert project.forest.labels == (1, 3)
    assert project.forest.trees_per_forest == (1, 1)
    root = project.forest.roots[0]
    assert project.forest.feature[root] == 3
    assert project.forest.threshold[root] == 0.25
    np.testing.assert_array_equal(project.forest.votes[project.forest.right[root]], [0.25, 0.75])
    np.testing.assert_array_equal(project.forest.votes[project.forest.roots[1]], [0.5, 0.5])


def test_a_new_classifier_replaces_the_old_one_without_growing_the_file(project_path: Path) -> None:
    train(project_path)
    size = project_path.stat().st_size
    train(project_path)
    assert project_path.stat().st_size == size


def test_storing_a_classifier_leaves_everything_else(project_path: Path) -> None:
    with h5py.File(project_path, "r+") as file:
        file["PixelClassification"].attrs["note"] = "kept"
        file["Somebody"] = np.arange(3)
    write_labels(project_path, {0: np.ones((6, 8), np.uint8)})
    train(project_path)
    with h5py.File(project_path) as file:
        assert file["PixelClassification"].attrs["note"] == "kept"
        assert file["Somebody"][()].tolist() == [0, 1, 2]
    assert read_project(project_path).labelled_pixels[0] == (48, 0, 0)


def test_a_classifier_that_does_not_fit_leaves_the_project(project_path: Path) -> None:
    before = project_path.read_bytes()
    selection = FeatureSelection(FEATURE_IDS[:1], (1.0, 1.6, 3.5), ((True, True, True),))
    with pytest.raises(InvalidProjectError, match="no multiple"):
        store_classifier(project_path, selection, STUMP, SELECTION.names(2), n_samples=7)
    assert project_path.read_bytes() == before
    assert [path.name for path in project_path.parent.iterdir()] == ["p.ilp"]


def test_only_a_project_without_work_may_be_replaced(project_path: Path, tmp_path: Path) -> None:
    require_replaceable(tmp_path / "none.ilp")
    require_replaceable(project_path)
    write_labels(project_path, {0: np.ones((6, 8), np.uint8)})
    with pytest.raises(ProjectInUseError, match="carries labels and"):
        require_replaceable(project_path)
    train(project_path)
    with pytest.raises(ProjectInUseError, match="labels and a classifier"):
        require_replaceable(project_path)
    project_path.write_bytes(b"no HDF5")
    with pytest.raises(ProjectInUseError, match="cannot be read"):
        require_replaceable(project_path)
