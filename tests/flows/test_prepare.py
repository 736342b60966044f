"""`prepare` as users call it: from Python and from the command line."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from flows.errors import EveryImageTooSmallError, ImagesFailedError
from flows.options import PrepareOptions
from flows.prepare import prepare
from ilpix.errors import NotAFileError
from ilpix.features.selection import default_selection
from ilpix.images.errors import NoImagesError
from ilpix.project.errors import ProjectInUseError
from ilpix.project.reading import read_project
from ilpix.project.writing import store_classifier
from tests.unit.forests import one_leaf_forest

EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = PrepareOptions(cropsize=60, seed=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLES / "img", tmp_path / "img")
    shutil.copy(EXAMPLES / "panel.csv", tmp_path)
    return tmp_path


def manifest(folder: Path) -> dict[str, object]:
    return json.loads((folder / "ilpix_run.json").read_text())["verbs"]["prepare"]


def crops(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "ilastik_crops").glob("*.h5")}


def crop_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "ilastik_crops").iterdir()}


def test_every_image_gets_a_prepared_image_and_a_crop_with_a_lane(folder: Path) -> None:
    project = read_project(prepare(folder, OPTIONS))
    stems = {path.stem for path in (folder / "img").iterdir()}
    assert {path.stem for path in (folder / "ilastik_img").iterdir()} == stems
    assert {lane.nickname for lane in project.lanes} == crops(folder)
    assert {name.rsplit("_", 4)[0] for name in crops(folder)} == stems
    assert project.record is not None
    assert project.record.channel_names[0] == "mean"


def test_one_bad_image_costs_that_image_only(folder: Path) -> None:
    (folder / "img" / "broken.tiff").write_bytes(b"no TIFF")
    with pytest.raises(ImagesFailedError, match="broken") as raised:
        prepare(folder, OPTIONS)
    assert list(raised.value.failures) == ["broken"]
    n_good = len(list((EXAMPLES / "img").iterdir()))
    assert len(read_project(folder / "pixel_classifier.ilp").lanes) == n_good
    assert not list((folder / "ilastik_img").glob("broken*"))


def test_an_image_too_small_for_a_crop_is_prepared_and_no_failure(folder: Path) -> None:
    n_channels = len((folder / "panel.csv").read_text().splitlines()) - 1
    tifffile.imwrite(folder / "img" / "small.tiff", np.ones((n_channels, 20, 20), np.uint16))
    project = read_project(prepare(folder, OPTIONS))
    assert (folder / "ilastik_img" / "small.h5").exists()
    assert not any(lane.nickname.startswith("small") for lane in project.lanes)
    assert manifest(folder)["notes"]["without_crop"] == ["small"]


def test_every_image_too_small_is_an_error_and_no_empty_project(folder: Path) -> None:
    with pytest.raises(EveryImageTooSmallError, match="fits all of them"):
        prepare(folder, PrepareOptions(cropsize=5000))
    assert not (folder / "pixel_classifier.ilp").exists()


def test_a_crop_size_that_no_image_has_is_refused_before_any_image_is_prepared(
    folder: Path,
) -> None:
    """All images were scaled and written first."""
    sizes = [min(tifffile.imread(path).shape[1:]) for path in (folder / "img").iterdir()]
    with pytest.raises(EveryImageTooSmallError, match=f"; {2 * min(sizes)} fits"):
        prepare(folder, PrepareOptions(cropsize=2 * max(sizes) + 1))
    assert not (folder / "ilastik_img").exists()


def test_a_folder_is_not_replaced_by_a_project(folder: Path) -> None:
    """It was moved away as if it were a project with somebody's work."""
    with pytest.raises(NotAFileError, match="img is a folder"):
        prepare(folder, PrepareOptions(cropsize=60, ilp=Path("img"), overwrite=True))
    assert (folder / "img").is_dir()
    assert not (folder / "ilastik_img").exists()


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "panel.csv", tmp_path)
    with pytest.raises(NoImagesError):
        prepare(tmp_path, OPTIONS)


def test_a_drawn_seed_is_recorded_and_repeats_the_run(folder: Path) -> None:
    prepare(folder, PrepareOptions(cropsize=60))
    first, seed = crops(folder), manifest(folder)["notes"]["seed"]
    shutil.rmtree(folder / "ilastik_crops")
    prepare(folder, PrepareOptions(cropsize=60, seed=seed))
    assert crops(folder) == first


def test_with_per_image_sampling_another_image_moves_no_crop(folder: Path) -> None:
    options = PrepareOptions(cropsize=60, seed=3, crop_sampling="per-image", crops=2)
    prepare(folder, options)
    before = crops(folder)
    shutil.copy(min((folder / "img").iterdir()), folder / "img" / "aaa.tiff")
    prepare(folder, options)
    assert before < crops(folder)
    assert len(before) == 2 * len(list((EXAMPLES / "img").iterdir()))


