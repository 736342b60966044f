import shutil
from collections import namedtuple
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.checks.findings import Finding, has_errors
from ilpix.checks.project_checks import check_project
from ilpix.features.selection import FEATURE_IDS, FeatureSelection
from ilpix.forest.stored import LEAF, Forest
from ilpix.images.axistags import axistags_json
from ilpix.images.hdf5 import ImageRecord, write_image
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.labels import write_labels
from ilpix.project.writing import create_project, label_classes, store_classifier

SIZE = (12, 14)
CHANNELS = ("mean", "DNA", "CD3")
SELECTION = FeatureSelection(FEATURE_IDS[:1], (1.0, 1.6), ((True, True),))
STUMP = Forest(
    feature=np.array([3, LEAF, LEAF], np.int32),
    threshold=np.array([0.25, 0, 0]),
    left=np.array([1, 0, 0], np.int32),
    right=np.array([2, 0, 0], np.int32),
    votes=np.array([[0, 0], [1, 0], [0, 1]]),
    roots=np.array([0], np.int32),
    n_columns=6,
    labels=(1, 2),
    trees_per_forest=(1,),
)
Usage = namedtuple("Usage", "total used free")


def record(channels: tuple[str, ...] = CHANNELS, **options: object) -> ImageRecord:
    return ImageRecord(channel_names=channels, preparation=PreparationOptions(**options))


def pixels(seed: int = 0, size: tuple[int, int] = SIZE, n_channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).gamma(2, 3, (n_channels, *size)).astype(np.float32)


