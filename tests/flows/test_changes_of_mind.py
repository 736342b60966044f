"""Images that are removed, renamed, added or given twice, other choices: of a trained project."""

import json
import shutil
from pathlib import Path

import pytest
import tifffile

from command.demo import CROPSIZE, SEED
from flows.check import check
from flows.options import PrepareOptions, RunOptions
from flows.prepare import prepare
from flows.run import run
from ilpix.errors import IlpixError
from ilpix.example import write_example
from ilpix.images.chosen_crops import add_chosen, read_chosen
from ilpix.images.crops import CropWindow
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project
from ilpix.project.trained import classifier_digest
from tests.flows.trained_folders import make_trained

OPTIONS = PrepareOptions(cropsize=CROPSIZE, seed=SEED)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    make_trained(folder)
    run(folder)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "data")
    return tmp_path / "data"


def notes(folder: Path, verb: str) -> dict[str, dict[str, list[str]]]:
    notes: dict[str, dict[str, list[str]]] = json.loads((folder / "ilpix_run.json").read_text())[
        "verbs"
    ][verb]["notes"]
    return notes


def about_images(folder: Path, verb: str) -> dict[str, list[str]]:
    return notes(folder, verb).get("about_images", {})


def images_of_the_last_run(folder: Path) -> list[str]:
    record = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]
    return sorted({outcome["image"] for outcome in record["images"]})


def test_an_image_that_was_removed_is_said_each_time_and_left_out(folder: Path) -> None:
    """It was predicted and in the report for ever."""
    (folder / "img" / "region_2.tiff").unlink()
    prepare(folder, OPTIONS)
    (told,) = about_images(folder, "prepare").items()
    assert told[1] == ["region_2"]
    assert "is gone" in told[0]
    for _ in range(2):
        assert "region_2.tiff" not in [path.name for path in run(folder)]
        assert list(about_images(folder, "run").values()) == [["region_2"]]
    assert images_of_the_last_run(folder) == ["region_1", "region_3", "region_4", "region_5"]
    assert "region_2" not in (folder / "ilpix_report" / "index.html").read_text()
    assert (folder / "ilastik_img" / "region_2.h5").exists()
    assert (folder / "ilastik_probabilities" / "region_2.tiff").exists()


def test_an_image_that_was_removed_is_left_out_before_prepare_knows(folder: Path) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    run(folder)
    assert "region_2" not in images_of_the_last_run(folder)


def test_a_run_of_some_images_does_not_bring_back_what_is_gone(folder: Path) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    run(folder, RunOptions(only="region_1"))
    assert images_of_the_last_run(folder) == ["region_1", "region_3", "region_4", "region_5"]


def test_a_renamed_image_counts_once_and_both_names_are_said(folder: Path) -> None:
    (folder / "img" / "region_2.tiff").rename(folder / "img" / "patient_7.tiff")
    prepare(folder, OPTIONS)
    assert list(about_images(folder, "prepare").values()) == [["region_2 (now patient_7)"]]
    run(folder)
    assert images_of_the_last_run(folder) == [
        "patient_7",
        "region_1",
        "region_3",
        "region_4",
        "region_5",
    ]


def test_a_prepared_image_without_a_source_and_with_the_content_of_another_is_gone(
    folder: Path,
) -> None:
    prepared = folder / "ilastik_img"
    shutil.copy(prepared / "region_1.h5", prepared / "copied.h5")
    run(folder)
    assert list(about_images(folder, "run").values()) == [["copied (now region_1)"]]
    assert "copied" not in images_of_the_last_run(folder)


def test_what_somebody_else_prepared_is_predicted(folder: Path) -> None:
    shutil.copytree(folder / "ilastik_img", folder / "others")
    (folder / "img" / "region_2.tiff").unlink()
    run(folder, RunOptions(img=Path("others")))
    assert len(images_of_the_last_run(folder)) == 5


