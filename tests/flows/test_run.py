"""`run` and `train` as users call them."""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from filelock import FileLock

from command.demo import CROPSIZE, LABELS, SEED, accuracy, write_labels_of_a_person
from containers.run_errors import ProjectNotOpenedError
from flows.check import check
from flows.classify import classify
from flows.errors import ImagesFailedError, TrainingNeededError
from flows.options import PrepareOptions, RunOptions, TrainOptions
from flows.prepare import prepare
from flows.run import run
from flows.running.manifest import read_manifest
from flows.running.progress import LogDisplay, display
from flows.train import train
from ilpix.example import write_example
from ilpix.images.errors import NoPreparedImagesError
from ilpix.prediction.classifier import Classifier
from ilpix.prediction.errors import NoClassifierError
from ilpix.prediction.probabilities import to_uint16
from ilpix.project.backups import find_backups
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.training import storing
from ilpix.training.feature_table import choose_features
from tests.hostile.damage import empty_the_free_space

OPTIONS = PrepareOptions(cropsize=CROPSIZE, seed=SEED)
TRAINING = TrainOptions(labels=LABELS, seed=SEED, quality=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a trained project; tests work on copies."""
    folder = tmp_path_factory.mktemp("trained")
    write_example(folder)
    prepare(folder, OPTIONS)
    write_labels_of_a_person(folder, OPTIONS)
    train(folder, TRAINING)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "data")
    return tmp_path / "data"


def images_of(folder: Path, verb: str = "run") -> dict[str, str]:
    verbs = json.loads((folder / "ilpix_run.json").read_text())["verbs"]
    return {outcome["image"]: outcome["state"] for outcome in verbs[verb]["images"]}


def test_the_probabilities_are_those_of_the_classifier(folder: Path) -> None:
    targets = run(folder)
    classifier = Classifier.of(read_project(folder / "pixel_classifier.ilp"))
    for target in targets:
        with h5py.File(folder / "ilastik_img" / f"{target.stem}.h5") as file:
            expected = to_uint16(classifier.predict(file["img"][:]))
        np.testing.assert_array_equal(tifffile.imread(target), expected)


def test_scripted_training_finds_most_of_the_truth(folder: Path) -> None:
    assert accuracy(folder, run(folder), OPTIONS.scale) > 0.95


def test_a_second_run_keeps_everything(folder: Path) -> None:
    before = {target: target.read_bytes() for target in run(folder)}
    run(folder)
    assert set(images_of(folder).values()) == {"kept"}
    assert {target: target.read_bytes() for target in before} == before


def delete_one_result(folder: Path) -> None:
    (folder / "ilastik_probabilities" / "region_2.tiff").unlink()


def cut_one_result_short(folder: Path) -> None:
    result = folder / "ilastik_probabilities" / "region_2.tiff"
    result.write_bytes(result.read_bytes()[:1000])


def change_one_pixel(folder: Path) -> None:
    with h5py.File(folder / "ilastik_img" / "region_2.h5", "r+") as file:
        file["img"][0, 0, 0] += 100


@pytest.mark.parametrize("change", [delete_one_result, cut_one_result_short, change_one_pixel])
def test_only_what_changed_is_predicted_again(folder: Path, change: Callable[[Path], None]) -> None:
    run(folder)
    change(folder)
    run(folder)
    states = images_of(folder)
    assert states.pop("region_2") == "done"
    assert set(states.values()) == {"kept"}


def touch_images(folder: Path) -> None:
    for image in (folder / "ilastik_img").iterdir():
        os.utime(image, (1, 1))


def save_the_project_again(folder: Path) -> None:
    """As Ilastik does: another time in it, the same classifier."""
    with h5py.File(folder / "pixel_classifier.ilp", "r+") as file:
        del file["time"]
        file["time"] = b"Mon Jan  1 00:00:00 2024"


@pytest.mark.parametrize("change", [touch_images, save_the_project_again])
def test_what_changes_no_number_predicts_nothing_again(
    folder: Path, change: Callable[[Path], None]
) -> None:
    run(folder)
    change(folder)
    run(folder, RunOptions(threads=3, parallel=1))
    assert set(images_of(folder).values()) == {"kept"}


def test_a_moved_data_directory_keeps_its_results(folder: Path) -> None:
    run(folder)
    moved = folder.rename(folder.with_name("moved"))
    targets = run(moved)
    assert set(images_of(moved).values()) == {"kept"}
    assert all(target.is_relative_to(moved) for target in targets)


class ReplacingDisplay(LogDisplay):
    """Puts another file in the place of one as soon as the first image is done."""

    def __init__(self, path: Path, other: Path) -> None:
        self.path, self.other = path, other

    @contextmanager
    def step(self, *_: object) -> Iterator["ReplacingDisplay"]:
        yield self

    def advance(self, *_: object) -> None:
        shutil.copyfile(self.other, self.path)


def test_a_project_that_is_trained_again_during_a_run_changes_none_of_its_results(
    folder: Path,
) -> None:
    """Images after the first were predicted with the new classifier, and remembered as others."""
    project, other = folder / "pixel_classifier.ilp", folder / "other.ilp"
    old = Classifier.of(read_project(project))
    shutil.copyfile(project, other)
    storing.train(other, choose_features("fast"), seed=5)
    token = display.set(ReplacingDisplay(project, other))
    try:
        targets = run(folder, RunOptions(parallel=1))
    finally:
        display.reset(token)
    assert project.read_bytes() == other.read_bytes()
    for target in targets:
        with h5py.File(folder / "ilastik_img" / f"{target.stem}.h5") as file:
            expected = to_uint16(old.predict(file["img"][:]))
        np.testing.assert_array_equal(tifffile.imread(target), expected)
    run(folder)
    assert set(images_of(folder).values()) == {"done"}


def test_a_run_waits_for_another_one_in_the_same_folder(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two runs at once computed everything twice."""
    first = FileLock(folder / ".ilpix" / "lock")
    with ThreadPoolExecutor(1) as pool:
        with first:
            second = pool.submit(run, folder)
            while not (caplog.records or second.done()):
                time.sleep(0.01)
            assert "another run works in" in caplog.text
            assert not (folder / "ilastik_probabilities").exists()
        assert len(second.result()) == 5


def test_refresh_predicts_everything_again(folder: Path) -> None:
    run(folder)
    run(folder, RunOptions(refresh=True))
    assert set(images_of(folder).values()) == {"done"}


def test_another_classifier_predicts_everything_again(folder: Path) -> None:
    run(folder)
    train(folder, TRAINING.model_copy(update={"seed": 2}))
    run(folder)
    assert set(images_of(folder).values()) == {"done"}


def test_one_bad_image_costs_that_image_only(folder: Path) -> None:
    with h5py.File(folder / "ilastik_img" / "region_2.h5", "r+") as file:
        three_channels = file["img"][:3]
        del file["img"]
        file["img"] = three_channels
    with pytest.raises(ImagesFailedError) as raised:
        run(folder)
    assert list(raised.value.failures) == ["region_2"]
    results = {path.stem for path in (folder / "ilastik_probabilities").iterdir()}
    assert results == {"region_1", "region_3", "region_4", "region_5"}
    assert images_of(folder)["region_2"] == "failed"


def test_damage_that_holds_the_hdf5_library_for_ever_costs_that_image_only(folder: Path) -> None:
    empty_the_free_space(folder / "ilastik_img" / "region_2.h5")
    with pytest.raises(ImagesFailedError, match="region_2") as raised:
        run(folder)
    assert list(raised.value.failures) == ["region_2"]
    assert len(list((folder / "ilastik_probabilities").iterdir())) == 4


BROKEN_ILASTIK = """#!/bin/sh
echo started >> {folder}/starts
cat >&2 <<'LOG'
INFO ilastik.shell.projectManager: Opening Project: project.ilp
Traceback (most recent call last):
  File "ilastik/shell/projectManager.py", line 571, in _loadProject
RuntimeError: Rois do not intersect!
LOG
exit 1
"""


@pytest.mark.parametrize("batch", [1, 2])
def test_an_ilastik_that_cannot_open_the_project_is_tried_once(folder: Path, batch: int) -> None:
    """All images were tried one after the other, for hours, with the same error for each."""
    program = folder / "run_ilastik.sh"
    program.write_text(BROKEN_ILASTIK.format(folder=folder))
    program.chmod(0o755)
    options = RunOptions(engine="local", ilastik=str(program), batch=batch, parallel=1)
    with pytest.raises(ProjectNotOpenedError, match="Rois do not intersect"):
        run(folder, options)
    assert (folder / "starts").read_text().count("started") == 1


HANGING_ILASTIK = """#!/bin/sh
image=$(readlink "$(printf '%s\\n' "$@" | grep -o '^/.*/0000[.]h5' | head -n 1)")
basename "$image" >> {folder}/starts
case "$image" in *region_1.h5) sleep 600 ;; esac
exit 1
"""


def test_an_ilastik_that_hangs_is_given_its_time_twice_and_the_others_are_tried(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was given its time four times: with the usual one for four hours."""
    program = folder / "run_ilastik.sh"
    program.write_text(HANGING_ILASTIK.format(folder=folder))
    program.chmod(0o755)
    monkeypatch.setenv("ILPIX_LOCAL__PROGRAM", str(program))
    monkeypatch.setenv("ILPIX_LOCAL__TIMEOUT_S", "2")
    monkeypatch.chdir(folder.parent)
    with pytest.raises(ImagesFailedError, match="stopped after its time was up") as failed:
        run(Path(folder.name), RunOptions(engine="local", parallel=1))
    assert f"log: {folder.name}/.ilpix/logs/region_1-" in str(failed.value)  # as it was given
    starts = Counter((folder / "starts").read_text().split())
    assert starts == {f"region_{i}.h5": 2 if i == 1 else 1 for i in range(1, 6)}


def test_images_that_fail_in_the_same_way_are_one_row() -> None:
    failures = {
        f"roi_{i}": f"roi_{i}.h5: Ilastik ended with an error\nlog: .ilpix/logs/roi_{i}-a.log"
        for i in range(5)
    }
    error = ImagesFailedError("run", failures | {"other": "is broken"}, 9)
    assert [images for images, _ in error.rows()] == [
        "5 images: roi_0, roi_1, roi_2 and 2 more",
        "other",
    ]
    assert str(error).count("Ilastik ended with an error") == 1


def test_a_file_whose_name_is_not_utf8_fails_alone(folder: Path) -> None:
    """Of an archive from another system. It ended the run with a traceback and no manifest."""
    named = Path(os.fsdecode(b"M\xfcller.h5"))
    shutil.copy(folder / "ilastik_img" / "region_1.h5", folder / "ilastik_img" / named)
    with pytest.raises(ImagesFailedError, match="not UTF-8"):
        run(folder)
    assert images_of(folder).pop(r"M\udcfcller") == "failed"
    assert len(list((folder / "ilastik_probabilities").iterdir())) == 5
    assert [finding.where for finding in check(folder)] == [r"M\udcfcller.h5"]


def test_an_image_too_small_for_a_scale_fails_alone(folder: Path) -> None:
    with h5py.File(folder / "ilastik_img" / "region_2.h5", "r+") as file:
        small = file["img"][:, :10, :10]
        del file["img"]
        file["img"] = small
    with pytest.raises(ImagesFailedError, match="region_2"):
        run(folder)
    assert len(list((folder / "ilastik_probabilities").iterdir())) == 4


def test_a_project_without_classifier_is_refused(tmp_path: Path) -> None:
    write_example(tmp_path)
    prepare(tmp_path, OPTIONS)
    with pytest.raises(NoClassifierError, match="train"):
        run(tmp_path)


def test_no_prepared_images_is_an_error(folder: Path) -> None:
    shutil.rmtree(folder / "ilastik_img")
    with pytest.raises(NoPreparedImagesError, match="prepare"):
        run(folder)


def pictures_of(folder: Path, stem: str) -> dict[str, bytes]:
    found = (folder / "ilpix_report" / "pictures").glob(f"{stem}.*")
    return {path.name.removeprefix(stem): path.read_bytes() for path in found}


def test_the_report_shows_every_image(folder: Path) -> None:
    run(folder)
    page = (folder / "ilpix_report" / "index.html").read_text()
    for stem in images_of(folder):
        assert set(pictures_of(folder, stem)) == {
            *(".image.jpg", ".classes.png", ".classes-safe.png", ".js")
        }
        for suffix in (".image.jpg", ".classes.png", ".classes-safe.png"):
            assert f"pictures/{stem}{suffix}" in page


def test_the_report_says_how_it_was_made_without_a_clock_or_a_path(folder: Path) -> None:
    run(folder)
    page = (folder / "ilpix_report" / "index.html").read_text()
    assert "embedded 1" in page
    assert "digest of the classifier" in page
    assert str(folder) not in page
    run(folder)
    kept = (folder / "ilpix_report" / "index.html").read_text()
    assert page.count('class="state done"') == kept.count('class="state kept"') == 5


def test_pictures_are_drawn_again_only_where_what_they_show_has_changed(folder: Path) -> None:
    """Every run read and drew all probability images again, also those it had not touched."""
    run(folder)
    kept, changed, *_ = sorted(images_of(folder))
    drawn = {stem: pictures_of(folder, stem) for stem in (kept, changed)}
    small = folder / "ilpix_report" / "pictures" / f"{kept}.image.jpg"
    blank = bytes(small.stat().st_size)
    small.write_bytes(blank)
    with h5py.File(folder / "ilastik_img" / f"{changed}.h5", "r+") as file:
        file["img"][:, :40, :40] = 0
    run(folder)
    assert small.read_bytes() == blank
    assert all(
        pictures_of(folder, changed)[suffix] != before for suffix, before in drawn[changed].items()
    )


def test_an_image_whose_pictures_cannot_be_written_is_predicted_all_the_same(folder: Path) -> None:
    (folder / "ilpix_report" / "pictures" / "region_1.js").mkdir(parents=True)
    assert len(run(folder)) == 5
    page = (folder / "ilpix_report" / "index.html").read_text()
    assert "pictures/region_2.image.jpg" in page
    assert "pictures/region_1.image.jpg" not in page


def test_channels_in_another_order_are_warned_of_and_predicted(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (folder / "ilastik_img").iterdir():
        with h5py.File(path, "r+") as file:
            file["img"][...] = file["img"][()][[0, 2, 1, 3]]
    with caplog.at_level("WARNING"):
        assert len(run(folder)) == 5
    assert "channels seem to be in another order" in caplog.text
    (warning,) = read_manifest(folder).verbs["run"].notes["warnings"]
    assert warning["where"] == "all images"
    assert "(fitting: 0, 2, 1, 3)" in warning["what"]
    page = (folder / "ilpix_report" / "index.html").read_text()
    assert "Looks like E-Cadherin of the crops." in page


def test_training_twice_gives_the_same_bytes_and_is_done_once(folder: Path) -> None:
    project = folder / "pixel_classifier.ilp"
    before = project.read_bytes()
    train(folder, TRAINING)
    assert images_of(folder, "train") == {"pixel_classifier.ilp": "kept"}
    train(folder, TRAINING.model_copy(update={"refresh": True}))
    assert images_of(folder, "train") == {"pixel_classifier.ilp": "done"}
    assert project.read_bytes() == before


def test_training_measures_its_quality(folder: Path) -> None:
    train(folder, TRAINING.model_copy(update={"quality": True}))
    quality = json.loads((folder / "ilpix_report" / "training" / "quality.json").read_text())
    assert quality["out_of_bag"]["accuracy"] > 0.9


def test_classify_trains_from_label_images_and_predicts(tmp_path: Path) -> None:
    write_example(tmp_path)
    prepare(tmp_path, OPTIONS)
    write_labels_of_a_person(tmp_path, OPTIONS)
    targets = classify(tmp_path, OPTIONS, TRAINING)
    assert accuracy(tmp_path, targets, OPTIONS.scale) > 0.95


def test_classify_without_labels_says_how_to_train(tmp_path: Path) -> None:
    write_example(tmp_path)
    with pytest.raises(TrainingNeededError, match="Live Update"):
        classify(tmp_path, OPTIONS)
    assert (tmp_path / "pixel_classifier.ilp").exists()


def test_classify_trains_from_labels_drawn_in_the_project(tmp_path: Path, trained: Path) -> None:
    write_example(tmp_path)
    project = read_project(prepare(tmp_path, OPTIONS))
    drawn = read_project(trained / "pixel_classifier.ilp")
    write_labels(project.path, read_all_labels(drawn))
    classify(tmp_path, OPTIONS, TRAINING.model_copy(update={"labels": None}))
    assert set(images_of(tmp_path).values()) == {"done"}
    assert read_project(project.path).has_classifier


def test_classify_finishes_good_images_and_names_the_bad_one(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "img" / "broken.tiff").write_bytes(b"no TIFF")
    with pytest.raises(ImagesFailedError) as raised:
        classify(folder, PrepareOptions(cropsize=OPTIONS.cropsize))
    assert "it is kept" in caplog.text
    assert "no effect" not in caplog.text  # of a seed that nobody chose
    assert list(raised.value.failures) == ["broken"]
    assert len(list((folder / "ilastik_probabilities").iterdir())) == 5


def test_swapped_channels_fail_alone_and_are_named(folder: Path) -> None:
    """Swapped channels used to give probabilities that look right and are nonsense."""
    with h5py.File(folder / "ilastik_img" / "region_2.h5", "r+") as file:
        record = json.loads(file["img"].attrs["ilpix"])
        names = record["channel_names"]
        record["channel_names"] = [names[0], names[2], names[1], *names[3:]]
        file["img"].attrs["ilpix"] = json.dumps(record)
    with pytest.raises(ImagesFailedError, match=names[1].replace("+", r"\+")) as raised:
        run(folder)
    assert list(raised.value.failures) == ["region_2"]
    assert not (folder / "ilastik_probabilities" / "region_2.tiff").exists()


def test_check_finds_nothing_wrong_and_changes_nothing(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert check(folder) == ()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_suggested_features_are_fewer_and_can_be_trained_with(folder: Path) -> None:
    project = folder / "pixel_classifier.ilp"
    before = project.read_bytes()
    train(folder, TrainOptions(features="fast", suggest=True))
    table = folder / "ilpix_report" / "training" / "features.csv"
    assert project.read_bytes() == before
    train(folder, TrainOptions(features=str(table), quality=False))
    features = read_project(project).features
    assert features is not None
    assert len(features.chosen) < len(choose_features("fast").chosen)


def test_training_keeps_the_features_and_backs_up_what_it_replaces(folder: Path) -> None:
    """160 columns chosen in Ilastik became 168, and the classifier trained there was gone."""
    project = folder / "pixel_classifier.ilp"
    storing.train(project, choose_features("fast"), seed=5)
    before = project.read_bytes()
    n_backups = len(find_backups(project))
    for refresh in (False, True):
        train(folder, TrainOptions(seed=6, quality=False, refresh=refresh))
        assert read_project(project).features == choose_features("fast")
    newest, *_ = backups = find_backups(project)
    assert newest.read_bytes() == before
    assert len(backups) == n_backups + 1  # trained twice on the same, kept once
