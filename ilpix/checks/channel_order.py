"""Which channel of the images is which channel of the training crops, told by what they look like.

Images carry no names that every program keeps, so a panel in another order passes unnoticed and
gives a wrong result that looks like one. Here each channel of an image is compared with each
channel of each crop: its intensities, the shape of their distribution, how strongly it goes along
with the others, and how smooth it is. An image is compared with the crop it is most alike to, as
regions of one study differ much.

A cost is a mean of absolute differences in units of how much crops differ among each other, each at
most `_MOST`, so that a channel on another scale does not hide everything else. Beginning with the
order of training, the two channels whose exchange lowers the costs most change places, until none
gains clearly. Channels that crops themselves do not tell apart never do.
"""

from collections.abc import Sequence
from math import log
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ilpix.images.channel_statistics import DISTANCES_PX, ChannelStatistics

FEWEST_CROPS = 2

_MOST = 3.0
_MOST_REFERENCES = 64
_LOWEST = 0.02  # part of a channel's top below which intensities are not told apart
_SMALLEST_SPREAD = {"level": 0.3, "shape": 0.2, "linkage": 0.15, "smoothness": 0.05}
_TOLD_APART_IN = 0.9  # of the crops that are left out
_TOLD_APART_BY = 0.15  # cost per channel
_CHANCE = 0.1  # cost per channel that exchanges gain by chance
_WEIGHT_OF_DOUBT = 2.0
_AGREEING = 0.75  # of the images
_MAD_TO_SIGMA = 1.4826
_BEYOND_ENLARGEMENT = [DISTANCES_PX.index(4)]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Value = TypeVar("Value")
Order = tuple[int, ...]  # for each channel of training, the channel of the image


class References:
    """What C channels look like in images whose order is known; at least one of them."""

    def __init__(self, images: Sequence[ChannelStatistics], *, each_alone: bool = False) -> None:
        """Choose some of the images, spread evenly; `each_alone` compares with each by itself."""
        self.images = spread_evenly(images, _MOST_REFERENCES)
        quantiles = np.array([image.quantiles for image in self.images])
        tops = quantiles[..., -1]  # (K, C)
        self._tops = _positive(tops if each_alone else np.median(tops, axis=0, keepdims=True))
        features = [_features(image) for image in self.images]
        self._features = {name: np.array([one[name] for one in features]) for name in features[0]}
        self._features["level"] = self._level(quantiles)
        self._spreads = {
            name: max(0.0 if each_alone else _spread(values), _SMALLEST_SPREAD[name])
            for name, values in self._features.items()
        }

    def costs(self, image: ChannelStatistics) -> Array:
        """(K references, C channels of the image, C of the references) how badly each fits."""
        own = {name: values[None, :, None] for name, values in _features(image).items()}
        own["level"] = self._level(np.array(image.quantiles)[:, None, None]).swapaxes(0, 1)
        parts = [
            np.minimum(abs(own[name] - known[:, None]) / self._spreads[name], _MOST).mean(-1)
            for name, known in self._features.items()
        ]
        costs: Array = np.mean(parts, axis=0)
        return costs

    def told_apart(self) -> Flags:
        """(C, C) whether references that are left out prefer their order to one with a swap."""
        n_channels = self._tops.shape[1]
        if len(self.images) < FEWEST_CROPS:
            return np.zeros((n_channels, n_channels), dtype=bool)
        own = tuple(range(n_channels))
        margins = np.array(
            [
                -swap_gains(np.delete(self.costs(image), index, axis=0), own)
                for index, image in enumerate(self.images)
            ]
        )
        is_clear = margins.mean(axis=0) > _TOLD_APART_BY
        flags: Flags = is_clear & (np.quantile(margins, 1 - _TOLD_APART_IN, axis=0) > 0)
        return flags

    def _level(self, quantiles: Array) -> Array:
        """(…, K, C, Q) logarithms of quantiles in units of each channel's top."""
        return np.log(_positive(quantiles, 0) / self._tops[..., None] + _LOWEST)


def find_order(images: Sequence[Array], told_apart: Flags, doubts: Array | None = None) -> Order:
    """Return for each channel of training the channel of the images that seems to be it.

    Args:
        images: the `costs` of images that have one order, at least one.
        told_apart: (C, C) which channels may change places.
        doubts: (N, 1, C, C) the costs of the same images beside others of their folder: what is
            a loss there counts against a gain.
    """
    n_channels = len(told_apart)
    order = tuple(range(n_channels))
    n_pairs = n_channels * (n_channels - 1) / 2
    least = max(_TOLD_APART_BY, _CHANCE * log(1 + n_pairs))  # the highest of many gains is high
    for _ in range(n_channels):
        gains = np.array([swap_gains(costs, order) for costs in images])
        evidence = gains.mean(axis=0)
        if doubts is not None:
            among = swap_gains(doubts, order).mean(axis=0)
            evidence += _WEIGHT_OF_DOUBT * np.minimum(among, 0)
        mean = np.where(told_apart & _agree(gains), evidence, 0)
        one, other = np.unravel_index(mean.argmax(), mean.shape)
        if mean[one, other] <= least:
            break
        changed = list(order)
        changed[one], changed[other] = order[other], order[one]
        order = tuple(changed)
    return order


def swap_gains(costs: Array, order: Order) -> Array:
    """(…, C, C) how much lower the cost of each of two channels is when they change places.

    Args:
        costs: (…, K, C, C) of one image, or of several.
        order: before the exchange.
    """
    in_order = costs[..., list(order), :]
    own = np.diagonal(in_order, axis1=-2, axis2=-1)
    added = in_order + in_order.swapaxes(-1, -2) - own[..., :, None] - own[..., None, :]
    whole = own.sum(axis=-1)
    lowest = (whole[..., None, None] + added).min(axis=-3)
    gains: Array = (whole.min(axis=-1)[..., None, None] - lowest) / 2
    return gains


def nearest_cost(costs: Array, order: Order) -> float:
    """Return the mean cost per channel of an image in an order, beside its nearest reference."""
    return float(costs[:, list(order), range(len(order))].mean(axis=1).min())


def spread_evenly(values: Sequence[Value], most: int) -> list[Value]:
    """Choose at most so many values, spread evenly."""
    chosen = np.linspace(0, len(values) - 1, min(len(values), most)).astype(int)
    return [values[index] for index in chosen]


def _agree(gains: Array) -> Flags:
    """(C, C) whether most of (N, C, C) gains are above 0."""
    flags: Flags = np.mean(gains > 0, axis=0) >= _AGREEING
    return flags


def _features(channels: ChannelStatistics) -> dict[str, Array]:
    """What does not change when a channel is multiplied by a factor; (C, …) each."""
    quantiles = _positive(np.array(channels.quantiles), 0)
    tops = _positive(quantiles[:, -1:])
    return {
        "shape": np.log(quantiles[:, :-1] / tops + _LOWEST),
        "linkage": np.array(channels.linkage),
        "smoothness": np.array(channels.smoothness)[:, _BEYOND_ENLARGEMENT],
    }


def _positive(values: Array, instead: float = 1.0) -> Array:
    return np.where(values > 0, values, instead)


def _spread(values: Array) -> float:
    """How much images differ, robustly: in all channels and numbers together."""
    return float(_MAD_TO_SIGMA * np.median(abs(values - np.median(values, axis=0))))
