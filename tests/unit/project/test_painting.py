"""Crops go out to programs in which labels are painted, and the labels come back."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from ilpix.images.hdf5 import ImageRecord, write_image
from ilpix.images.preparation_options import PreparationOptions
from ilpix.project.errors import CropsNotExportedError, UnusableLabelsError
from ilpix.project.label_images import import_labels
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.painting import export_crops
from ilpix.project.reading import read_project
from ilpix.project.writing import create_project, label_classes

NAMES = ("mean", "DNA", "β-catenin", "CD3")
SIZE = (20, 30)
STEMS = ("roi_a", "roi_b")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    record = ImageRecord(
        channel_names=NAMES, preparation=PreparationOptions(), pixel_size_um=(0.5, 0.25)
    )
    rng = np.random.default_rng(0)
    for k, stem in enumerate(STEMS, 1):
        pixels = rng.random((4, *SIZE)).astype(np.float32) * k
        pixels[3] = 0
        write_image(tmp_path / "ilastik_crops" / f"{stem}.h5", pixels, record, "crop")
    path = tmp_path / "p.ilp"
    crops = {f"ilastik_crops/{stem}.h5": (4, *SIZE) for stem in STEMS}
    create_project(path, crops, label_classes(["Nucleus", "Background"]), record)
    return path


def pixels_of(project: Path, stem: str) -> np.ndarray:

    with h5py.File(project.parent / "ilastik_crops" / f"{stem}.h5") as file:
        pixels: np.ndarray = file["crop"][:]
    return pixels


def test_a_tiff_holds_pixels_names_contrast_and_scale(project: Path) -> None:
    written = export_crops(project, project.parent / "out").crops
    assert [path.name for path in written] == ["roi_a.tiff", "roi_b.tiff"]
    ranges = []
    for stem, path in zip(STEMS, written, strict=True):
        with tifffile.TiffFile(path) as file:
            np.testing.assert_array_equal(file.asarray(), pixels_of(project, stem))
            assert file.is_imagej
            about = file.imagej_metadata
            assert about is not None
            assert about["Labels"] == list(NAMES)
            assert about["channels"] == len(NAMES)
            assert about["unit"] == "um"
            ranges.append(about["Ranges"])
            assert file.pages[0].get_resolution() == (4.0, 2.0)  # pixels per µm, x and y
    assert ranges[0] == ranges[1]
    low, high = ranges[0][:2]
    both = [pixels_of(project, stem)[0] for stem in STEMS]
    assert low == pytest.approx(np.quantile(both[0], 0.01), abs=0.02)
    assert high == pytest.approx(np.quantile(both[1], 0.99), abs=0.05)
    assert ranges[0][6:] == (0.0, 1.0)  # of a channel that is constant


def test_beside_each_crop_is_an_empty_label_image_of_its_name(project: Path) -> None:
    written = export_crops(project, project.parent / "out").labels
    assert [path.parent.name for path in written] == ["labels", "labels"]
    for stem, path in zip(STEMS, written, strict=True):
        labels = tifffile.imread(path)
        assert (path.stem, labels.dtype, labels.shape) == (stem, np.uint8, SIZE)
        assert not labels.any()


@pytest.mark.parametrize("suffix", ["tiff", "png"])
def test_what_is_painted_comes_back(project: Path, suffix: str) -> None:
    export_crops(project, project.parent / "out", suffix)  # type: ignore[arg-type]
    path = project.parent / "out" / "labels" / f"roi_b.{suffix}"
    painted = np.zeros(SIZE, np.uint8)
    painted[2:5, 3:9], painted[10:, 20:] = 1, 2
    if suffix == "png":
        with Image.open(path) as image:
            palette = image.getpalette()
        changed = Image.fromarray(painted).convert("P")
        assert palette is not None
        changed.putpalette(palette)
        changed.save(path)
    else:
        tifffile.imwrite(path, painted)
    import_labels(project, path.parent)
    stored = read_all_labels(read_project(project))
    np.testing.assert_array_equal(stored[1], painted)
    assert not stored[0].any()


def test_labels_of_the_project_go_along_in_the_colours_of_their_classes(project: Path) -> None:
    labels = np.zeros(SIZE, np.uint8)
    labels[0, :2] = 1, 2
    write_labels(project, {0: labels})
    (path, _) = export_crops(project, project.parent / "out", "png").labels
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), labels)
        colours = np.asarray(image.convert("RGB"))
    assert colours[0, :3].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 0]]


def test_a_png_shows_the_first_channels_but_the_mean(project: Path) -> None:
    (path, _) = export_crops(project, project.parent / "out", "png").crops
    with Image.open(path) as image:
        picture = np.asarray(image)
    assert picture.shape == (*SIZE, 3)
    order = np.argsort(picture[:, :, 0], axis=None)
    red = pixels_of(project, "roi_a")[1].ravel()[order]
    assert np.all(np.diff(red) > -0.02)
    assert not picture[:, :, 2].any()  # of a channel that is constant


def test_painted_labels_are_never_written_over(project: Path) -> None:
    export_crops(project, project.parent / "out", "png")
    path = project.parent / "out" / "labels" / "roi_a.png"
    Image.fromarray(np.ones(SIZE, np.uint8)).save(path)
    painted = path.read_bytes()
    with pytest.raises(UnusableLabelsError, match="holds other labels already"):
        export_crops(project, project.parent / "out", "png")
    assert path.read_bytes() == painted


def test_a_crop_that_is_missing_costs_that_crop(project: Path) -> None:
    (project.parent / "ilastik_crops" / "roi_a.h5").unlink()
    with pytest.raises(CropsNotExportedError, match="roi_a"):
        export_crops(project, project.parent / "out")
    crops = project.parent / "out" / "crops"
    assert [path.name for path in crops.iterdir()] == ["roi_b.tiff"]