@pytest.fixture(scope="module")
def sound_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained project with two crops, and two images that fit."""
    tmp_path = tmp_path_factory.mktemp("sound")
    crops = {}
    for index in range(2):
        name = f"ilastik_crops/crop{index}.h5"
        write_image(tmp_path / name, pixels(index), record(), "crop")
        crops[name] = (3, *SIZE)
        write_image(tmp_path / "ilastik_img" / f"image{index}.h5", pixels(index + 5), record())
    path = tmp_path / "p.ilp"
    create_project(path, crops, label_classes(["A", "B"]), record())
    labels = np.zeros(SIZE, np.uint8)
    labels[:2, :3] = 1
    labels[5:7, 3] = 2
    write_labels(path, {0: labels, 1: labels})
    store_classifier(path, SELECTION, STUMP, SELECTION.names(3), n_samples=16)
    return tmp_path


@pytest.fixture
def folder(sound_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound_folder, tmp_path / "work"))


def images(folder: Path) -> list[Path]:
    return sorted((folder / "ilastik_img").iterdir())


def check(
    folder: Path, output_dir: Path | None = None, ilastik_version: str | None = None
) -> tuple[Finding, ...]:
    return check_project(
        folder / "p.ilp",
        folder / "ilastik_img",
        output_dir=output_dir,
        ilastik_version=ilastik_version,
    )


def only(findings: tuple[Finding, ...], topic: str) -> Finding:
    (finding,) = [finding for finding in findings if finding.topic == topic]
    return finding


def test_nothing_is_found_where_all_is_well(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    assert check(folder, output_dir=folder / "new" / "out", ilastik_version="1.4.2") == ()
    assert {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()} == before


def test_swapped_channels_are_shown_as_a_permutation(folder: Path) -> None:
    for path in images(folder):
        write_image(path, pixels(), record(("mean", "CD3", "DNA")))
    finding = only(check(folder), "channels")
    assert finding.severity == "error"
    assert "channel 1 is CD3, in training DNA; channel 2 is DNA, in training CD3" in finding.what
    assert "training's order is 0, 2, 1" in finding.what
    assert finding.where == "image0.h5, image1.h5"


def test_other_channels_are_named(folder: Path) -> None:
    write_image(images(folder)[0], pixels(), record(("mean", "DNA", "CD8")))
    finding = only(check(folder), "channels")
    assert (finding.severity, finding.where) == ("error", "image0.h5")
    assert "CD8 in place of CD3" in finding.what


def test_another_number_of_channels_is_an_error(folder: Path) -> None:
    write_image(images(folder)[1], pixels(n_channels=2), record(("mean", "DNA")))
    finding = only(check(folder), "channels")
    assert (finding.severity, finding.where) == ("error", "image1.h5")
    assert finding.what == "has 2 channels, the project 3"


def test_unnamed_channels_are_a_warning(folder: Path) -> None:
    write_image(images(folder)[1], pixels(), None)
    assert only(check(folder), "channels").severity == "warning"


def test_another_scale_of_preparation_is_an_error(folder: Path) -> None:
    write_image(images(folder)[0], pixels(), record(scale=3))
    finding = only(check(folder), "preparation")
    assert finding.severity == "error"
    assert finding.what == "was prepared with scale 3, the training crops with 2"


def test_values_far_from_the_crops_are_a_warning_with_quantiles(folder: Path) -> None:
    image = pixels()
    image[1] *= 1000
    write_image(images(folder)[0], image, record())
    finding = only(check(folder), "intensities")
    assert finding.severity == "warning"
    assert "channel DNA is far" in finding.what
    assert "99% quantile" in finding.what


def test_an_empty_channel_is_a_warning(folder: Path) -> None:
    image = pixels()
    image[2] = 0
    write_image(images(folder)[0], image, record())
    assert "channel CD3 is far" in only(check(folder), "intensities").what


def test_pixels_that_are_no_numbers_are_an_error(folder: Path) -> None:
    image = pixels()
    image[0, 3, 3] = np.nan
    write_image(images(folder)[0], image, record())
    assert only(check(folder), "values").severity == "error"


def test_an_image_smaller_than_the_widest_scale_is_an_error(folder: Path) -> None:
    write_image(images(folder)[1], pixels(size=(6, 30)), record())
    finding = only(check(folder), "size")
    assert (finding.severity, finding.where) == ("error", "image1.h5")
    assert "smaller than the 7 px" in finding.what


def test_another_axis_order_is_a_warning(folder: Path) -> None:
    with h5py.File(images(folder)[0], "w") as file:
        dataset = file.create_dataset("img", data=pixels().transpose(1, 2, 0))
        dataset.attrs["axistags"] = axistags_json("yxc")
        dataset.attrs["ilpix"] = record().model_dump_json()
    assert only(check(folder), "axes").severity == "warning"


def test_a_broken_image_does_not_hide_the_others(folder: Path) -> None:
    images(folder)[0].write_bytes(b"no HDF5")
    write_image(images(folder)[1], pixels(n_channels=2), record(("mean", "DNA")))
    findings = check(folder)
    assert {finding.topic for finding in findings} == {"image", "channels"}
    assert has_errors(findings)


def test_a_broken_project_is_listed_beside_broken_images(folder: Path) -> None:
    images(folder)[0].write_bytes(b"no HDF5")
    with h5py.File(folder / "p.ilp", "r+") as file:
        file["PixelClassification/LabelColors"][0] = -1
        file["PixelClassification/ClassifierForests/Forest0000/Tree_0/topology"][6] = 99
    topics = [finding.topic for finding in check(folder)]
    assert topics.count("project") == 2
    assert topics.count("image") == 1


def test_a_missing_project_is_a_finding(folder: Path) -> None:
    finding = only(check_project(folder / "none.ilp", folder / "ilastik_img"), "project")
    assert finding.severity == "error"
    assert "prepare" in finding.advice


def test_missing_images_are_a_finding_beside_those_of_the_project(folder: Path) -> None:
    """A missing folder of images was an error that hid what was wrong with the project."""
    shutil.rmtree(folder / "ilastik_img")
    (folder / "p.ilp").unlink()
    findings = check(folder)
    assert [finding.topic for finding in findings] == ["project", "images"]
    assert "prepare" in only(findings, "images").advice


def test_a_project_without_classifier_is_an_error(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        del file["PixelClassification/ClassifierForests"]
    finding = only(check(folder), "classifier")
    assert finding.severity == "error"
    assert "train it" in finding.advice


def test_crops_of_another_number_of_channels_are_an_error(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        file["Input Data/infos/lane0001/Raw Data/shape"][0] = 4
    finding = only(check(folder), "classifier")
    assert finding.where == "lane 1 (crop1)"
    assert "4 channels with 2 feature columns each, the classifier 6" in finding.what


def test_a_class_that_was_not_trained_is_a_warning(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        del file["PixelClassification/LabelNames"]
        file["PixelClassification/LabelNames"] = np.array([b"A", b"B", b"C"])
        for name in ("LabelColors", "PmapColors"):
            del file[f"PixelClassification/{name}"]
            file[f"PixelClassification/{name}"] = np.zeros((3, 3), int)
    assert "class C was not trained" in only(check(folder), "classes").what
    write_labels(folder / "p.ilp", {0: np.full(SIZE, 3, np.uint8)})
    finding = next(finding for finding in check(folder) if "after training" in finding.what)
    assert finding.severity == "error"


def test_a_crop_without_labels_is_a_warning(folder: Path) -> None:
    write_labels(folder / "p.ilp", {1: np.zeros(SIZE, np.uint8)})
    finding = only(check(folder), "labels")
    assert (finding.severity, finding.where) == ("warning", "lane 1 (crop1)")


def test_crops_that_are_missing_or_other_ones_are_found(folder: Path) -> None:
    (folder / "ilastik_crops" / "crop0.h5").unlink()
    write_image(folder / "ilastik_crops" / "crop1.h5", pixels(size=(9, 9)), record(), "crop")
    findings = [finding for finding in check(folder) if finding.topic == "crops"]
    assert [finding.severity for finding in findings] == ["error", "warning"]
    assert "has a crop of 3×9×9 (channels, rows, columns), the project says" in findings[0].what
    assert findings[1].what == f"has no crop in {folder / 'ilastik_crops'}"


def test_a_lane_of_another_program_is_sent_to_fix(folder: Path) -> None:
    with h5py.File(folder / "p.ilp", "r+") as file:
        lane = file["Input Data/infos/lane0000/Raw Data"]
        del lane["__class__"]
        lane["__class__"] = b"FilesystemDatasetInfo"
    finding = only(check(folder), "crops")
    assert finding.advice == "run ilpix fix"


@pytest.mark.parametrize(
    ("image_version", "n_found"),
    [("1.3.3post3", 0), ("1.4.1b5", 0), ("1.4.2", 0), ("1.3.3", 1), ("1.3.2", 1), ("1.2", 1)],
)
def test_an_older_ilastik_than_the_project_is_an_error(
    folder: Path, image_version: str, n_found: int
) -> None:
    """`check` compared three numbers and was silent where `run` refused."""
    findings = check(folder, ilastik_version=image_version)
    assert [finding.topic for finding in findings] == ["version"] * n_found


@pytest.mark.parametrize(("free", "severity"), [(50, "error"), (1000, "warning")])
def test_a_full_disk_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, free: int, severity: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, free))
    assert only(check(folder, output_dir=folder / "out"), "disk").severity == severity


def test_files_that_are_no_prepared_images_are_a_warning(folder: Path) -> None:
    (folder / "ilastik_img" / "image9.npy").write_bytes(b"")
    finding = only(check(folder), "images")
    assert (finding.severity, finding.where) == ("warning", "image9.npy")
    assert "no prepared image" in finding.what


def test_images_whose_results_would_share_a_name_are_an_error(folder: Path) -> None:
    shutil.copy(images(folder)[0], folder / "ilastik_img" / "image0.hdf5")
    finding = only(check(folder), "images")
    assert finding.severity == "error"
    assert "image0.hdf5" in finding.advice
