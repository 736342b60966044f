"""Probability images as files."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from ilpix.prediction.errors import InvalidProbabilitiesError
from ilpix.prediction.probabilities import (
    class_areas,
    read_shape,
    to_uint16,
    verify_probabilities,
    write_probabilities,
)

Stored = npt.NDArray[np.uint16]


def stored(height: int, width: int, n_classes: int) -> Stored:
    rng = np.random.default_rng(1)
    return to_uint16(rng.dirichlet(np.ones(n_classes), (height, width)).astype(np.float32))


def write(target: Path, image: Stored, block_rows: int = 7) -> None:
    blocks = (image[first : first + block_rows] for first in range(0, len(image), block_rows))
    write_probabilities(target, image.shape, blocks)  # type: ignore[arg-type]  # three axes


@pytest.mark.parametrize("n_classes", [1, 2, 3, 4, 20])
def test_what_is_written_can_be_read_and_is_valid(n_classes: int, tmp_path: Path) -> None:
    image = stored(40, 31, n_classes)
    write(tmp_path / "p.tiff", image)
    verify_probabilities(tmp_path / "p.tiff", (40, 31), n_classes)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "p.tiff").reshape(image.shape), image)


@pytest.mark.parametrize(
    ("n_classes", "photometric"), [(3, "RGB"), (2, "MINISBLACK"), (4, "MINISBLACK")]
)
def test_three_classes_are_colours_and_others_are_not(
    n_classes: int, photometric: str, tmp_path: Path
) -> None:
    write(tmp_path / "p.tiff", stored(9, 9, n_classes))
    with tifffile.TiffFile(tmp_path / "p.tiff") as file:
        page = file.pages.first
        assert (page.photometric.name, page.compression.name) == (photometric, "LZW")
        assert page.planarconfig.name == "CONTIG"
        assert page.samplesperpixel == n_classes
        assert not {"DateTime", "Software", "ImageDescription"} & set(page.tags.keys())


def test_blocks_and_threads_change_no_byte(tmp_path: Path) -> None:
    image = stored(500, 300, 3)
    for block_rows in (1, 64, 500):
        write(tmp_path / f"{block_rows}.tiff", image, block_rows)
    with ThreadPoolExecutor(3) as pool:
        write_probabilities(tmp_path / "pool.tiff", (500, 300, 3), [image], pool)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_missing_rows_are_an_error_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="9 rows were given for an image of 10"):
        write_probabilities(tmp_path / "p.tiff", (10, 5, 3), [stored(9, 5, 3)])
    assert list(tmp_path.iterdir()) == []


def test_rounding_is_to_nearest_or_down() -> None:
    probabilities = np.array([0.0, 0.07, 0.42, 1.0], np.float32)
    assert to_uint16(probabilities).tolist() == [0, 4587, 27525, 65535]
    assert to_uint16(probabilities, rounding="down").tolist() == [0, 4587, 27524, 65535]


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def spoil_a_pixel(path: Path) -> None:
    image = tifffile.imread(path)
    image[30, 4] = (1, 2, 3)
    write(path, image)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.write_bytes(b"no TIFF"), "cannot be read"),
        (lambda path: path.unlink(), "cannot be read"),
        (cut_short, "cannot be read|missing|valid"),
        (spoil_a_pixel, r"y 30, x 4 do not sum to 1: \[1, 2, 3\]"),
        (lambda path: write(path, stored(41, 31, 3)), "shape"),
        (lambda path: write(path, stored(40, 31, 2)), "shape"),
        (lambda path: tifffile.imwrite(path, np.zeros((40, 31, 3), np.uint8)), "uint8"),
        (lambda path: tifffile.imwrite(path, np.zeros((2, 40, 31), np.uint16)), "2 images"),
    ],
)
def test_an_invalid_file_is_refused(
    spoil: Callable[[Path], None], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "p.tiff"
    write(path, stored(40, 31, 3))
    spoil(path)
    with pytest.raises(InvalidProbabilitiesError, match=says):
        verify_probabilities(path, (40, 31), 3)


def test_areas_are_shares_of_the_most_probable_class(tmp_path: Path) -> None:
    image = np.zeros((4, 5, 3), np.uint16)
    image[..., 0] = 40000
    image[:1, :, 2] = 65535
    write(tmp_path / "p.tiff", image)
    assert read_shape(tmp_path / "p.tiff") == (4, 5, 3)
    assert class_areas(tmp_path / "p.tiff") == {"shape": [4, 5], "areas": [0.75, 0.0, 0.25]}
