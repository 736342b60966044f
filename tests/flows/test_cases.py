"""Small inputs as people bring them (`tests/cases`): each is read as it was meant, with a word."""

import json
import logging
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from flows.errors import ImagesFailedError
from flows.options import PrepareOptions
from flows.prepare import prepare
from ilpix.images.hdf5 import open_prepared

CASES = Path(__file__).parents[1] / "cases"
SMALL = {"cropsize": 16, "seed": 1, "mean": False, "scale": 1}


def _prepare(case: str, folder: Path, **options: object) -> Path:
    shutil.copytree(CASES / case, folder / "data")
    prepare(folder / "data", PrepareOptions(**SMALL | options))
    return folder / "data"


def _pixels(folder: Path, name: str = "a") -> np.ndarray:
    with open_prepared(folder / "ilastik_img" / f"{name}.h5") as image:
        return image.read()


def _notes(folder: Path) -> dict[str, list[str]]:
    manifest = json.loads((folder / "ilpix_run.json").read_text())
    return manifest["verbs"]["prepare"]["notes"].get("about_images", {})


def test_zeros_in_the_panel_are_groups_said_aloud_or_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        folder = _prepare("01-panel-ilastik-0-1", tmp_path / "as-steinbock")
    stored = tifffile.imread(folder / "img" / "a.tiff").astype(np.float32)
    np.testing.assert_allclose(
        _pixels(folder), [stored[2:].mean(axis=0), stored[:2].mean(axis=0)], rtol=1e-6
    )
    assert "3 channels with a 0 in column 'ilastik' (CD3, CD8, CD4)" in caplog.text
    folder = _prepare("01-panel-ilastik-0-1", tmp_path / "unused", zero_unused=True)
    np.testing.assert_array_equal(_pixels(folder), stored[:2])


@pytest.mark.parametrize(("name", "axis"), [("z", "slices (Z)"), ("t", "time points (T)")])
def test_planes_tagged_as_slices_or_times_are_channels(
    tmp_path: Path, name: str, axis: str
) -> None:
    folder = _prepare("02-imagej-stack-zyx", tmp_path)
    stored = tifffile.imread(folder / "img" / f"{name}.tif")
    np.testing.assert_array_equal(_pixels(folder, name), stored)
    assert _notes(folder)[f"the 5 {axis} are taken as channels"] == [name]


def test_channels_that_are_stored_last_are_channels(tmp_path: Path) -> None:
    folder = _prepare("03-channels-last", tmp_path)
    stored = tifffile.imread(folder / "img" / "a.tiff")
    np.testing.assert_array_equal(_pixels(folder), np.moveaxis(stored, -1, 0))
    assert any("channels are stored last" in note for note in _notes(folder))


def test_planes_written_one_by_one_are_channels(tmp_path: Path) -> None:
    folder = _prepare("04-tifffile-page-by-page", tmp_path)
    stored = [tifffile.imread(folder / "img" / "a.tiff", series=k) for k in range(5)]
    np.testing.assert_array_equal(_pixels(folder), stored)
    assert _notes(folder) == {"its 5 planes are taken as channels": ["a"]}


def test_na_in_the_panel_is_an_empty_cell(tmp_path: Path) -> None:
    folder = _prepare("05-panel-NA", tmp_path)
    stored = tifffile.imread(folder / "img" / "a.tiff")
    np.testing.assert_array_equal(_pixels(folder), stored[[0, 2, 4]])


def test_pixels_that_are_no_number_are_refused_or_set_to_zero_and_counted(tmp_path: Path) -> None:
    with pytest.raises(ImagesFailedError, match="NaN or infinite values in"):
        _prepare("08-nan-float", tmp_path / "refused")
    assert not list((tmp_path / "refused" / "data").glob("ilastik_img/*"))
    folder = _prepare("08-nan-float", tmp_path / "zero", nonfinite="zero")
    stored = tifffile.imread(folder / "img" / "a.tiff")
    np.testing.assert_array_equal(_pixels(folder), np.nan_to_num(stored, nan=0))
    (outcome, _) = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["prepare"]["images"]
    assert outcome["facts"]["set_to_zero"] == np.isnan(stored).sum() > 0


def test_a_folder_of_one_file_per_channel_is_one_image(tmp_path: Path) -> None:
    folder = _prepare("09-one-tiff-per-channel", tmp_path)
    stored = [tifffile.imread(folder / "img" / "roi1" / f"{name}.tiff") for name in "ABCDE"]
    np.testing.assert_array_equal(_pixels(folder, "roi1"), stored)
    assert _notes(folder) == {"one file per channel, by the names in the panel": ["roi1"]}


def test_a_header_in_capitals_is_understood(tmp_path: Path) -> None:
    folder = _prepare("10-panel-capital-header", tmp_path)
    np.testing.assert_array_equal(_pixels(folder), tifffile.imread(folder / "img" / "a.tiff")[:1])


def test_leading_axes_of_length_one_are_dropped(tmp_path: Path) -> None:
    folder = _prepare("11-tiff-1cyx", tmp_path)
    stored = tifffile.imread(folder / "img" / "a.tiff").reshape(4, 24, 26)
    expected = [stored[0], stored[1:3].mean(axis=0), stored[3]]
    np.testing.assert_allclose(_pixels(folder), expected, rtol=1e-6)


def test_every_image_of_a_file_is_prepared_or_the_one_asked_for(tmp_path: Path) -> None:
    folder = _prepare("12-multi-series", tmp_path / "all")
    assert [_pixels(folder, f"slide_{k}").shape[1] for k in (1, 2, 3)] == [22, 23, 24]
    assert list(_notes(folder)) == ["3 of the 3 images in the file are read"]
    folder = _prepare("12-multi-series", tmp_path / "second", series=2)
    assert [path.name for path in (folder / "ilastik_img").iterdir()] == ["slide.h5"]
    assert _pixels(folder, "slide").shape[1] == 23


def test_a_file_of_mcmicro_is_read_by_the_number_of_channels() -> None:
    path = CASES / "07-mcmicro-ilastik-h5" / "ilastik_img" / "a.h5"
    with h5py.File(path) as file, open_prepared(path, n_channels=5) as image:
        np.testing.assert_array_equal(image.read(), np.moveaxis(file["a"][0], -1, 0))
        assert image.note == "its axes have no names and are taken for zyxc"


@pytest.mark.parametrize("name", ["nested.h5", "b.hdf5", "no_axes.h5"])
def test_files_of_fiji_are_read(name: str) -> None:
    with open_prepared(CASES / "17-fiji-h5" / "ilastik_img" / name, n_channels=4) as image:
        assert image.read().shape == (4, 24, 26)


def test_pixels_that_are_nan_are_left_out_by_the_aggregations_that_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "img").mkdir(parents=True)
    rows = "".join(f"{name},,{group}\n" for name, group in zip("ABCD", "1122", strict=True))
    (folder / "panel.csv").write_text(f"channel,name,ilastik\n{rows}")
    image = np.random.default_rng(0).random((4, 40, 40), np.float32)
    image[0, 3, 5] = image[3, 7, 7] = np.nan
    tifffile.imwrite(folder / "img" / "a.tiff", image, photometric="minisblack")
    prepare(folder, PrepareOptions(**SMALL | {"aggr": "nanmax"}))
    expected = [np.nanmax(image[:2], axis=0), np.nanmax(image[2:], axis=0)]
    np.testing.assert_array_equal(_pixels(folder), expected)
