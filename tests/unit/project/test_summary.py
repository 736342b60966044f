import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.forest.stored import LEAF, Forest
from ilpix.images.hdf5 import ImageRecord
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.labels import write_labels
from ilpix.project.reading import PixelProject, read_project
from ilpix.project.summary import summarise
from ilpix.project.writing import create_project, label_classes, store_classifier

SELECTION = FeatureSelection(FEATURE_IDS[:2], (1.0, 1.6), ((True, True), (False, True)))
# columns: smoothing 1.0 of channels 0 and 1, smoothing 1.6 of both, Laplacian 1.6 of both.
# One tree splits at column 1, then at column 4; the other is a leaf.
FOREST = Forest(
    feature=np.array([1, LEAF, 4, LEAF, LEAF, LEAF], np.int32),
    threshold=np.array([0.25, 0, 7, 0, 0, 0]),
    left=np.array([2, 0, 3, 0, 0, 0], np.int32),
    right=np.array([5, 0, 4, 0, 0, 0], np.int32),
    votes=np.array([[0, 0], [1, 0], [0, 0], [1, 0], [0, 1], [0, 1]]),
    roots=np.array([0, 1], np.int32),
    n_columns=6,
    labels=(1, 3),
    trees_per_forest=(1, 1),
)


@pytest.fixture
def project(tmp_path: Path) -> PixelProject:
    path = tmp_path / "p.ilp"
    record = ImageRecord(channel_names=("mean", "DNA"), preparation=PreparationOptions(scale=3))
    crops = {"crops/a.h5": (2, 6, 8), "crops/b.h5": (2, 5, 5)}
    create_project(path, crops, label_classes(["A", "B", "C"]), record)
    write_labels(path, {1: np.eye(5, dtype=np.uint8) * 3})
    store_classifier(path, SELECTION, FOREST, SELECTION.names(2), n_samples=5)
    return read_project(path)


def test_classes_and_crops_are_counted(project: PixelProject) -> None:
    summary = summarise(project)
    assert [(c.name, c.labelled_pixels, c.is_trained) for c in summary.classes] == [
        ("A", 0, True),
        ("B", 0, False),
        ("C", 5, True),
    ]
    assert [(crop.name, crop.size, crop.labelled_pixels) for crop in summary.crops] == [
        ("a", (6, 8), (0, 0, 0)),
        ("b", (5, 5), (0, 0, 5)),
    ]


def test_the_forest_is_measured(project: PixelProject) -> None:
    forest = summarise(project).forest
    assert forest is not None
    assert forest.trees_per_forest == (1, 1)
    assert (forest.n_columns, forest.n_used_columns, forest.n_nodes) == (6, 2, 6)
    assert (forest.depth, forest.mean_depth) == (2, 1.0)


def test_a_split_counts_half_as_much_one_level_down(project: PixelProject) -> None:
    summary = summarise(project)
    features = {importance.name: importance.share for importance in summary.feature_importance}
    assert features == {
        "GaussianSmoothing 1 px": pytest.approx(2 / 3),
        "LaplacianOfGaussian 1.6 px": pytest.approx(1 / 3),
        "GaussianSmoothing 1.6 px": 0,
    }
    channels = {importance.name: importance.share for importance in summary.channel_importance}
    assert channels == {"DNA": pytest.approx(2 / 3), "mean": pytest.approx(1 / 3)}
    assert list(channels) == ["DNA", "mean"]


def test_features_are_listed_with_their_scales(project: PixelProject) -> None:
    assert summarise(project).features == (
        ("GaussianSmoothing", (1.0, 1.6)),
        ("LaplacianOfGaussian", (1.6,)),
    )


def test_an_untrained_project_has_no_importance(tmp_path: Path) -> None:
    create_project(tmp_path / "p.ilp", {"crops/a.h5": (2, 6, 8)}, label_classes(["A", "B"]))
    summary = summarise(read_project(tmp_path / "p.ilp"))
    assert summary.forest is None
    assert summary.features == ()
    assert summary.feature_importance == ()
    assert summary.n_channels == 2


def test_a_summary_becomes_json(project: PixelProject) -> None:
    summary = summarise(project)
    assert json.loads(json.dumps(dataclasses.asdict(summary)))["preparation"]["scale"] == 3
