"""The pictures of an image, decoded again."""

import json
import os
from base64 import b64decode
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from ilpix.images.errors import UnreadableImageError
from ilpix.images.hdf5 import ImageRecord, write_image
from ilpix.images.preparation_options import PreparationOptions
from ilpix.prediction.errors import InvalidProbabilitiesError
from ilpix.prediction.picture_files import PictureFiles
from ilpix.prediction.pictures import Style, draw, read_drawn
from ilpix.prediction.probabilities import write_probabilities

STYLE = Style(((255, 0, 0), (0, 255, 0)), (0, 1))


def write(folder: Path, probabilities: np.ndarray, image: np.ndarray) -> None:
    write_probabilities(folder / "p.tiff", probabilities.shape, [probabilities])
    write_image(folder / "i.h5", image, None)


def draw_all(folder: Path, style: Style = STYLE) -> PictureFiles:
    files = PictureFiles(folder / "pictures", "a name")
    draw(folder / "i.h5", folder / "p.tiff", style, files, "key")
    return files


def content(files: PictureFiles) -> dict[str, Any]:
    head, call = files.script.read_text().splitlines()
    assert head.startswith("//{")
    assert call.startswith('ilpix.receive("a name", ')
    assert call.endswith(");")
    return dict(json.loads(call[len('ilpix.receive("a name", ') : -2]))


def pixels(url: str) -> np.ndarray:
    kind, _, encoded = url.partition(";base64,")
    decode = {"data:image/png": imagecodecs.png_decode, "data:image/jpeg": imagecodecs.jpeg_decode}
    return np.asarray(decode[kind](b64decode(encoded)))


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Left the first class is certain, right the second by half; one channel rises to the right."""
    probabilities = np.zeros((32, 32, 2), np.uint16)
    probabilities[:, :16] = (65535, 0)
    probabilities[:, 16:] = (16384, 49151)
    image = np.zeros((2, 32, 32), np.float32)
    image[0] = np.arange(32)
    write(tmp_path, probabilities, image)
    return tmp_path


def test_the_most_probable_class_and_its_lead_are_exact(halves: Path) -> None:
    found = content(draw_all(halves))
    assert (found["size"], found["step"]) == ([32, 32], 1)
    classes = pixels(found["classes"])
    assert (classes[:, :16] == 0).all()
    assert (classes[:, 16:] == 1).all()
    certainty = pixels(found["certainty"])
    assert certainty[5, 5] == 255
    assert abs(int(certainty[5, 28]) - 128) < 4


def test_the_mean_uncertainty_is_remembered_with_what_was_drawn(halves: Path) -> None:
    files = draw_all(halves)
    drawn = read_drawn(files, "key")
    assert drawn is not None
    assert drawn.uncertainty == pytest.approx(0.25, abs=1e-3)
    assert read_drawn(files, "another key") is None
    files.classes.unlink()
    assert read_drawn(files, "key") is None


@pytest.mark.parametrize("which", range(4))
@pytest.mark.parametrize("part", [0, 0.9])
def test_what_a_machine_without_power_left_empty_or_cut_short_is_drawn_again(
    halves: Path, which: int, part: float
) -> None:
    files = draw_all(halves)
    assert read_drawn(files, "key")
    path = (*files.small, files.script)[which]
    os.truncate(path, int(part * path.stat().st_size))
    assert read_drawn(files, "key") is None


def test_grey_runs_from_the_darkest_to_the_brightest_intensities(halves: Path) -> None:
    channel = content(draw_all(halves))["channels"][0]
    grey = pixels(channel["grey"]).astype(int)
    assert channel["bounds"] == [0, 31]
    assert (grey[:, 0] < 12).all()
    assert (grey[:, -1] > 243).all()
    assert (np.diff(grey[16]) > 0).mean() > 0.9


def test_small_pictures_have_the_colours_of_the_classes(halves: Path) -> None:
    files = draw_all(halves)
    usual, safe = (
        imagecodecs.png_decode(path.read_bytes()) for path in (files.classes, files.safe_classes)
    )
    assert usual[3, 3].tolist() == [255, 0, 0]
    assert usual[3, 30].tolist() == [0, 255, 0]
    assert safe[3, 3].tolist() == list(STYLE.safe_colors[0])
    composite = imagecodecs.jpeg_decode(files.image.read_bytes())
    assert composite[16, 31].sum() > 300 > composite[16, 0].sum()


def test_of_a_large_image_every_nth_pixel_is_shown(tmp_path: Path) -> None:
    write(tmp_path, np.zeros((2100, 90, 2), np.uint16), np.ones((2, 2100, 90), np.float32))
    files = draw_all(tmp_path)
    found = content(files)
    assert found["step"] == 3
    assert pixels(found["classes"]).shape == (700, 30)
    assert pixels(found["channels"][1]["grey"]).shape == (700, 30)
    assert max(imagecodecs.png_decode(files.classes.read_bytes()).shape) <= 320


def test_the_size_of_a_pixel_is_told_where_it_is_known(halves: Path) -> None:
    assert content(draw_all(halves))["pixelUm"] is None
    known = ImageRecord(
        channel_names=("a", "b"), preparation=PreparationOptions(), pixel_size_um=(0.4, 0.5)
    )
    write_image(halves / "i.h5", np.ones((2, 32, 32), np.float32), known)
    assert content(draw_all(halves))["pixelUm"] == 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (321, 3)])
def test_images_of_any_shape_are_drawn(tmp_path: Path, shape: tuple[int, int]) -> None:
    write(tmp_path, np.zeros((*shape, 2), np.uint16), np.ones((2, *shape), np.float32))
    assert read_drawn(draw_all(tmp_path), "key")


def test_what_is_no_number_is_black(tmp_path: Path) -> None:
    image = np.full((2, 16, 16), np.nan, np.float32)
    image[1, :, 8:] = 4
    write(tmp_path, np.zeros((16, 16, 2), np.uint16), image)
    channels = content(draw_all(tmp_path))["channels"]
    assert not pixels(channels[0]["grey"]).any()
    assert channels[0]["bounds"] == [0, 1]


def test_the_same_pixels_give_the_same_bytes(halves: Path) -> None:
    files = draw_all(halves)
    before = [path.read_bytes() for path in (files.script, files.image, files.classes)]
    draw_all(halves)
    assert [path.read_bytes() for path in (files.script, files.image, files.classes)] == before


def test_damaged_files_are_errors_and_leave_nothing(halves: Path) -> None:
    (halves / "i.h5").write_bytes(b"no HDF5")
    with pytest.raises(UnreadableImageError):
        draw_all(halves)
    (halves / "p.tiff").write_bytes(b"no TIFF")
    with pytest.raises(InvalidProbabilitiesError):
        draw_all(halves)
    assert not (halves / "pictures").exists()
