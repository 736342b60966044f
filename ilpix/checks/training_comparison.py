"""Do the images look like what the classifier was trained on? Warnings, never a refusal.

Three things pass unnoticed through a classifier and spoil its result: channels in another order,
intensities on another scale, and another magnification. Each is looked for in all images together,
where the differences of single regions cancel, and then in each image.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ilpix.checks.channel_order import (
    Flags,
    Order,
    References,
    find_order,
    nearest_cost,
    spread_evenly,
)
from ilpix.checks.findings import ALL_IMAGES, Finding
from ilpix.images.channel_statistics import QUANTILES, ChannelStatistics

FAR = 5.0  # times as bright or dark

_MIDDLE, _BRIGHT = QUANTILES.index(0.5), QUANTILES.index(0.99)
_COMPARED = [_MIDDLE, _BRIGHT]
_FEWEST = 3  # images or crops of which the one in the middle says something about all
_MOST_OF = 2 / 3
_MOST_IMAGES = 256  # that say which order all have
_MOST_NEIGHBOURS = 16
_ALIKE = 2.0  # times; factors within it are one
_CLEARLY_NEARER = 0.4  # times the distance without magnification
_CLEARLY_AWAY = 0.3  # Fisher's z
_LARGEST_CORRELATION = 0.98
_PREPARE_ALIKE = "prepare the images with the panel and options of the training images"
_LABEL_MORE = ", or, if that is what was done, label crops of further images and train again"

Array = NDArray[np.float64]
Images = Mapping[str, ChannelStatistics]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Images beside the training crops; C channels."""

    channels: tuple[str, ...]  # names, as in training
    order: Order  # for each of them, which channel of the images it seems to be
    findings: tuple[Finding, ...] = ()
    distances: dict[str, float] = field(default_factory=dict)  # how unlike an image is any crop
    factors: tuple[float, ...] = ()  # how many times as bright the images are as the crops
    not_told_apart: tuple[tuple[str, str], ...] = ()  # channels whose swap would pass unnoticed

    def of_image(self, name: str) -> list[Finding]:
        """Return what concerns one image alone."""
        return [finding for finding in self.findings if finding.where == name]


@dataclass(frozen=True, slots=True)
class _Training:
    """What is known of the crops, and which channels of the images are theirs."""

    channels: tuple[str, ...]  # C names
    quantiles: Array  # (K crops, C, Q)
    smoothness: Array  # (C, L) see `_smoothness`
    extremes: Array  # (2, C, 2) lowest and highest of the `_COMPARED` quantiles
    order: Order = ()  # for each channel, that of the images

    @property
    def middle(self) -> Array:
        """(C,) the bright end of a crop in the middle."""
        middle: Array = np.median(self.quantiles[:, :, _BRIGHT], axis=0)
        return middle


def compare_with_training(
    images: Images, crops: Sequence[ChannelStatistics], channels: Sequence[str]
) -> Comparison:
    """Compare images with the training crops.

    Args:
        images: by name; C channels each.
        crops: C channels each.
        channels: C names.
    """
    names = tuple(channels)
    if not images or not crops:
        return Comparison(names, tuple(range(len(names))))
    references = References(crops)
    apart = references.told_apart()
    some = spread_evenly(list(images), _MOST_IMAGES)
    costs = [references.costs(images[name]) for name in some]
    order = find_order(costs, apart) if len(images) > 1 else tuple(range(len(names)))
    quantiles = _quantiles(crops)
    training = _Training(names, quantiles, _smoothness(crops), _extremes(quantiles), order)
    bright = _quantiles(images.values())[:, list(order), _BRIGHT]
    factors = _ratio(np.median(bright, axis=0), training.middle)
    far = _far_together(bright, factors, training)
    findings = [
        *_moved(ALL_IMAGES, order, names),
        *_tell_far_together(far, factors, training),
        *_magnified(images, training),
    ]
    neighbours, distances = _Neighbours(images), {}
    for name, image in images.items():
        cost = references.costs(image)
        distances[name] = nearest_cost(cost, order)
        alone = find_order([cost[:, list(order)]], apart, neighbours.costs(name))
        findings += _moved(name, alone, names)
        in_order = replace(training, order=tuple(order[channel] for channel in alone))
        findings += _far(name, image, in_order, except_for=far)
    return Comparison(
        names,
        order,
        tuple(findings),
        distances,
        tuple(factors.tolist()),
        _not_told_apart(apart, names),
    )


class _Neighbours:
    """Some of the images: in whatever all have in common, another order shows beside them too."""

    def __init__(self, images: Images) -> None:
        self._images, self._chosen = images, spread_evenly(list(images), _MOST_NEIGHBOURS)
        chosen = [images[name] for name in self._chosen]
        self._references = References(chosen, each_alone=True)

    def costs(self, name: str) -> Array | None:
        """(N, 1, C, C) beside each; None where there are too few to say what is usual."""
        others = [index for index, other in enumerate(self._chosen) if other != name]
        if len(others) < _FEWEST:
            return None
        return self._references.costs(self._images[name])[others, None]


