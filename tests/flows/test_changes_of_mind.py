"""Images that are removed, renamed or given twice, once a project is trained."""

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
    assert list(about_images(folder, "prepare").values()) == [["region_1 and region_9"]]


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
