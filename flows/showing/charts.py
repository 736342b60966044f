"""Distributions and curves as numbers that a template can place."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asinh

import numpy as np
from numpy.typing import NDArray

from flows.looking import Look
from ilpix.images.channel_statistics import QUANTILES, ChannelStatistics

Array = NDArray[np.float64]

_LINEAR = 1 / 50  # part of the axis' end up to which it is linear, beyond it is logarithmic
_LOW, _MIDDLE, _HIGH, _BRIGHT = (QUANTILES.index(q) for q in (0.25, 0.5, 0.97, 0.99))


@dataclass(frozen=True, slots=True)
class Lane:
    """Where the values of a channel lie, in percent of the width."""

    start: float  # a quarter of the pixels is below, in the image in the middle
    middle: float
    end: float  # 3 % of the pixels are above
    ticks: str  # an SVG path: the bright end of each image


@dataclass(frozen=True, slots=True)
class ChannelChart:
    """One channel in the training crops and in the images."""

    name: str
    crops: Lane
    images: Lane
    top: float  # the end of the axis
    factor: float | None  # how many times as bright the images are
    looks_like: str | None  # another channel of training


def chart_channels(look: Look) -> list[ChannelChart]:
    """Return a chart for each channel; none where there is nothing to compare."""
    if not look.crops or not look.images:
        return []
    compared = look.comparison
    crops, images = (_quantiles(some) for some in (look.crops, list(look.images.values())))
    return [
        ChannelChart(
            name,
            _lane(crops[:, role], top),
            _lane(images[:, role], top),
            top,
            _known(compared.factors[role]) if compared.order[role] == role else None,
            _role_of(role, compared.order, compared.channels),
        )
        for role, name in enumerate(compared.channels)
        if (top := float(max(crops[:, role].max(), images[:, role].max())) or 1.0)
    ]


def place(value: float, top: float) -> float:
    """Return where a value is on an axis that ends at `top`, in percent."""
    return round(100 * asinh(max(value, 0) / top / _LINEAR) / asinh(1 / _LINEAR), 2)


def _quantiles(some: Sequence[ChannelStatistics]) -> Array:
    return np.array([one.quantiles for one in some])


def _lane(quantiles: Array, top: float) -> Lane:
    """(N, Q) quantiles of one channel."""
    start, middle, end = (
        place(float(np.median(quantiles[:, index])), top) for index in (_LOW, _MIDDLE, _HIGH)
    )
    places = sorted({place(float(value), top) for value in quantiles[:, _BRIGHT]})
    return Lane(start, middle, end, "".join(f"M{x:g} 0V10" for x in places))


def _known(factor: float) -> float | None:
    return None if np.isnan(factor) else factor


def _role_of(channel: int, order: Sequence[int], names: Sequence[str]) -> str | None:
    role = list(order).index(channel)
    return None if role == channel else names[role]