def test_where_all_images_are_moved_away_everything_is_predicted(folder: Path) -> None:
    (folder / "img").rename(folder.parent / "archive")
    run(folder)
    assert len(images_of_the_last_run(folder)) == 5
    assert about_images(folder, "run") == {}


def test_images_of_two_folders_may_be_prepared_into_one(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "img" / "region_2.tiff").rename(folder / "more" / "region_2.tiff")
    prepare(folder, OPTIONS.model_copy(update={"img": Path("more")}))
    prepare(folder, OPTIONS)
    run(folder)
    assert len(images_of_the_last_run(folder)) == 5


def test_an_image_of_a_file_that_has_fewer_by_now_is_gone(folder: Path) -> None:
    """The file is still there, so its name alone tells nothing."""
    pixels = tifffile.imread(folder / "img" / "region_1.tiff")
    with tifffile.TiffWriter(folder / "img" / "slide.tiff") as writer:
        for factor in (1, 2):
            writer.write(pixels * factor, photometric="minisblack", metadata={"axes": "CYX"})
    prepare(folder, OPTIONS)
    assert (folder / "ilastik_img" / "slide_2.h5").exists()
    tifffile.imwrite(folder / "img" / "slide.tiff", pixels * 3, photometric="minisblack")
    prepare(folder, OPTIONS)
    run(folder)
    assert "slide" in images_of_the_last_run(folder)
    assert not {"slide_1", "slide_2"} & set(images_of_the_last_run(folder))


def test_one_image_under_two_names_is_said(folder: Path) -> None:
    shutil.copy(folder / "img" / "region_1.tiff", folder / "img" / "region_9.tiff")
    prepare(folder, OPTIONS)
    assert ["region_1 and region_9"] in about_images(folder, "prepare").values()


def test_check_names_what_is_gone(folder: Path) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    (folder / "img" / "region_3.tiff").unlink()
    (found,) = [finding for finding in check(folder) if "gone" in finding.what]
    assert (found.severity, found.where) == ("warning", "region_2, region_3")
    assert "ilpix prune" in found.advice


def test_preparing_that_fails_forgets_no_source(folder: Path) -> None:
    before = notes(folder, "prepare")["sources"]
    (folder / "panel.csv").rename(folder / "away.csv")
    with pytest.raises(IlpixError):
        prepare(folder, OPTIONS)
    assert notes(folder, "prepare")["sources"] == before
    assert before["ilastik_img/region_1.h5"] == "img/region_1.tiff"


@pytest.fixture
def grown(folder: Path) -> Path:
    """A trained folder with an image more."""
    pixels = tifffile.imread(folder / "img" / "region_1.tiff")
    tifffile.imwrite(folder / "img" / "new.tiff", pixels[:, ::-1], photometric="minisblack")
    return folder


def lanes(folder: Path) -> list[str]:
    return [lane.nickname for lane in read_project(folder / "pixel_classifier.ilp").lanes]


def test_a_new_image_without_a_crop_is_said(grown: Path) -> None:
    before = lanes(grown)
    prepare(grown, OPTIONS)
    (told,) = about_images(grown, "prepare").items()
    assert told[1] == ["new"]
    assert "--add-crops" in told[0]
    assert lanes(grown) == before


def test_crops_of_new_images_are_added_to_a_trained_project(grown: Path) -> None:
    project = grown / "pixel_classifier.ilp"
    before, content = read_project(project), project.read_bytes()
    labels = read_all_labels(before)
    prepare(grown, PrepareOptions(add_crops=True))
    after = read_project(project)
    assert after.lanes[:-1] == before.lanes
    assert after.lanes[-1].nickname.startswith("new_x")
    assert after.lanes[-1].size == (CROPSIZE, CROPSIZE)
    assert (grown / "ilastik_crops" / f"{after.lanes[-1].nickname}.h5").exists()
    assert classifier_digest(after) == classifier_digest(before)
    stored = read_all_labels(after)
    assert not stored.pop(len(before.lanes)).any()
    assert {lane: drawn.tolist() for lane, drawn in stored.items()} == {
        lane: drawn.tolist() for lane, drawn in labels.items()
    }
    assert (grown / "pixel_classifier.ilp.bak").read_bytes() == content
    assert notes(grown, "prepare")["added_crops"] == [after.lanes[-1].nickname]


