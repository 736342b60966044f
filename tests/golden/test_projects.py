"""Projects agree with those of steinbock and Ilastik in every value and its type.

The projects were written by the real programs; see PROVENANCE.md beside them.
"""

import gzip
from pathlib import Path

import numpy as np
import pytest

from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.writing import create_project, label_classes, store_classifier
from tests.golden.hdf5_contents import contents

DATA = Path(__file__).parent / "data" / "projects"
CASES = sorted(DATA.glob("*.ilp.gz"))

# When and where a project was made differs; ours names the crop instead of the moment. Bookmarks
# (places a person marked) are none of a classifier's parts.
OURS_TO_CHOOSE = ("time", "datasetId", "PixelClassification/Bookmarks")
FOREST_PARTS = ("feature", "threshold", "left", "right", "votes", "roots")


def unpack(name: str, folder: Path) -> Path:
    path = folder / f"{name}.ilp"
    path.write_bytes(gzip.decompress((DATA / f"{name}.ilp.gz").read_bytes()))
    return path


def contents_but_ours(path: Path) -> dict[str, object]:
    return {
        name: value
        for name, value in contents(path).items()
        if not any(own in name for own in OURS_TO_CHOOSE)
    }


def create_like(project: PixelProject, path: Path) -> None:
    crops = {
        lane.file_path.removesuffix("/crop"): (lane.n_channels, *lane.size)
        for lane in project.lanes
    }
    version = project.ilastik_version
    classes = label_classes([label.name for label in project.classes])
    create_project(path, crops, classes, ilastik_version=version)


def test_there_are_golden_projects() -> None:
    assert CASES


def test_created_project_is_that_of_steinbock(tmp_path: Path) -> None:
    golden = unpack("untrained", tmp_path)
    create_like(read_project(golden), tmp_path / "ours.ilp")
    assert contents_but_ours(tmp_path / "ours.ilp") == contents_but_ours(golden)


def test_stored_labels_and_classifier_are_those_of_ilastik(tmp_path: Path) -> None:
    golden = read_project(unpack("trained", tmp_path))
    assert golden.features is not None
    assert golden.forest is not None
    ours = tmp_path / "ours.ilp"
    create_like(golden, ours)
    write_labels(ours, read_all_labels(golden))
    store_classifier(ours, golden.features, golden.forest, golden.features.names(4), n_samples=876)

    # vigra numbers the nodes of a tree depth first and keeps sample counts; the trees are the same
    mine, theirs = (
        {name: value for name, value in contents_but_ours(path).items() if "/Tree_" not in name}
        for path in (ours, golden.path)
    )
    assert mine == theirs
    forest = read_project(ours).forest
    assert forest is not None
    for part in FOREST_PARTS:
        np.testing.assert_array_equal(getattr(forest, part), getattr(golden.forest, part))
    assert forest.trees_per_forest == (50, 50)


def test_trained_project_is_read(tmp_path: Path) -> None:
    project = read_project(unpack("trained", tmp_path))
    assert project.ilastik_version == "1.4.2"
    assert [label.name for label in project.classes] == ["Nucleus", "Cytoplasm", "Background"]
    assert project.labelled_pixels == ((42, 0, 152), (23, 0, 204), (13, 0, 220), (22, 0, 200))
    assert project.has_labels
    assert project.has_classifier
    assert project.n_channels == 4


@pytest.mark.parametrize("which", ["ilastik.ilp", "steinbock/pixel_classifier.ilp"])
def test_labels_of_real_tissue_are_the_same_in_both_axis_orders(imc: Path, which: str) -> None:
    project = read_project(imc / which)
    assert project.has_labels
    fixed = read_project(imc / "steinbock" / "pixel_classifier.ilp")
    fixed_labels = read_all_labels(fixed)
    for index, labels in read_all_labels(project).items():
        np.testing.assert_array_equal(labels, fixed_labels.pop(index))
        counts = tuple(np.bincount(labels.ravel(), minlength=4)[1:])
        assert counts == project.labelled_pixels[index]
    assert not fixed_labels
