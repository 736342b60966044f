"""A classifier trained here is as good as Ilastik's own, and Ilastik's forest code can read it."""

import gzip
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from ilpix.features.computing import compute_features
from ilpix.features.selection import FeatureSelection
from ilpix.files import sha256_of
from ilpix.forest.growing import mean_votes
from ilpix.forest.stored import Forest
from ilpix.images.hdf5 import write_image
from ilpix.project.file import FORESTS
from ilpix.project.label_images import export_labels
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.training.storing import TrainingSummary, train

DATA = Path(__file__).parent / "data" / "training"
IMAGES = sorted(DATA.glob("roi_*.tiff"))
SEED = 0
SYSTEM_PYTHON = Path("/usr/bin/python3")
VIGRA_PREDICTION = """
import sys
import numpy, vigra
project, samples, target, *names = sys.argv[1:]
forests = [vigra.learning.RandomForest(project, name) for name in names]
samples = numpy.load(samples)
votes = sum(forest.predictProbabilities(samples) * forest.treeCount() for forest in forests)
numpy.save(target, votes / sum(forest.treeCount() for forest in forests))
"""


@dataclass(frozen=True)
class Trained:
    """Ilastik's project, trained again."""

    path: Path
    selection: FeatureSelection
    summary: TrainingSummary


def unpack(folder: Path) -> Path:
    """Lay the project and its crops out as Ilastik left them."""
    path = folder / "all.ilp"
    path.write_bytes(gzip.decompress((DATA / "all.ilp.gz").read_bytes()))
    with np.load(DATA / "images.npz") as arrays:
        for name in (name for name in arrays if name.startswith("crop/")):
            crop = folder / "ilastik_crops" / f"{name.removeprefix('crop/')}.h5"
            write_image(crop, arrays[name], None, "crop")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    path = unpack(tmp_path_factory.mktemp("training"))
    selection = read_project(path).features
    assert selection is not None
    return Trained(path, selection, train(path, selection, seed=SEED))


def forest_of(path: Path) -> Forest:
    forest = read_project(path).forest
    assert forest is not None
    return forest


def enlarged_truth(name: str, shape: tuple[int, int]) -> NDArray[np.uint8]:
    with np.load(DATA / "images.npz") as arrays:
        truth = arrays[f"truth/{name}"]
    return truth.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]


def test_there_are_golden_images() -> None:
    assert len(IMAGES) == 5


def test_classifier_is_as_accurate_as_that_of_ilastik(trained: Trained) -> None:
    """Both were trained from the labels in the project. Half a point is the spread that other seeds
    of either program give on so few labels.
    """
    forest = forest_of(trained.path)
    hits, total = np.zeros(2), 0
    for path in IMAGES:
        with np.load(DATA / "images.npz") as arrays:
            features = compute_features(arrays[f"image/{path.stem}"], trained.selection)
        truth = enlarged_truth(path.stem, features.shape[:2])
        ilastik = tifffile.imread(path).argmax(axis=2) + 1
        ours = mean_votes(forest, features.reshape(-1, features.shape[2])).argmax(axis=1) + 1
        hits += [np.count_nonzero(ilastik == truth), np.count_nonzero(ours == truth.ravel())]
        total += truth.size
    of_ilastik, of_ours = hits / total
    assert of_ilastik > 0.9
    assert of_ours > of_ilastik - 0.005


def test_stored_forest_is_the_forest_that_was_grown(trained: Trained) -> None:
    stored, grown = forest_of(trained.path), trained.summary.grown.forest
    features = trained.summary.samples.features
    np.testing.assert_array_equal(mean_votes(stored, features), mean_votes(grown, features))
    assert stored.trees_per_forest == grown.trees_per_forest


def test_every_label_of_the_project_is_trained_on(trained: Trained) -> None:
    assert trained.summary.pixels == {1: 100, 2: 177, 3: 776}
    assert trained.summary.advice == ()


def test_labels_beside_the_crops_give_the_same_project(trained: Trained, tmp_path: Path) -> None:
    path = unpack(tmp_path)
    export_labels(path, tmp_path / "labels")
    write_labels(
        path, {lane.index: np.zeros(lane.size, np.uint8) for lane in read_project(path).lanes}
    )
    summary = train(path, trained.selection, tmp_path / "labels", seed=SEED, threads=1)
    np.testing.assert_array_equal(summary.samples.features, trained.summary.samples.features)
    for index, labels in read_all_labels(read_project(trained.path)).items():
        np.testing.assert_array_equal(read_all_labels(read_project(path))[index], labels)
    again = tmp_path / "again.ilp"
    again.write_bytes(path.read_bytes())
    train(again, trained.selection, seed=SEED)
    assert sha256_of(again) == sha256_of(path)


@pytest.mark.vigra
def test_vigra_reads_the_stored_forests_and_agrees(trained: Trained, tmp_path: Path) -> None:
    """vigra holds the very forest code of Ilastik."""
    vigra = subprocess.run([SYSTEM_PYTHON, "-c", "import vigra"], capture_output=True, check=False)
    if vigra.returncode != 0:
        pytest.skip("Debian's python3-vigra is not installed")
    with np.load(DATA / "images.npz") as arrays:
        features = compute_features(arrays["image/roi_d_small"], trained.selection)
    samples = features.reshape(-1, features.shape[2])
    np.save(tmp_path / "samples.npy", samples)
    forest = forest_of(trained.path)
    groups = [f"{FORESTS}/Forest{index:04d}" for index in range(len(forest.trees_per_forest))]
    files = [trained.path, tmp_path / "samples.npy", tmp_path / "votes.npy"]
    subprocess.run([SYSTEM_PYTHON, "-c", VIGRA_PREDICTION, *files, *groups], check=True)
    expected = mean_votes(forest, samples)
    # vigra adds up votes in float32
    np.testing.assert_allclose(np.load(tmp_path / "votes.npy"), expected, rtol=0, atol=1e-5)
