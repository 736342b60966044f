"""Images are prepared as the written rules say, for every pixel type."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ilpix.images.errors import ChannelCountError, NothingButNaNError
from ilpix.images.panel import ChannelGroup, Panel
from ilpix.images.preparation import (
    channel_names,
    prepare_image,
    prepared_bands,
    prepared_shape,
)
from ilpix.images.preparation_options import PreparationOptions

PLAIN = Panel(Path("panel.csv"), ("a", "b", "c"), None)
GROUPED = Panel(
    Path("panel.csv"), ("a", "b", "c"), (ChannelGroup("c", (2,)), ChannelGroup("a+b", (0, 1)))
)
TYPES = ["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8", ">u2", ">f4"]


def _image(dtype: str = "f4") -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, (3, 5, 7)).astype(dtype)


def _slow_enlarge(plane: np.ndarray, scale: int) -> np.ndarray:
    """The definition, one pixel at a time."""
    height, width = plane.shape
    result = np.empty((height * scale, width * scale))
    for row, column in np.ndindex(result.shape):
        y = min(max((row + 0.5) / scale - 0.5, 0), height - 1)
        x = min(max((column + 0.5) / scale - 0.5, 0), width - 1)
        top, left = min(int(y), height - 2), min(int(x), width - 2)
        upper, lower = (
            plane[k, left] * (left + 1 - x) + plane[k, left + 1] * (x - left)
            for k in (top, top + 1)
        )
        result[row, column] = upper * (top + 1 - y) + lower * (y - top)
    return result


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_preparation_agrees_with_its_slow_twin(dtype: str, scale: int) -> None:
    image = _image(dtype)
    before = image.copy()
    prepared = prepare_image(image, GROUPED, PreparationOptions(scale=scale))
    exact = image.astype(float)
    groups = np.stack([exact[2], exact[:2].mean(axis=0)])
    planes = np.stack([groups.mean(axis=0) * 100, *groups])
    if scale > 1:
        planes = np.stack([_slow_enlarge(plane, scale) for plane in planes])
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepared, planes, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("aggr", ["mean", "median", "sum", "max", "min", "std", "var"])
@pytest.mark.parametrize("prefix", ["", "nan"])
def test_each_aggregation_is_the_statistic_of_its_name(aggr: str, prefix: str) -> None:
    aggr = prefix + aggr
    image = _image("u1")
    prepared = prepare_image(image, GROUPED, PreparationOptions(aggr=aggr, mean=False, scale=1))
    expected = getattr(np, aggr)(image[:2].astype(float), axis=0)
    np.testing.assert_allclose(prepared[1], expected, rtol=1e-6)


def test_pixels_that_are_nan_are_left_out_where_asked_for() -> None:
    image = _image()
    image[0, 1, 2] = np.nan
    prepared = prepare_image(image, GROUPED, PreparationOptions(aggr="nanmax", mean=False, scale=1))
    assert prepared[1, 1, 2] == image[1, 1, 2]
    assert np.isfinite(prepared).all()


def test_a_pixel_that_is_nan_in_a_whole_group_is_an_error() -> None:
    image = _image()
    image[2, 1, 2] = np.nan
    with pytest.raises(NothingButNaNError, match="every channel of the group c"):
        prepare_image(image, GROUPED, PreparationOptions(aggr="nanmean"))


def test_small_pixel_types_do_not_overflow() -> None:
    image = np.full((3, 4, 4), 60000, dtype=np.float16)
    prepared = prepare_image(image, GROUPED, PreparationOptions(aggr="sum", scale=1))
    np.testing.assert_allclose(prepared[0], 100 * (60000 + 120000) / 2, rtol=1e-3)
    bytes_ = np.full((3, 4, 4), 255, dtype=np.uint8)
    assert prepare_image(bytes_, GROUPED, PreparationOptions(aggr="sum"))[2].max() == 510


def test_values_beyond_float32_become_its_largest_number() -> None:
    image = np.full((3, 4, 4), 1e300)
    prepared = prepare_image(image, PLAIN, PreparationOptions(mean=False))
    assert (prepared == np.finfo(np.float32).max).all()


def test_integers_are_interpolated_and_not_rounded() -> None:
    image = np.zeros((3, 2, 2), dtype=np.uint8)
    image[:, 0, 0] = 1
    assert prepare_image(image, PLAIN, PreparationOptions(mean=False))[0, 0, 1] == 0.75


@pytest.mark.parametrize("shape", [(3, 1, 6), (3, 6, 1), (3, 1, 1)])
def test_images_one_pixel_wide_are_enlarged_too(shape: tuple[int, int, int]) -> None:
    prepared = prepare_image(np.ones(shape), PLAIN, PreparationOptions(mean=False))
    assert prepared.shape == (3, 2 * shape[1], 2 * shape[2])
    assert (prepared == 1).all()


def test_a_prepared_image_never_shares_memory_with_its_source() -> None:
    image = _image()
    prepared = prepare_image(image, PLAIN, PreparationOptions(mean=False, scale=1))
    assert not np.shares_memory(prepared, image)


def test_an_image_with_other_channels_than_the_panel_is_refused() -> None:
    with pytest.raises(ChannelCountError, match="the image has 2 channels"):
        prepare_image(_image()[:2], PLAIN, PreparationOptions())
    with pytest.raises(ChannelCountError, match="the image has 2 channels"):
        list(prepared_bands([_image()[:2]], PLAIN, PreparationOptions()))


@pytest.mark.parametrize("heights", [(5,), (1, 1, 1, 1, 1), (2, 3), (4, 1)])
@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_the_height_of_bands_changes_no_bit(
    heights: tuple[int, ...], scale: int, dtype: str
) -> None:
    image, options = _image(dtype), PreparationOptions(scale=scale)
    bands = np.split(image, np.cumsum(heights)[:-1], axis=1)
    prepared = np.concatenate(list(prepared_bands(bands, GROUPED, options)), axis=1)
    np.testing.assert_array_equal(prepared, prepare_image(image, GROUPED, options))


def test_large_images_are_prepared_in_little_memory() -> None:
    panel = Panel(Path("panel.csv"), tuple(map(str, range(40))), None)
    bands = [np.ones((40, 16, 2000), np.uint16)] * 32
    options = PreparationOptions(scale=2)
    prepare_image(bands[0][:, :4, :4], panel, options)  # imports what it needs
    tracemalloc.start()
    n_bytes = sum(band.nbytes for band in prepared_bands(bands, panel, options))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_bytes == 4 * np.prod(prepared_shape((40, 512, 2000), panel, options))
    assert peak_bytes < n_bytes / 4


@pytest.mark.parametrize(
    ("panel", "options", "names"),
    [
        (PLAIN, PreparationOptions(), ("mean", "a", "b", "c")),
        (PLAIN, PreparationOptions(mean=False), ("a", "b", "c")),
        (GROUPED, PreparationOptions(), ("mean", "c", "a+b")),
    ],
)
def test_each_prepared_channel_has_a_name(
    panel: Panel, options: PreparationOptions, names: tuple[str, ...]
) -> None:
    assert channel_names(panel, options) == names
    assert len(prepare_image(_image(), panel, options)) == len(names)


@pytest.mark.parametrize(
    "wrong",
    [
        {"aggr": "load"},
        {"scale": 0},
        {"scale": 1.5},
        {"meanfactor": 0},
        {"meanfactor": "nan"},
        {"mean_factor": 1},
    ],
)
def test_options_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PreparationOptions.model_validate(wrong)
