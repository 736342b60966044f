"""Images beside training crops: synthetic ones here, the real tissue where it is there."""

from collections.abc import Sequence
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
import tifffile

from ilpix.checks.findings import ALL_IMAGES
from ilpix.checks.training_comparison import Comparison, compare_with_training
from ilpix.images.channel_statistics import ChannelStatistics, describe, describe_channels
from ilpix.images.hdf5 import find_prepared, open_prepared
from ilpix.images.panel import read_panel
from ilpix.images.preparation import prepare_image
from ilpix.images.preparation_options import PreparationOptions

NAMES = ("mean", "DNA", "CD3", "CD8")
LEVELS = (300, 20, 3, 0.2)


def tissue(seed: int, factor: float = 1.0, order: Sequence[int] = range(4)) -> ChannelStatistics:
    """Counts of four channels that follow one pattern more or less closely."""
    rng = np.random.default_rng(seed)
    pattern = np.kron(rng.gamma(1, 1, (20, 20)), np.ones((4, 4)))
    means = [
        level * (pattern**power + 0.1) for level, power in zip(LEVELS, (1, 2, 0.5, 0), strict=True)
    ]
    image = np.array([rng.poisson(mean) for mean in means], np.float32) * np.float32(factor)
    return describe([image[list(order)]])


CROPS = [tissue(seed) for seed in range(8)]


def compare(*images: ChannelStatistics, crops: Sequence[ChannelStatistics] = CROPS) -> Comparison:
    named = {f"image{index}": image for index, image in enumerate(images)}
    return compare_with_training(named, crops, NAMES)


def test_nothing_is_said_of_images_like_the_crops() -> None:
    compared = compare(*(tissue(seed) for seed in range(20, 26)))
    assert compared.findings == ()
    assert compared.order == (0, 1, 2, 3)
    assert compared.factors == pytest.approx([1] * 4, rel=0.5)


@pytest.mark.parametrize("order", list(permutations(range(4)))[1:])
def test_every_order_of_all_images_is_named(order: tuple[int, ...]) -> None:
    compared = compare(*(tissue(seed, order=order) for seed in range(20, 26)))
    fitting = tuple(order.index(channel) for channel in range(4))
    assert compared.order == fitting
    (finding,) = compared.findings
    assert (finding.severity, finding.topic) == ("warning", "channel order")
    assert finding.where == ALL_IMAGES
    assert f"(fitting: {', '.join(map(str, fitting))})" in finding.what


def test_one_image_in_another_order_is_named_among_the_others() -> None:
    others = [tissue(seed) for seed in range(20, 26)]
    (finding,) = compare(*others, tissue(30, order=(0, 2, 1, 3))).findings
    assert (finding.topic, finding.where) == ("channel order", "image6")
    assert "what is taken for CD3 looks like DNA" in finding.what


def test_an_order_shows_although_all_is_on_another_scale() -> None:
    compared = compare(*(tissue(seed, 1 / 255, (0, 3, 2, 1)) for seed in range(20, 26)))
    assert compared.order == (0, 3, 2, 1)
    assert "all channels are 0.00" in compared.findings[1].what


def test_channels_that_crops_do_not_tell_apart_are_listed_and_never_warned_of() -> None:
    alike = [
        describe([np.random.default_rng(seed).poisson(3, (2, 60, 60)).astype(np.float32)])
        for seed in range(12)
    ]
    images = {str(index): image for index, image in enumerate(alike[6:])}
    compared = compare_with_training(images, alike[:6], ["CD3", "CD8"])
    assert compared.not_told_apart == (("CD3", "CD8"),)
    assert compared.findings == ()


def test_one_crop_is_not_enough_to_name_an_order() -> None:
    swapped = [tissue(seed, order=(1, 0, 2, 3)) for seed in range(20, 26)]
    assert compare(*swapped, crops=CROPS[:1]).order == (0, 1, 2, 3)


def test_without_crops_nothing_is_compared() -> None:
    assert compare(tissue(1), crops=[]).distances == {}


def test_another_factor_of_the_mean_is_told_once() -> None:
    factors = np.array([0.01, 1, 1, 1])

    def scaled(seed: int) -> ChannelStatistics:
        image = tissue(seed)
        quantiles = np.array(image.quantiles) * factors[:, None]
        return image.model_copy(update={"quantiles": tuple(map(tuple, quantiles.tolist()))})

    (finding,) = compare(*map(scaled, range(20, 26))).findings
    assert (finding.topic, finding.where) == ("intensities", ALL_IMAGES)
    assert finding.what.startswith("channel mean is 0.01")


