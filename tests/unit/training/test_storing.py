"""Labels in, a stored classifier out, or the project as it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from ilpix.errors import InvalidProjectError
from ilpix.features.computing import compute_features
from ilpix.features.selection import default_selection
from ilpix.files import sha256_of
from ilpix.forest.growing import GrownForest, grow_forest, mean_votes
from ilpix.images.hdf5 import open_prepared, write_image
from ilpix.prediction.classifier import Classifier
from ilpix.project.backups import find_backups
from ilpix.project.errors import UnusableLabelsError
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.project.work import count_labels
from ilpix.training import storing
from ilpix.training.errors import NoLabelsError, OneClassLabelledError, ProjectChangedError
from ilpix.training.samples import collect_samples
from ilpix.training.storing import TrainingSummary
from tests.unit.labelled_projects import CLASSES, EDGE_PX, SMALL_SELECTION, make_labelled_project


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storing a hundred trees takes most of a second."""
    monkeypatch.setattr("ilpix.training.storing.TREES", 8)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_labelled_project(tmp_path)


def train(project: Path, **options: object) -> TrainingSummary:
    return storing.train(project, SMALL_SELECTION, **{"seed": 0, **options})


def label_only(project: Path, **labels: tuple[int, ...]) -> None:
    """Replace all labels: in the first row of each crop, one pixel per value."""
    drawn = {index: np.zeros((EDGE_PX, EDGE_PX), np.uint8) for index in range(3)}
    for name, values in labels.items():
        drawn[int(name.removeprefix("roi_"))][0, : len(values)] = values
    write_labels(project, drawn)


def test_trained_project_predicts_its_classes(project: Path) -> None:
    train(project)
    trained = read_project(project)
    assert trained.features == SMALL_SELECTION
    with open_prepared(project.parent / "ilastik_crops/roi_0.h5") as crop:
        image = crop.read()
    probabilities = Classifier.of(trained).predict(image)
    labels = read_all_labels(trained)[0]
    predicted = probabilities.argmax(axis=2) + 1
    assert np.mean(predicted[labels > 0] == labels[labels > 0]) > 0.95


def test_samples_are_the_features_of_labelled_pixels(project: Path) -> None:
    read = read_project(project)
    labels = read_all_labels(read)
    samples = collect_samples(read, labels, SMALL_SELECTION)
    assert samples.crop_names == ("roi_0", "roi_1", "roi_2")
    assert samples.channel_names == ("channel 0", "channel 1", "channel 2")
    assert samples.columns == SMALL_SELECTION.columns(3)
    for index, name in enumerate(samples.crop_names):
        with open_prepared(project.parent / f"ilastik_crops/{name}.h5") as crop:
            features = compute_features(crop.read(), SMALL_SELECTION)
        of_crop = samples.where(samples.crops == index)
        np.testing.assert_array_equal(of_crop.labels, labels[index][labels[index] > 0])
        np.testing.assert_array_equal(of_crop.features, features[labels[index] > 0])


def test_same_seed_and_labels_give_the_same_file(tmp_path: Path) -> None:
    digests = []
    for name, threads in (("a", 1), ("b", 3), ("c", None)):
        project = make_labelled_project(tmp_path / name)
        train(project, threads=threads)
        digests.append(sha256_of(project))
    assert len(set(digests)) == 1


def test_training_twice_replaces_the_classifier(project: Path) -> None:
    train(project, seed=1)
    first = read_project(project).forest
    train(project, seed=2)
    second = read_project(project).forest
    assert first is not None
    assert second is not None
    assert first.feature.tobytes() != second.feature.tobytes()


def test_label_images_are_trained_on_and_stored(project: Path, tmp_path: Path) -> None:
    drawn = np.zeros((EDGE_PX, EDGE_PX), np.uint8)
    drawn[0, :9] = (1, 2, 3) * 3
    tifffile.imwrite(tmp_path / "roi_1.tiff", drawn)
    before = read_all_labels(read_project(project))
    summary = train(project, labels=tmp_path)
    after = read_all_labels(read_project(project))
    np.testing.assert_array_equal(after[1], drawn)
    np.testing.assert_array_equal(after[0], before[0])
    assert np.count_nonzero(summary.samples.crops == 1) == 9