def _moved(where: str, order: Order, channels: Sequence[str]) -> Iterator[Finding]:
    taken = [
        f"what is taken for {channels[channel]} looks like {channels[role]}"
        for role, channel in enumerate(order)
        if role != channel
    ]
    if taken:
        fitting = ", ".join(str(channel) for channel in order)
        what = f"channels seem to be in another order: {'; '.join(taken)} (fitting: {fitting})"
        advice = "compare the panel with that of the training images; prepare again if it differs"
        yield Finding("warning", "channel order", where, what, advice)


def _far_together(bright: Array, factors: Array, training: _Training) -> list[int]:
    """Find channels in which most images are brighter, or darker, than most crops by far.

    Args:
        bright: (N images, C) their bright ends.
        factors: (C,) of the image in the middle.
        training: C channels.
    """
    if len(bright) < _FEWEST:
        return []
    half_way, crops = np.sqrt(FAR), training.quantiles[:, :, _BRIGHT]
    # of all pairs of an image and a crop
    brighter = np.mean([np.mean(bright > half_way * crop, axis=0) for crop in crops], axis=0)
    darker = np.mean([np.mean(half_way * bright < crop, axis=0) for crop in crops], axis=0)
    is_brighter, is_darker = brighter >= _MOST_OF, darker >= _MOST_OF
    far = ((factors > FAR) & is_brighter) | ((FAR * factors < 1) & is_darker)
    return [int(channel) for channel in np.flatnonzero(far)]


def _tell_far_together(far: list[int], factors: Array, training: _Training) -> Iterator[Finding]:
    channels = training.channels
    alike = _PREPARE_ALIKE + _LABEL_MORE * (len(training.quantiles) < _FEWEST)
    if len(far) == len(channels) > 1 and factors.max() < _ALIKE * factors.min():
        what = f"all channels are {np.median(factors):.3g} times as bright as in the training crops"
        advice = f"were these normalised and those not, or the other way round? {alike}"
        yield Finding("warning", "intensities", ALL_IMAGES, what, advice)
        return
    for channel in far:
        times = f"{factors[channel]:.3g} times as bright as in the training crops"
        what = f"channel {channels[channel]} is {times}"
        yield Finding("warning", "intensities", ALL_IMAGES, what, alike)


def _far(
    name: str, image: ChannelStatistics, training: _Training, except_for: Sequence[int]
) -> Iterator[Finding]:
    """Find channels whose values are beyond those of all crops by far."""
    own = np.array(image.quantiles)[list(training.order)][:, _COMPARED]
    lowest, highest = training.extremes
    is_far = ((own > FAR * highest) | (FAR * own < lowest)).any(axis=1)
    for channel in set(np.flatnonzero(is_far).tolist()) - set(except_for):
        compared = ", ".join(
            f"{QUANTILES[index]:.0%} quantile {value:.3g} (crops {low:.3g} to {high:.3g})"
            for index, value, low, high in zip(
                _COMPARED, own[channel], lowest[channel], highest[channel], strict=True
            )
        )
        what = f"channel {training.channels[channel]} is far from the training crops: {compared}"
        advice = (
            "look at the image; if it is sound, label a crop of it (ilpix prepare --add-crops cuts "
            "one where there is none) and train again"
        )
        yield Finding("warning", "intensities", name, what, advice)


def _magnified(images: Images, training: _Training) -> Iterator[Finding]:
    """Compare how far apart pixels go along with each other; distances are powers of 2."""
    if min(len(images), len(training.quantiles)) < _FEWEST:
        return
    here, there = _smoothness(images.values())[list(training.order)], training.smoothness
    same = abs(here[:, 1:-1] - there[:, 1:-1]).mean()
    shifted = {
        "smaller": abs(here[:, :-1] - there[:, 1:]).mean(),
        "larger": abs(here[:, 1:] - there[:, :-1]).mean(),
    }
    nearest = min(shifted, key=lambda kind: shifted[kind])
    if same > _CLEARLY_AWAY and shifted[nearest] < _CLEARLY_NEARER * same:
        what = f"everything in the images seems to be about 2 times {nearest} than in training"
        advice = f"was another scale chosen, or another resolution? {_PREPARE_ALIKE}"
        yield Finding("warning", "magnification", ALL_IMAGES, what, advice)


def _quantiles(some: Iterable[ChannelStatistics]) -> Array:
    return np.array([one.quantiles for one in some])


def _extremes(quantiles: Array) -> Array:
    compared = quantiles[:, :, _COMPARED]
    return np.stack([compared.min(axis=0), compared.max(axis=0)])


def _smoothness(some: Iterable[ChannelStatistics]) -> Array:
    """(C, L) of the image in the middle, as Fisher's z."""
    correlations = np.array([one.smoothness for one in some])
    bounded = np.clip(correlations, -_LARGEST_CORRELATION, _LARGEST_CORRELATION)
    middle: Array = np.median(np.arctanh(bounded), axis=0)
    return middle


def _ratio(part: Array, whole: Array) -> Array:
    """NaN where one of both is not above 0."""
    is_known = (part > 0) & (whole > 0)
    ratio: Array = np.divide(part, whole, out=np.full(len(part), np.nan), where=is_known)
    return ratio


def _not_told_apart(apart: Flags, channels: Sequence[str]) -> tuple[tuple[str, str], ...]:
    pairs = zip(*np.nonzero(~apart), strict=True)
    return tuple((channels[one], channels[other]) for one, other in pairs if one < other)
