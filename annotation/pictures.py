"""Small pictures of crops and images: up to three channels, each in a colour."""

import numpy as np
import numpy.typing as npt
from imagecodecs import png_encode
from pydantic import Field, TypeAdapter

from annotation.edits import Byte, Value
from ilpix.arrays import FloatArray


class Shown(Value):
    """A channel as it is shown."""

    channel: int = Field(ge=0)
    color: tuple[Byte, Byte, Byte]
    low: float  # and below: black
    high: float  # and above: the whole colour


MOST_SHOWN = 3
SHOWN = TypeAdapter(tuple[Shown, ...])


def draw(planes: FloatArray, shown: tuple[Shown, ...]) -> bytes:
    """Return a PNG of (C, Y, X) pixels; colours add up."""
    picture = np.zeros((*planes.shape[1:], 3), np.float32)
    for one in shown[:MOST_SHOWN]:
        if one.channel < len(planes):
            span = max(one.high - one.low, np.finfo(np.float32).tiny)
            share = np.clip((planes[one.channel] - one.low) / span, 0, 1)
            picture += share[..., np.newaxis] * np.array(one.color, np.float32)
    return bytes(png_encode(np.clip(np.rint(picture), 0, 255).astype(np.uint8)))


def shrink(planes: FloatArray, step: int) -> FloatArray:
    """Average (C, Y, X) pixels in squares of `step` px; what is left at the edges is not used."""
    n_channels, height, width = planes.shape
    rows, columns = height // step * step, width // step * step
    if step == 1 or not rows or not columns:
        return planes[:, ::step, ::step]
    squares = planes[:, :rows, :columns].reshape(
        n_channels, rows // step, step, columns // step, step
    )
    return np.asarray(squares.mean(axis=(2, 4)), np.float32)


def step_for(shape: tuple[int, ...], edge: int) -> int:
    """Return by how much an image, (…, Y, X), is shrunk so that no side is longer than `edge`."""
    return -(-max(shape[-2:]) // edge)


def histogram(values: npt.NDArray[np.float32], bins: int = 96) -> dict[str, object]:
    """Return how often values occur between the lowest and nearly the highest, and good limits.

    Good limits leave 1 % below and 0.2 % above.
    """
    low, shown_low, shown_high, high = (
        float(value) for value in np.percentile(values, [0, 1, 99.8, 100])
    )
    end = min(high, shown_low + 2 * (shown_high - shown_low)) if shown_high > shown_low else high
    end = end if end > low else low + 1
    counts, _ = np.histogram(values, bins, (low, end))
    if not shown_high > shown_low:
        shown_low, shown_high = low, high if high > low else low + 1
    return {
        "counts": counts.tolist(),
        "from": low,
        "to": end,
        "low": shown_low,
        "high": shown_high,
        "highest": high,
    }