def test_a_bright_image_is_named_alone() -> None:
    others = [tissue(seed) for seed in range(20, 26)]
    findings = compare(*others, tissue(30, 100)).findings
    assert {(finding.topic, finding.where) for finding in findings} == {("intensities", "image6")}
    assert any("channel DNA is far" in finding.what for finding in findings)


def test_a_constant_channel_and_a_single_row_are_described() -> None:
    image = np.zeros((2, 1, 5), np.float32)
    image[1] = np.arange(5)
    described = describe([image])
    assert described.linkage == ((0, 0, 0), (0, 0, 0))
    assert described.quantiles[0] == (0,) * 7


@pytest.fixture(scope="module")
def real(imc: Path) -> tuple[list[ChannelStatistics], list[ChannelStatistics]]:
    """The images and the crops of 15 regions."""
    return tuple(  # type: ignore[return-value]
        [describe_file(path) for path in find_prepared(imc / "steinbock" / folder)]
        for folder in ("ilastik_img", "ilastik_crops")
    )


def describe_file(path: Path) -> ChannelStatistics:
    with open_prepared(path) as image:
        return describe_channels(image)


def reorder(image: ChannelStatistics, order: Sequence[int]) -> ChannelStatistics:
    parts = {
        name: tuple(getattr(image, name)[channel] for channel in order)
        for name in ("quantiles", "linkage", "smoothness")
    }
    return image.model_copy(update=parts)


def test_real_images_are_like_their_crops(
    real: tuple[list[ChannelStatistics], list[ChannelStatistics]],
) -> None:
    images, crops = real
    assert compare(*images, crops=crops).findings == ()


def test_few_crops_as_different_as_the_images_are_no_other_scale(
    real: tuple[list[ChannelStatistics], list[ChannelStatistics]],
) -> None:
    """Of two crops one was 20 times as bright in one channel, as two of the 15 images are.

    The crop in the middle was half as bright as that one then, and all images "0.08 times".
    """
    images, crops = real
    for few in ([crops[1], crops[5]], [crops[2], crops[3]], [crops[1], crops[2], *crops[3:5]]):
        compared = compare(*images, crops=few)
        assert [found for found in compared.findings if found.where == ALL_IMAGES] == []


def test_images_far_from_few_crops_may_need_more_labels(
    real: tuple[list[ChannelStatistics], list[ChannelStatistics]],
) -> None:
    images, crops = real
    (found,) = [f for f in compare(*images, crops=crops[1:3]).findings if f.where == ALL_IMAGES]
    assert found.what.startswith("channel DNA is 0.0278 times")
    assert found.advice.endswith("label crops of further images and train again")


@pytest.mark.parametrize("swap", list(combinations(range(4), 2)))
def test_swaps_in_real_images_are_named_together_and_in_all_but_one_alone(
    real: tuple[list[ChannelStatistics], list[ChannelStatistics]], swap: tuple[int, int]
) -> None:
    images, crops = real
    order = list(range(4))
    order[swap[0]], order[swap[1]] = order[swap[1]], order[swap[0]]
    assert compare(*(reorder(image, order) for image in images), crops=crops).order == tuple(order)
    n_named = 0
    for index, image in enumerate(images):
        mixed = [*images[:index], reorder(image, order), *images[index + 1 :]]
        found = [f for f in compare(*mixed, crops=crops).findings if f.topic == "channel order"]
        assert {finding.where for finding in found} <= {f"image{index}"}
        n_named += f"fitting: {', '.join(map(str, order))})" in "".join(f.what for f in found)
    assert n_named >= 14


def test_real_images_of_another_scale_are_noticed(
    imc: Path, real: tuple[list[ChannelStatistics], list[ChannelStatistics]]
) -> None:
    panel = read_panel(imc / "steinbock" / "panel.csv")
    images = [
        describe([prepare_image(tifffile.imread(path), panel, PreparationOptions(scale=1))])
        for path in sorted((imc / "steinbock" / "img").glob("*.tiff"))
    ]
    told = [f.what for f in compare(*images, crops=real[1]).findings if f.where == ALL_IMAGES]
    assert told == ["everything in the images seems to be about 2 times smaller than in training"]