def test_points_are_trained_on(project: Path, tmp_path: Path) -> None:
    label_only(project)
    table = tmp_path / "points.csv"
    table.write_text("crop,y,x,label\nroi_0,0,0,Nucleus\nroi_0,23,23,Background\n")
    assert train(project, labels=table).pixels == {1: 1, 2: 0, 3: 1}


def test_class_without_labels_has_no_probability(project: Path) -> None:
    label_only(project, roi_0=(1, 3, 1, 3), roi_1=(3, 1))
    summary = train(project)
    assert "Cytoplasm has no labels" in summary.advice[1]
    probabilities = Classifier.of(read_project(project)).predict(np.ones((3, 20, 20)))
    assert probabilities.shape == (20, 20, 3)
    assert not probabilities[..., 1].any()


@pytest.mark.parametrize(
    ("labels", "advice"),
    [
        ({"roi_0": (1, 2, 3), "roi_1": (1, 2, 3)}, "Nucleus has 2 labelled pixels"),
        ({"roi_0": (1,) * 20 + (2, 3), "roi_1": (2, 3)}, "Nucleus is labelled in roi_0 only"),
        ({"roi_0": (1, 2, 3)}, "all labels are in one crop"),
    ],
)
def test_few_labels_are_pointed_out(
    project: Path, labels: dict[str, tuple[int, ...]], advice: str
) -> None:
    label_only(project, **labels)
    assert any(sentence.startswith(advice) for sentence in train(project).advice)


def test_enough_labels_need_no_advice(tmp_path: Path) -> None:
    summary = train(make_labelled_project(tmp_path, labelled_share=0.5))
    assert summary.advice == ()
    assert summary.class_names == dict(enumerate(CLASSES, 1))


def test_project_without_labels_is_refused(project: Path) -> None:
    label_only(project)
    assert_unchanged(project, NoLabelsError)


def test_single_class_is_refused(project: Path) -> None:
    label_only(project, roi_0=(2, 2), roi_2=(2,))
    assert_unchanged(project, OneClassLabelledError)


def remove_crop(crop: Path) -> None:
    crop.unlink()


def damage_crop(crop: Path) -> None:
    crop.write_bytes(crop.read_bytes()[:1000])


def drop_channel(crop: Path) -> None:
    write_image(crop, np.ones((2, EDGE_PX, EDGE_PX)), None, "crop")


def enlarge_crop(crop: Path) -> None:
    write_image(crop, np.ones((3, EDGE_PX + 1, EDGE_PX)), None, "crop")


def spoil_pixel(crop: Path) -> None:
    image = np.ones((3, EDGE_PX, EDGE_PX))
    image[1, 2, 3] = np.nan
    write_image(crop, image, None, "crop")


@pytest.mark.parametrize(
    "spoil", [remove_crop, damage_crop, drop_channel, enlarge_crop, spoil_pixel]
)
def test_unusable_crop_is_refused_by_name(project: Path, spoil: Callable[[Path], None]) -> None:
    spoil(project.parent / "ilastik_crops/roi_1.h5")
    error = assert_unchanged(project, UnusableLabelsError)
    assert "roi_1" in str(error)


def test_crop_without_labels_may_be_missing(project: Path) -> None:
    label_only(project, roi_0=(1, 2), roi_1=(2, 3))
    remove_crop(project.parent / "ilastik_crops/roi_2.h5")
    assert train(project).samples.crop_names == ("roi_0", "roi_1")


def test_crop_too_small_for_a_scale_is_refused(project: Path) -> None:
    before = sha256_of(project)
    with pytest.raises(UnusableLabelsError, match="scale 10"):
        storing.train(project, default_selection(), seed=0)
    assert sha256_of(project) == before


