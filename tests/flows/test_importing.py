"""`import` as users call it: raw files become images and a panel that `prepare` takes."""

import csv
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

from command.cli import app
from flows.errors import ImagesFailedError
from flows.importing import import_raw
from flows.options import ImportOptions, PrepareOptions
from flows.prepare import prepare
from ilpix.sources.errors import NoAcquisitionFitsError, NoRawFilesError
from ilpix.sources.raw_imc import filter_hot_pixels
from tests.unit.raw_files import CHANNELS, NAMES, Measured, counts, write_mcd, write_txt

BY_MASS = [2, 0, 1, 3]  # the channels of the test files in the order of their masses


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two acquisitions in an MCD file, one in a TXT file, one in an archive; and other texts."""
    raw = tmp_path / "raw"
    write_mcd(raw / "slide.mcd", [Measured(1, counts(1)), Measured(2, counts(2, (8, 5)))])
    write_txt(raw / "slide_ROI_001.txt", Measured(1, counts(1)))
    write_txt(raw / "single.txt", Measured(1, counts(3)))
    write_mcd(tmp_path / "other.mcd", [Measured(7, counts(4))])
    with zipfile.ZipFile(raw / "packed.zip", "w") as archive:
        archive.write(tmp_path / "other.mcd", "somewhere/other.mcd")
    (raw / "notes.txt").write_text("measured on a Monday")
    return tmp_path


def _manifest(folder: Path) -> dict:
    return json.loads((folder / "ilpix_run.json").read_text())["verbs"]["import"]


def _table(folder: Path) -> dict[str, dict[str, str]]:
    lines = (folder / "images.csv").read_text().splitlines()
    return {row["image"]: row for row in csv.DictReader(lines)}


def test_each_acquisition_becomes_an_image(folder: Path) -> None:
    paths = import_raw(folder)
    assert [path.stem for path in paths] == ["other_007", "single", "slide_001", "slide_002"]
    for path, seed, shape in zip(paths, (4, 3, 1, 2), [(7, 9)] * 3 + [(8, 5)], strict=True):
        np.testing.assert_array_equal(tifffile.imread(path), counts(seed, shape)[BY_MASS])
    panel = (folder / "panel.csv").read_text().splitlines()
    assert panel[:2] == ["channel,name,keep,ilastik,deepcell,cellpose", "Y89,CD45,1,1,,"]
    prepare(folder, PrepareOptions(cropsize=8))
    assert len(list((folder / "ilastik_img").iterdir())) == 4
    assert not list((folder / ".ilpix").glob("raw-*"))


def test_a_raw_file_that_is_a_link_is_read_and_a_link_to_nothing_fails_alone(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Links to nothing and to folders were left out without a word."""
    (folder / "raw" / "single.txt").rename(folder / "elsewhere.txt")
    (folder / "raw" / "single.txt").symlink_to(folder / "elsewhere.txt")
    (folder / "raw" / "gone.mcd").symlink_to("nowhere.mcd")
    (folder / "raw" / "batch").symlink_to(folder)
    with pytest.raises(ImagesFailedError, match=r"gone\.mcd is a link to nowhere\.mcd"):
        import_raw(folder)
    assert len(_table(folder)) == 4
    assert "batch: is a link to a folder" in caplog.text


def test_the_table_of_images_is_steinbocks(folder: Path) -> None:
    import_raw(folder)
    rows = _table(folder)
    slide = rows["slide_001.tiff"]
    assert (slide["width_px"], slide["height_px"], slide["num_channels"]) == ("9", "7", "4")
    assert (slide["source_file"], slide["recovery_file"], slide["recovered"]) == (
        "slide.mcd",
        "slide_ROI_001.txt",
        "False",
    )
    assert (slide["acquisition_description"], slide["acquisition_width_um"]) == ("region 1", "9.0")
    assert (slide["acquisition_end_x_um"], slide["acquisition_end_y_um"]) == ("9.0", "7.0")


def test_a_panel_that_is_there_chooses_channels_and_order(folder: Path) -> None:
    (folder / "panel.csv").write_text("channel,name,keep\nIr191,DNA,1\nY89,CD45,0\nEr170,CD3,1\n")
    (path, *_) = import_raw(folder, ImportOptions(only="slide_001"))
    np.testing.assert_array_equal(tifffile.imread(path), counts(1)[[1, 0]])


def test_acquisitions_of_other_channels_are_left_out_with_a_word(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_txt(folder / "raw" / "few.txt", Measured(1, counts(0)[:2], CHANNELS[:2]))
    assert "few" not in {path.stem for path in import_raw(folder)}
    assert _manifest(folder)["notes"]["left_out"] == {"few": "no channel Y89, Ir193"}
    assert "left out, as there is no channel Y89, Ir193: few" in caplog.text


def test_a_panel_that_fits_no_acquisition_is_an_error(folder: Path) -> None:
    (folder / "panel.csv").write_text("channel,name,keep\nXe131,gas,1\n")
    with pytest.raises(NoAcquisitionFitsError, match=r"correct Xe131 in the panel") as raised:
        import_raw(folder, ImportOptions(only="slide_*"))
    assert raised.value.acquisitions == ("slide_001", "slide_002")
    assert not (folder / "img").exists()


def test_hot_pixels_are_filtered_on_request(folder: Path) -> None:
    (path,) = import_raw(folder, ImportOptions(only="slide_001", hpf=50))
    expected = filter_hot_pixels(counts(1), 50)[BY_MASS]
    np.testing.assert_array_equal(tifffile.imread(path), expected)
    assert expected.max() < 50


@pytest.mark.filterwarnings("ignore:Slide 0 corrupted")  # readimc's own word
def test_a_damaged_acquisition_is_taken_from_its_text_file_and_else_fails_alone(
    folder: Path,
) -> None:
    damaged = [Measured(k, counts(k), n_missing_bytes=10**6) for k in (1, 2)]
    write_mcd(folder / "raw" / "slide.mcd", damaged)
    (folder / "raw" / "broken.mcd").write_bytes(b"no MCD")
    with pytest.raises(ImagesFailedError) as raised:
        import_raw(folder)
    assert set(raised.value.failures) == {"broken", "slide_002"}
    np.testing.assert_array_equal(
        tifffile.imread(folder / "img" / "slide_001.tiff"), counts(1)[BY_MASS]
    )
    rows = _table(folder)
    assert rows["slide_001.tiff"]["recovered"] == "True"


def test_what_was_imported_is_not_imported_again(folder: Path) -> None:
    import_raw(folder)
    import_raw(folder)
    assert {one["state"] for one in _manifest(folder)["images"]} == {"kept"}


def test_an_archive_with_a_password_is_named(folder: Path) -> None:
    path = folder / "raw" / "packed.zip"
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    with pytest.raises(ImagesFailedError, match="protected by a password"):
        import_raw(folder)
    assert (folder / "img" / "slide_001.tiff").exists()


def test_a_folder_without_raw_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoRawFilesError, match="raw"):
        import_raw(tmp_path)


def test_the_command_takes_the_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "raw").rename(folder / "measured")
    code = app(
        ["import", "measured", "-C", str(folder), "--hpf", "50"], result_action="return_value"
    )
    assert code == 0
    assert (folder / "img" / "other_007.tiff").exists()
    assert NAMES[0] in (folder / "panel.csv").read_text()