def train(project: Path) -> bytes:
    forest = one_leaf_forest(n_columns=len(default_selection().columns(1)) * 4)
    names = default_selection().names(4)
    store_classifier(project, default_selection(), forest, names, n_samples=1)
    return project.read_bytes()


def test_a_trained_project_is_kept_and_new_images_are_still_prepared(folder: Path) -> None:
    trained = train(prepare(folder, OPTIONS))
    before = crops(folder)
    shutil.copy(min((folder / "img").iterdir()), folder / "img" / "aaa.tiff")
    assert prepare(folder, OPTIONS).read_bytes() == trained
    assert (folder / "ilastik_img" / "aaa.h5").exists()
    assert crops(folder) == before


def test_a_trained_project_for_images_prepared_otherwise_is_an_error(folder: Path) -> None:
    trained = train(prepare(folder, OPTIONS))
    with pytest.raises(ProjectInUseError):
        prepare(folder, PrepareOptions(cropsize=60, aggr="max"))
    assert (folder / "pixel_classifier.ilp").read_bytes() == trained


def test_overwrite_backs_a_trained_project_up_with_its_crops(folder: Path) -> None:
    """The labels in the backup lay on the pixels of other crops."""
    contents = []
    for seed in (4, 5, 6):
        options = PrepareOptions(cropsize=60, seed=seed, overwrite=True)
        project = prepare(folder, options)
        assert not read_project(project).has_classifier
        assert len(crops(folder)) == len(read_project(project).lanes)
        contents.append((train(project), crop_bytes(folder)))
    for number, (trained, cut) in zip(("", 1), contents, strict=False):
        assert (folder / f"pixel_classifier.ilp.bak{number}").read_bytes() == trained
        kept = folder / f"ilastik_crops.bak{number}"
        assert {path.name: path.read_bytes() for path in kept.iterdir()} == cut


def test_overwriting_the_crops_of_some_images_keeps_those_of_the_others(folder: Path) -> None:
    project = prepare(folder, OPTIONS)
    before = crop_bytes(folder)
    train(project)
    first = min((folder / "img").iterdir()).stem
    prepare(folder, PrepareOptions(cropsize=60, seed=9, overwrite=True, only=first))
    after = crop_bytes(folder)
    others = {name: content for name, content in before.items() if not name.startswith(first)}
    assert {name: after.get(name) for name in others} == others
    assert len(after) == len(before) == len(read_project(project).lanes)


def test_running_it_again_changes_nothing(folder: Path) -> None:
    def state() -> dict[str, bytes]:
        files = [
            path for path in folder.rglob("*") if path.is_file() and ".ilpix" not in path.parts
        ]
        return {path.name: path.read_bytes() for path in files if path.name != "ilpix_run.json"}

    prepare(folder, OPTIONS)
    before = state()
    prepare(folder, OPTIONS)
    assert state() == before
    assert {outcome["state"] for outcome in manifest(folder)["images"]} == {"kept"}


def test_one_changed_image_is_prepared_again_alone(folder: Path) -> None:
    prepare(folder, OPTIONS)
    changed = sorted((folder / "img").iterdir())[1]
    pixels = tifffile.imread(changed)
    pixels[0, 0, 0] += 1
    tifffile.imwrite(changed, pixels, photometric="minisblack")
    prepare(folder, OPTIONS)
    done = {(o["step"], o["image"]) for o in manifest(folder)["images"] if o["state"] == "done"}
    assert ("prepare-image", changed.stem) in done
    assert {image for _, image in done} == {changed.stem}


def test_crops_are_cut_from_the_prepared_image(folder: Path) -> None:
    prepare(folder, OPTIONS)
    for crop in (folder / "ilastik_crops").iterdir():
        stem, x, y, *_ = crop.stem.rsplit("_", 4)
        x0, y0 = int(x[1:]), int(y[1:])
        with (
            h5py.File(folder / "ilastik_img" / f"{stem}.h5") as image,
            h5py.File(crop) as cut,
        ):
            window = image["img"][:, y0 : y0 + 60, x0 : x0 + 60]
            np.testing.assert_array_equal(cut["crop"][:], window)


def test_another_seed_moves_crops_and_prepares_nothing_again(folder: Path) -> None:
    prepare(folder, OPTIONS)
    before = crops(folder)
    prepare(folder, OPTIONS.model_copy(update={"seed": 4}))
    states = {(o["step"], o["state"]) for o in manifest(folder)["images"]}
    assert states == {("prepare-image", "kept"), ("cut-crops", "done")}
    lanes = {lane.nickname for lane in read_project(folder / "pixel_classifier.ilp").lanes}
    assert lanes == crops(folder) - before
