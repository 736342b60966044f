"""The example data is in the repository, comes from one seed, and its labels are true."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from ilpix.example import SHAPES, draw_labels, write_example
from ilpix.images.crops import CropWindow, plan_crops_per_image
from ilpix.images.panel import read_panel, require_channels
from ilpix.sources.tiff import find_images, read_image

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    write_example(folder)
    return folder


def test_the_example_in_the_repository_is_written_again_byte_for_byte(example: Path) -> None:
    ours = {path.name: path.read_bytes() for path in find_images(EXAMPLES / "img")}
    assert {path.name: path.read_bytes() for path in find_images(example / "img")} == ours
    assert (example / "panel.csv").read_bytes() == (EXAMPLES / "panel.csv").read_bytes()


def test_another_seed_gives_another_tissue(example: Path, tmp_path: Path) -> None:
    write_example(tmp_path, seed=1)
    name = "img/region_1.tiff"
    assert (tmp_path / name).read_bytes() != (example / name).read_bytes()


def test_images_panel_and_truth_fit_each_other(example: Path) -> None:
    panel = read_panel(example / "panel.csv")
    for path in find_images(example / "img"):
        image, truth = read_image(path), tifffile.imread(example / "truth" / path.name)
        require_channels(panel, len(image))
        assert image.shape[1:] == truth.shape == SHAPES[path.stem]
        assert set(np.unique(truth)) == {1, 2, 3}


def test_each_class_has_its_own_marker(example: Path) -> None:
    markers = {"DNA1": 1, "DNA2": 1, "E-Cadherin": 2, "Vimentin": 3}
    names = read_panel(example / "panel.csv").names
    for path in find_images(example / "img"):
        truth = tifffile.imread(example / "truth" / path.name)
        counts = dict(zip(names, read_image(path), strict=True))
        for name, brightest in markers.items():
            means = {value: counts[name][truth == value].mean() for value in (1, 2, 3)}
            assert max(means, key=means.__getitem__) == brightest


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_drawn_labels_are_sparse_and_true_at_their_place(example: Path, scale: int) -> None:
    truth = tifffile.imread(example / "truth" / "region_1.tiff")
    shape = (scale * truth.shape[0], scale * truth.shape[1])
    for window in plan_crops_per_image("region_1", shape, 40 * scale, seed=0, n=3):
        labels = draw_labels(truth, window, scale, np.random.default_rng(0))
        assert labels.shape == (window.size, window.size)
        assert labels.dtype == np.uint8
        assert set(np.unique(labels)) == {0, 1, 2, 3}
        assert np.count_nonzero(labels) < 0.2 * labels.size
        for y, x in np.argwhere(labels):
            assert labels[y, x] == truth[(window.y + y) // scale, (window.x + x) // scale]


def test_the_same_generator_draws_the_same_labels() -> None:
    truth = np.full((20, 20), 3, np.uint8)
    first, again = (
        draw_labels(truth, CropWindow(0, 0, 20), 1, np.random.default_rng(5)) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)
    assert set(np.unique(first)) == {0, 3}