def test_unfit_label_images_leave_the_project_alone(project: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "roi_0.tiff", np.full((EDGE_PX, EDGE_PX), 9, np.uint8))
    assert_unchanged(project, UnusableLabelsError, labels=tmp_path)


def test_failure_while_storing_leaves_labels_and_classifier_alone(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InvalidProjectError(project, ())

    monkeypatch.setattr("ilpix.training.storing.store_classifier", fail)
    tifffile.imwrite(tmp_path / "roi_0.tiff", np.full((EDGE_PX, EDGE_PX), 1, np.uint8))
    assert_unchanged(project, InvalidProjectError, labels=tmp_path)
    assert [path.suffix for path in project.parent.glob("*.ilp")] == [".ilp"]


def test_other_content_of_the_project_is_kept(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        file["PixelClassification/Bookmarks/0000"] = np.void(b"(lp0\n.")
    train(project)
    with h5py.File(project, "r") as file:
        assert file["PixelClassification/Bookmarks/0000"][()].tobytes() == b"(lp0\n."


def test_stored_forest_decides_as_the_grown_one(project: Path) -> None:
    summary = train(project)
    stored = read_project(project).forest
    assert stored is not None
    features = summary.samples.features
    np.testing.assert_array_equal(
        mean_votes(stored, features), mean_votes(summary.grown.forest, features)
    )


def assert_unchanged(project: Path, error: type[Exception], **options: object) -> Exception:
    """The project is refused, and as it was."""
    before = sha256_of(project)
    with pytest.raises(error) as caught:
        train(project, **options)
    assert sha256_of(project) == before
    return caught.value


def test_labels_that_are_saved_during_the_training_are_kept_and_nothing_is_stored(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classifier was stored beside labels that it had never seen."""

    def grow_while_somebody_saves(*arguments: Any, **options: Any) -> GrownForest:
        write_labels(project, {0: np.ones((EDGE_PX, EDGE_PX), np.uint8)})
        return grow_forest(*arguments, **options)

    monkeypatch.setattr(storing, "grow_forest", grow_while_somebody_saves)
    with pytest.raises(ProjectChangedError, match="train again"):
        train(project)
    assert (read_all_labels(read_project(project))[0] == 1).all()
    assert not read_project(project).has_classifier


def test_what_a_training_replaces_is_kept(project: Path) -> None:
    """A classifier trained by hand was replaced, exit code 0, and nothing of it was left."""
    assert train(project, seed=1).backup is None  # there was none before
    trained = project.read_bytes()
    backup = train(project, seed=2).backup
    assert backup == project.with_name(f"{project.name}.bak")
    assert backup.read_bytes() == trained
    assert train(project, seed=2).backup is None  # the very same classifier again
    assert find_backups(project) == (backup,)


def test_labels_that_a_training_replaces_are_kept(project: Path, tmp_path: Path) -> None:
    before = project.read_bytes()
    drawn = np.zeros((EDGE_PX, EDGE_PX), np.uint8)
    drawn[0, :9] = (1, 2, 3) * 3
    tifffile.imwrite(tmp_path / "roi_1.tiff", drawn)
    summary = train(project, labels=tmp_path)
    assert summary.backup is not None
    assert summary.backup.read_bytes() == before
    assert summary.labels_before != summary.labels_after == count_labels(read_project(project))


def test_an_empty_label_image_of_a_labelled_crop_is_refused(project: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "roi_1.tiff", np.zeros((EDGE_PX, EDGE_PX), np.uint8))
    before = project.read_bytes()
    with pytest.raises(UnusableLabelsError, match="ask for clearing"):
        train(project, labels=tmp_path)
    assert project.read_bytes() == before


def test_pixels_inside_the_project_are_said_to_need_a_fix(project: Path) -> None:
    with h5py.File(project, "r+") as file:
        lane = file["Input Data/infos/lane0001/Raw Data"]
        del lane["location"]
        lane["location"] = b"ProjectInternal"
    (project.parent / "ilastik_crops/roi_1.h5").unlink()
    with pytest.raises(UnusableLabelsError, match="has its pixels in the project; run fix"):
        train(project)
