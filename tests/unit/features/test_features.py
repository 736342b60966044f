"""The feature bank against its slow twin, and what it refuses."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ilpix.features.computing import compute_features, features_at
from ilpix.features.errors import ImageTooSmallError, NotFiniteError
from ilpix.features.selection import FEATURE_IDS, SCALES, FeatureSelection, default_selection
from tests.unit.slow_twins import slow_feature

Image = npt.NDArray[np.float32]


def every_feature(*scales: float) -> FeatureSelection:
    return FeatureSelection(FEATURE_IDS, scales, ((True,) * len(scales),) * len(FEATURE_IDS))


def smoothing(scale: float) -> FeatureSelection:
    return FeatureSelection(("GaussianSmoothing",), (scale,), ((True,),))


def noise(*shape: int) -> Image:
    return np.random.default_rng(7).normal(10, 5, shape).astype(np.float32)


@st.composite
def images(draw: st.DrawFn, smallest: int) -> Image:
    height, width = (draw(st.integers(smallest, smallest + 15)) for _ in range(2))
    kind = draw(st.sampled_from(["noise", "constant", "edge"]))
    if kind == "constant":
        return np.full((1, height, width), draw(st.floats(-1e3, 1e3, width=32)), np.float32)
    image = noise(1, height, width)
    if kind == "edge":
        image[:, :, draw(st.integers(0, width - 1)) :] = 1000
    return image


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.6])
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_features_agree_with_their_slow_twin(scale: float, data: st.DataObject) -> None:
    selection = every_feature(scale)
    image = data.draw(images(selection.smallest_size()))
    features = compute_features(image, selection)
    for index, column in enumerate(selection.columns(1)):
        # sums of float32 keep about six digits of their largest term, and none below its smallest
        # normal number; the tensor is made of squares
        power = 2 if column.feature_id == "StructureTensorEigenvalues" else 1
        tolerance = 1e-5 * float(abs(image).max()) ** power + float(np.finfo(np.float32).tiny)
        expected = slow_feature(image, column)
        np.testing.assert_allclose(features[..., index], expected, rtol=0, atol=tolerance)


def test_the_widest_kernel_agrees_with_its_slow_twin_on_the_smallest_image() -> None:
    selection = every_feature(10.0)
    image = noise(1, 36, 36)
    features = compute_features(image, selection)
    for index, column in enumerate(selection.columns(1)):
        np.testing.assert_allclose(
            features[..., index], slow_feature(image, column), rtol=0, atol=3e-4
        )


def test_columns_come_by_feature_then_scale_then_channel_then_eigenvalue() -> None:
    columns = every_feature(1.0, 1.6).columns(2)
    assert columns == tuple(
        sorted(
            columns,
            key=lambda c: (FEATURE_IDS.index(c.feature_id), c.scale, c.channel, c.eigenvalue),
        )
    )
    assert len(columns) == (4 + 2 * 2) * 2 * 2


def test_a_part_of_the_columns_is_the_same_as_in_all_of_them() -> None:
    selection, image = every_feature(0.7, 1.0), noise(2, 9, 21)
    columns = selection.columns(2)
    every = compute_features(image, selection)
    for chosen in ([5], [3, 20, 11], list(range(len(columns)))[::-1]):
        part = compute_features(image, selection, [columns[index] for index in chosen])
        np.testing.assert_array_equal(part, every[..., chosen])


def test_features_at_positions_are_those_of_the_whole_image_in_the_order_asked_for() -> None:
    selection, image = every_feature(1.0), noise(1, 40, 300)
    whole = compute_features(image, selection)
    positions = np.array([[39, 299], [0, 0], [17, 250], [0, 0], [16, 239]])
    at_positions = features_at(image, selection, positions)
    np.testing.assert_array_equal(at_positions, whole[positions[:, 0], positions[:, 1]])
    mask = np.zeros((40, 300), np.bool_)
    mask[[3, 3, 30], [299, 1, 100]] = True
    np.testing.assert_array_equal(features_at(image, selection, mask), whole[mask])


def test_no_positions_give_no_rows() -> None:
    values = features_at(noise(1, 9, 9), smoothing(1.0), np.zeros((0, 2), np.int64))
    assert values.shape == (0, 1)


def test_the_input_is_not_modified_and_integers_are_taken() -> None:
    counts = np.arange(100, dtype=np.uint16).reshape(1, 10, 10)
    features = compute_features(counts, smoothing(1.0))
    assert features.dtype == np.float32
    np.testing.assert_array_equal(counts, np.arange(100).reshape(1, 10, 10))


@pytest.mark.parametrize(("scale", "needed"), [(0.3, 3), (1.0, 5), (1.6, 7), (10.0, 36)])
def test_an_image_too_small_for_a_scale_is_refused(scale: float, needed: int) -> None:
    assert compute_features(np.ones((1, needed, needed)), smoothing(scale)).shape == (
        needed,
        needed,
        1,
    )
    with pytest.raises(ImageTooSmallError, match=f"scale {scale} px need {needed} along"):
        compute_features(np.ones((1, needed + 5, needed - 1)), smoothing(scale))


def test_an_image_of_one_row_is_refused() -> None:
    with pytest.raises(ImageTooSmallError, match="1 × 500 pixels"):
        compute_features(np.ones((1, 1, 500)), smoothing(0.3))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_not_finite_is_named(value: float) -> None:
    image = noise(3, 12, 12)
    image[2, 4, 7] = value
    with pytest.raises(NotFiniteError, match=r"channel 2 .* y 4, x 7"):
        compute_features(image, smoothing(1.0))


@pytest.mark.parametrize(
    ("ids", "scales", "matrix", "says"),
    [
        (("Gaussian",), (1.0,), ((True,),), "unknown features"),
        (("GaussianSmoothing",), (1.0, 2.0), ((True,),), "a column for each of 2 scales"),
        (("GaussianSmoothing",) * 2, (1.0,), ((True,),) * 2, "named once"),
        (("GaussianSmoothing",), (float("nan"),), ((True,),), "positive number"),
        (("GaussianSmoothing",), (-1.0,), ((False,),), "positive number"),
        (("StructureTensorEigenvalues",), (0.3,), ((True,),), "at least 0.5 px"),
    ],
)
def test_a_selection_that_cannot_be_computed_is_refused(
    ids: tuple[str, ...], scales: tuple[float, ...], matrix: tuple[tuple[bool, ...], ...], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        FeatureSelection(ids, scales, matrix)


def test_the_default_is_all_features_from_1_px_on() -> None:
    selection = default_selection()
    assert len(selection.chosen) == 5 * len(FEATURE_IDS)
    assert selection.scales == SCALES
    assert selection.smallest_size() == 36
