"""Projects as people have them: of other workflows, of volumes, unlabelled, or old."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.images.axistags import axistags_json
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.errors import NoClassifierError
from ilpix.project.errors import NotPlanarError, WrongWorkflowError
from ilpix.project.reading import read_project
from ilpix.project.rewriting import copy_without
from ilpix.project.trained import classifier_digest
from ilpix.project.work import count_labels
from tests.hostile.damage import FEATURES, LANE, write_sound_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "p.ilp"
    write_sound_project(path)
    return path


def set_values(path: Path, values: dict[str, object]) -> None:
    with h5py.File(path, "r+") as file:
        for where, value in values.items():
            if where in file:
                del file[where]
            if value is not None:
                file[where] = value


def test_another_workflow_is_named_whatever_its_texts_are(project: Path) -> None:
    """A tracking project was refused for one long text in it, and its workflow was not named."""
    set_values(project, {"workflowName": b"Tracking", "StructuredTracking/Map": b"x" * 70_000})
    with pytest.raises(WrongWorkflowError, match="workflow 'Tracking'"):
        read_project(project)


@pytest.mark.parametrize("computed", [[False, False], [True, False]])
def test_features_of_volumes_are_refused_as_such(project: Path, computed: list[bool]) -> None:
    """It was predicted with features of planes, exit code 0: the one case of wrong numbers."""
    set_values(project, {f"{FEATURES}/ComputeIn2d": computed})
    with pytest.raises(NotPlanarError, match=r"3-D project .*features are computed in 3-D"):
        read_project(project)


def test_a_scale_that_is_not_used_may_be_one_of_volumes(project: Path) -> None:
    matrix = np.array([[True, False]])
    values = {f"{FEATURES}/ComputeIn2d": [True, False], f"{FEATURES}/SelectionMatrix": matrix}
    set_values(project, values | {"PixelClassification/ClassifierForests": None})
    assert read_project(project).features is not None


@pytest.mark.parametrize("axis", ["z", "t"])
def test_stacks_are_refused_where_nothing_says_how_features_are_computed(
    project: Path, axis: str
) -> None:
    tags = axistags_json(f"{axis}yxc").encode()
    values = {f"{LANE}/axistags": tags, f"{LANE}/shape": [5, 6, 8, 2]}
    set_values(project, values)
    assert read_project(project).has_classifier  # it says that they are those of planes
    set_values(project, {f"{FEATURES}/ComputeIn2d": None})
    with pytest.raises(NotPlanarError, match=rf"{axis}yxc 5×6×8×2"):
        read_project(project)


def test_labels_in_a_stack_do_not_hinder_a_prediction(project: Path) -> None:
    tags = axistags_json("zyxc").encode()
    set_values(project, {f"{LANE}/axistags": tags, f"{LANE}/shape": [5, 6, 8, 2]})
    with h5py.File(project, "r+") as file:
        layer = file["PixelClassification/LabelSets/labels000"]
        del layer["block0000"]
        block = layer.create_dataset("block0000", data=np.ones((1, 2, 2, 1), np.uint8))
        block.attrs["blockSlice"] = "[3:4,0:2,0:2,0:1]"
    read = read_project(project)
    assert Classifier.of(read).n_channels == 2
    assert any("lies at z = 3, in a stack" in problem.what for problem in read.training_problems)


@pytest.mark.parametrize(
    "values",
    [
        {"PixelClassification/LabelNames": np.zeros(0)},
        {"PixelClassification": None},
        {"Input Data/infos": None},
    ],
)
def test_a_project_without_classes_or_lanes_is_not_labelled_yet(
    project: Path, values: dict[str, object]
) -> None:
    """It was said to have `no list of texts`."""
    forests = "PixelClassification/ClassifierForests"
    set_values(project, {forests: None, "PixelClassification/LabelSets": None} | values)
    with pytest.raises(NoClassifierError, match="has no labels yet"):
        Classifier.of(read_project(project))


def test_a_lane_without_a_shape_does_not_hinder_a_prediction(project: Path) -> None:
    set_values(project, {f"{LANE}/shape": None})
    read = read_project(project)
    assert Classifier.of(read).n_channels == 2
    assert "shape: missing" in read.training_problems[0].what


def test_a_project_in_the_latest_hdf5_format_is_read(project: Path) -> None:
    latest = project.with_name("latest.ilp")
    with h5py.File(project) as source, h5py.File(latest, "w", libver="latest") as target:
        copy_without(source, target, ())
    before, after = read_project(project), read_project(latest)
    assert json.dumps(count_labels(after)) == json.dumps(count_labels(before))
    assert after.training_problems == ()
    assert classifier_digest(after) == classifier_digest(before)