def test_crops_are_added_once(grown: Path) -> None:
    for _ in range(2):
        prepare(grown, PrepareOptions(add_crops=True))
    assert len(lanes(grown)) == 6
    assert [path.name for path in grown.glob("*.bak*")] == ["pixel_classifier.ilp.bak"]


def test_a_new_image_too_small_for_a_crop_leaves_the_project_alone(grown: Path) -> None:
    small = tifffile.imread(grown / "img" / "new.tiff")[:, :20, :20]
    tifffile.imwrite(grown / "img" / "new.tiff", small, photometric="minisblack")
    prepare(grown, PrepareOptions(add_crops=True))
    assert len(lanes(grown)) == 5
    assert notes(grown, "prepare")["without_crop"] == ["new"]
    assert not list(grown.glob("*.bak*"))


def test_replacing_a_project_and_adding_to_it_are_not_wanted_at_once() -> None:
    with pytest.raises(ValueError, match="not both"):
        PrepareOptions(add_crops=True, overwrite=True)


def test_other_choices_have_no_effect_on_a_kept_project_and_that_is_said(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    prepare(folder, PrepareOptions(cropsize=CROPSIZE + 1, seed=SEED + 1, labels=("A", "B")))
    assert notes(folder, "prepare")["without_effect"] == ["crop size", "seed"]
    assert f"crop size {CROPSIZE + 1} and seed {SEED + 1} have no effect" in caplog.text
    assert "labels export FOLDER" in caplog.text
    assert "classes A, B have no effect" in caplog.text
    assert [label.name for label in read_project(folder / "pixel_classifier.ilp").classes] == [
        "Nucleus",
        "Cytoplasm",
        "Background",
    ]


@pytest.mark.parametrize("options", [OPTIONS, PrepareOptions()], ids=["the same", "none"])
def test_of_the_same_choices_nothing_is_said(folder: Path, options: PrepareOptions) -> None:
    for _ in range(2):
        prepare(folder, options)
        assert "without_effect" not in notes(folder, "prepare")


def test_the_seed_of_the_crops_stays_in_the_manifest_of_a_kept_project(folder: Path) -> None:
    """It was gone after the next prepare."""
    for seed in (None, SEED + 1):
        prepare(folder, PrepareOptions(cropsize=CROPSIZE, seed=seed))
        assert notes(folder, "prepare")["seed"] == SEED


def test_crops_of_an_earlier_seed_are_named(tmp_path: Path) -> None:
    write_example(tmp_path)
    prepare(tmp_path, OPTIONS)
    earlier = sorted(path.stem for path in (tmp_path / "ilastik_crops").glob("*.h5"))
    assert about_images(tmp_path, "prepare") == {}
    prepare(tmp_path, OPTIONS.model_copy(update={"seed": SEED + 1}))
    (told,) = about_images(tmp_path, "prepare").items()
    assert sorted(told[1]) == earlier
    assert "ilpix prune" in told[0]


def test_crops_chosen_by_hand_are_cut_again_each_time_a_project_is_replaced(folder: Path) -> None:
    """Their table went into the backup with the crops, and the second time they were gone."""
    add_chosen(folder / "ilastik_crops", "region_1", CropWindow(1, 2, 30))
    for _ in range(2):
        prepare(folder, OPTIONS.model_copy(update={"overwrite": True}))
        assert "region_1_x2_y1_w30_h30" in lanes(folder)
    assert list(read_chosen(folder / "ilastik_crops")) == ["region_1"]
