"""From strokes to predictions and a saved project, without the web."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from annotation.answers import Answer
from annotation.desk import Desk
from annotation.images import Images
from annotation.requests import ChangeClasses, ChangeFeatures, Paint, StepBack
from annotation.session import Session
from ilpix.features.selection import default_selection
from ilpix.images.chosen_crops import read_chosen
from ilpix.images.crops import CropWindow
from ilpix.images.hdf5 import open_prepared
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.probabilities import to_uint16
from ilpix.project.label_images import export_labels, import_labels
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.training.feature_table import choose_features
from ilpix.training.storing import train
from tests.annotation.tissue import runs_of, truth_of

DEADLINE_S = 60
T = TypeVar("T")


def wait_for(look: Callable[[], T | None]) -> T:
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if (value := look()) is not None:
            return value
        time.sleep(0.02)
    raise TimeoutError


@pytest.fixture
def desk(tissue: Path, session: Session) -> Iterator[Desk]:
    images = Images(tissue / "ilastik_img", tissue / "ilastik_crops", session)
    desk = Desk(tissue, session, images)
    desk.live.start()
    desk.live.show("page-one", 0)
    yield desk
    desk.end()
    desk.live.join(DEADLINE_S)


class Hand:
    """A person who paints where the truth is known."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.folder, self.number = desk, folder, 0

    def paint(self, lane: int, value: int, n: int = 60) -> None:
        truth = truth_of(self.folder, lane)
        places = np.flatnonzero(truth == value)
        drawn = np.zeros(truth.shape, np.bool_)
        drawn.ravel()[places[:: max(len(places) // n, 1)]] = True
        self.paint_mask(lane, value, drawn)

    def paint_mask(self, lane: int, value: int, mask: NDArray[np.bool_]) -> None:
        runs = runs_of(mask)
        self.send(Paint(kind="paint", number=0, lane=lane, value=value, runs=runs))

    def send(self, gesture: Paint | ChangeClasses | ChangeFeatures | StepBack) -> None:
        self.desk.take("page-one", [gesture.model_copy(update={"number": self.number})])
        self.number += 1


@pytest.fixture
def hand(desk: Desk, tissue: Path) -> Hand:
    return Hand(desk, tissue)


def final(desk: Desk, lane: int = 0) -> Answer:
    """The prediction that follows from all labels."""
    revision = desk.session.board.revision

    def look() -> Answer | None:
        answer = desk.live.answer(lane)
        return answer if answer and answer.is_final and answer.revision == revision else None

    return wait_for(look)


def predicted_by_run(project: Path, lane: int) -> NDArray[np.uint16]:
    """What `ilpix run` makes of a crop, (Y, X, K)."""
    crops = sorted((project.parent / "ilastik_crops").glob("*.h5"))
    with open_prepared(crops[lane]) as crop:
        pixels = crop.read()
    return to_uint16(Classifier.of(read_project(project)).predict(pixels))


def test_the_prediction_knows_the_tissue(desk: Desk, hand: Hand, tissue: Path) -> None:
    for lane in (0, 1):
        for value in (1, 2, 3):
            hand.paint(lane, value)
    truth = truth_of(tissue, 0)
    assert np.mean(final(desk).classes == truth) > 0.8


def test_the_saved_project_predicts_what_was_on_the_screen(
    desk: Desk, hand: Hand, project: Path
) -> None:
    for value in (1, 2, 3):
        hand.paint(0, value)
    answer = final(desk)
    saved = desk.save()
    assert saved.has_classifier
    assert desk.session.is_saved
    stored = predicted_by_run(project, 0)
    np.testing.assert_array_equal(answer.classes, stored.argmax(axis=2) + 1)
    np.testing.assert_array_equal(
        np.moveaxis(answer.probabilities, 0, 2), np.rint(stored / 65535 * 255)
    )


def test_a_save_writes_the_bytes_of_train(
    desk: Desk, hand: Hand, project: Path, tmp_path: Path
) -> None:
    """However the labels came about: in another order, with an undo, before or after a pause."""
    shutil.copytree(project.parent, tmp_path / "trained")
    for value in (3, 1, 2):
        hand.paint(0, value)
    hand.paint(4, 2, n=9)
    hand.paint(4, 3, n=500)
    hand.send(StepBack(kind="undo", number=0))
    desk.live.pause(is_paused=True)
    hand.paint(2, 1, n=30)
    desk.save()
    export_labels(project, tmp_path / "labels")
    for name in ("region_2", "region_4"):  # nothing was painted there
        next((tmp_path / "labels").glob(f"{name}*")).unlink()
    trained = tmp_path / "trained" / project.name
    train(trained, default_selection(), tmp_path / "labels", seed=0)
    assert trained.read_bytes() == project.read_bytes()


def test_the_project_as_it_was_opened_is_kept_once(desk: Desk, hand: Hand, project: Path) -> None:
    before = project.read_bytes()
    for value in (1, 2):
        hand.paint(0, value)
    assert desk.save().backup == project.with_name(f"{project.name}.bak")
    hand.paint(1, 1)
    assert desk.save().backup is None
    backups = [path for path in project.parent.iterdir() if ".bak" in path.name]
    assert [path.read_bytes() for path in backups] == [before]


def test_labels_made_elsewhere_train_at_once(desk: Desk, project: Path, tissue: Path) -> None:
    drawn = {lane: np.where(np.arange(160) % 40 == 0, truth_of(tissue, lane), 0) for lane in (0, 1)}
    write_labels(project, {lane: image.astype(np.uint8) for lane, image in drawn.items()})
    desk.take_over()
    assert np.mean(final(desk).classes == truth_of(tissue, 0)) > 0.8


def test_one_class_has_no_prediction_and_no_classifier(
    desk: Desk, hand: Hand, project: Path
) -> None:
    for value in (1, 2):
        hand.paint(0, value)
    final(desk)
    hand.paint_mask(0, 0, np.ones((160, 160), dtype=bool))
    hand.paint(0, 2)
    wait_for(lambda: True if desk.live.answer(0) is None else None)
    assert not desk.save().has_classifier
    assert read_project(project).forest is None
    assert read_all_labels(read_project(project))[0].any()


def test_a_removed_class_leaves_project_and_prediction(
    desk: Desk, hand: Hand, project: Path
) -> None:
    """Class 3 becomes class 2 of the project, in every crop; on the screen it stays what it is."""
    for lane in (0, 3):
        for value in (1, 2, 3):
            hand.paint(lane, value)
    nucleus, _, background = desk.session.board.classes
    hand.send(ChangeClasses(kind="classes", number=0, classes=(nucleus, background)))
    answer = final(desk)
    assert answer.ids == (1, 3)
    desk.save()
    saved = read_project(project)
    assert [known.name for known in saved.classes] == ["Nucleus", "Background"]
    labels = read_all_labels(saved)
    for lane in (0, 3):
        np.testing.assert_array_equal(labels[lane] == 2, desk.session.board.labels[lane] == 3)
    np.testing.assert_array_equal(answer.classes == 3, predicted_by_run(project, 0).argmax(2) == 1)
    again = Session(project)
    assert [known.id for known in again.board.classes] == [1, 3]


def test_added_and_renamed_classes_are_saved(desk: Desk, hand: Hand, project: Path) -> None:
    classes = desk.session.board.classes
    renamed = classes[0].model_copy(update={"name": "Ядро", "color": (9, 9, 9)})
    added = classes[0].model_copy(update={"id": 7, "name": "Mitosis"})
    changed = (renamed, *classes[1:], added)
    hand.send(ChangeClasses(kind="classes", number=0, classes=changed))
    hand.paint(0, 1)
    hand.paint_mask(0, 7, np.eye(160, dtype=bool))
    final(desk)
    desk.save()
    saved = read_project(project)
    assert [known.name for known in saved.classes] == [
        "Ядро",
        "Cytoplasm",
        "Background",
        "Mitosis",
    ]
    assert saved.classes[0].color == (9, 9, 9)
    assert saved.labelled_pixels[0][3] == 160


def test_another_choice_of_features_is_predicted_and_saved(
    desk: Desk, hand: Hand, project: Path
) -> None:
    for value in (1, 2, 3):
        hand.paint(0, value)
    fast = choose_features("fast")
    hand.send(ChangeFeatures(kind="features", number=0, features=fast))
    answer = final(desk)
    desk.save()
    assert read_project(project).features == fast
    stored = predicted_by_run(project, 0).argmax(axis=2) + 1
    np.testing.assert_array_equal(answer.classes, stored)


def test_it_is_known_where_the_next_label_helps(desk: Desk, hand: Hand) -> None:
    for lane in (0, 1):
        for value in (1, 2, 3):
            hand.paint(lane, value)
    known = wait_for(
        lambda: desk.live.findings.known if "quality" in desk.live.findings.known else None
    )
    assert set(known["uncertainty"]["crops"]) == set(range(5))
    assert all(0 <= one["mean"] <= 1 for one in known["uncertainty"]["crops"].values())
    assert known["quality"]["crops"] == 2
    assert 0.8 < known["quality"]["other_crops"] <= 1
    assert sum(known["importance"]["channels"].values()) == pytest.approx(1)


def test_a_crop_is_cut_as_prepare_cuts_it(desk: Desk, tissue: Path, project: Path) -> None:
    lane = desk.cut("region_2", y=7, x=31, size=128)
    assert lane == 5
    crop = tissue / "ilastik_crops" / "region_2_x31_y7_w128_h128.h5"
    with open_prepared(crop) as cut, open_prepared(tissue / "ilastik_img/region_2.h5") as image:
        np.testing.assert_array_equal(cut.read(), image.read(slice(7, 135), slice(31, 159)))
        assert cut.record == image.record
    added = read_project(project).lanes[5]
    assert (added.nickname, added.size) == (crop.stem, (128, 128))
    assert read_chosen(tissue / "ilastik_crops") == {"region_2": [CropWindow(7, 31, 128)]}
    assert desk.cut("region_2", y=7, x=31, size=128) == 5
    with h5py.File(project) as file:
        first, last = (file[f"Input Data/infos/lane{n:04d}/Raw Data"] for n in (0, 5))
        assert set(first) == set(last)


def test_strokes_on_a_new_crop_survive(desk: Desk, hand: Hand, project: Path) -> None:
    hand.paint(0, 1)
    lane = desk.cut("region_2", y=7, x=31, size=128)
    hand.paint_mask(lane, 2, np.eye(128, dtype=bool))
    again = Session(project)
    assert again.board.totals()[2] == 128
    assert len(again.told) == 1


def test_labels_go_to_label_images_and_back(desk: Desk, hand: Hand, project: Path) -> None:
    for value in (1, 2, 3):
        hand.paint(0, value)
    desk.save()
    folder = project.parent / "labels"
    export_labels(project, folder)
    before = read_all_labels(read_project(project))
    import_labels(project, folder)
    np.testing.assert_array_equal(read_all_labels(read_project(project))[0], before[0])
