"""Crops depend on the seed alone, differ from each other and lie inside their image."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ilpix.images.crops import (
    CropName,
    CropWindow,
    crop_stem,
    cut_crop,
    parse_crop_stem,
    plan_crops_like_steinbock,
    plan_crops_per_image,
)
from ilpix.images.hdf5 import ImageRecord, open_prepared, write_image
from ilpix.images.preparation_options import PreparationOptions

SHAPES = {"a": (60, 80), "small": (10, 200), "exact": (30, 30), "b": (31, 30), "c": (90, 90)}


def test_steinbocks_crops_are_its_draws_from_one_generator() -> None:
    """Its rule spelled out: x before y, nothing drawn along an axis that fits exactly."""
    rng = np.random.default_rng(11)
    a = (rng.integers(50), rng.integers(30))
    b_y = rng.integers(1)
    c = (rng.integers(60), rng.integers(60))
    planned = plan_crops_like_steinbock(SHAPES, size=30, seed=11)
    assert planned == {
        "a": [CropWindow(int(a[1]), int(a[0]), 30)],
        "small": [],
        "exact": [CropWindow(0, 0, 30)],
        "b": [CropWindow(int(b_y), 0, 30)],
        "c": [CropWindow(int(c[1]), int(c[0]), 30)],
    }


def test_more_crops_like_steinbock_keep_the_first_ones() -> None:
    one, three = (plan_crops_like_steinbock(SHAPES, 30, seed=3, n=n) for n in (1, 3))
    assert {name: crops[:1] for name, crops in three.items()} == one
    assert [len(crops) for crops in three.values()] == [3, 0, 1, 1, 3]
    assert len(set(three["a"])) == 3


def test_an_images_own_crops_do_not_change_with_the_other_images() -> None:
    assert plan_crops_per_image("a", (60, 80), 30, seed=1) == plan_crops_per_image(
        "a", (60, 80), 30, seed=1
    )
    drawn = {
        (name, seed): plan_crops_per_image(name, (500, 500), 30, seed)[0]
        for name in ("a", "b", "1a")
        for seed in (1, 2, 11)
    }
    assert len(set(drawn.values())) == len(drawn)


def test_more_crops_per_image_keep_the_first_ones() -> None:
    five = plan_crops_per_image("a", (60, 80), 30, seed=1, n=5)
    assert plan_crops_per_image("a", (60, 80), 30, seed=1, n=2) == five[:2]
    assert len(set(five)) == 5


def test_crops_per_image_reach_every_position_equally_often() -> None:
    counts = Counter(
        (crop.y, crop.x)
        for seed in range(600)
        for crop in plan_crops_per_image("a", (11, 12), 10, seed)
    )
    assert set(counts) == {(y, x) for y in range(2) for x in range(3)}
    assert min(counts.values()) > 70  # 100 expected


def test_an_image_has_no_more_crops_than_positions() -> None:
    assert len(set(plan_crops_per_image("a", (11, 12), 10, seed=0, n=50))) == 6
    assert plan_crops_per_image("a", (10, 10), 10, seed=0, n=2) == [CropWindow(0, 0, 10)]


@pytest.mark.parametrize("shape", [(9, 50), (50, 9)])
def test_an_image_smaller_than_a_crop_gets_none(shape: tuple[int, int]) -> None:
    assert plan_crops_per_image("a", shape, 10, seed=0) == []
    assert plan_crops_like_steinbock({"a": shape}, 10, seed=0) == {"a": []}


@pytest.mark.parametrize("numbers", [(-1, 0, 5), (0, -1, 5), (0, 0, 0)])
def test_a_window_outside_every_image_cannot_be_made(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a crop needs"):
        CropWindow(*numbers)


def test_a_crop_is_cut_with_the_record_of_its_image(tmp_path: Path) -> None:
    image = np.arange(2 * 20 * 30, dtype=np.float32).reshape(2, 20, 30)
    record = ImageRecord(channel_names=("a", "b"), preparation=PreparationOptions())
    window = CropWindow(y=3, x=7, size=10)
    write_image(tmp_path / "image.h5", image, record)
    cut_crop(tmp_path / "image.h5", tmp_path / f"{crop_stem('image', window)}.h5", window)
    with open_prepared(tmp_path / "image_x7_y3_w10_h10.h5") as crop:
        assert crop.record == record
        np.testing.assert_array_equal(crop.read(), image[:, 3:13, 7:17])


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("region_1_x128_y82_w100_h90", CropName("region_1", 82, 128, 90, 100)),
        ("a_x1_y2_w3_h4_x5_y6_w7_h8", CropName("a_x1_y2_w3_h4", 6, 5, 8, 7)),
        ("region_1", None),
        ("_x1_y2_w3_h4", None),
        ("a_x-1_y2_w3_h4", None),
    ],
)
def test_the_name_of_a_crop_says_where_it_is(stem: str, name: CropName | None) -> None:
    assert parse_crop_stem(stem) == name
