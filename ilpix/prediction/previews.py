"""Colour previews of probability images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from imagecodecs import png_encode

from ilpix.files import replacing
from ilpix.prediction.probabilities import LARGEST, read_rows, read_shape

LARGEST_SIDE = 1024  # px


def write_preview(
    probabilities: Path, colors: Sequence[tuple[int, int, int]], target: Path
) -> None:
    """Write a PNG in which every pixel is the mean of the class colours, weighted by probability.

    Args:
        probabilities: a probability image of K classes.
        colors: red, green and blue of each class, 0 to 255; K of them.
        target: the PNG, replaced where it exists; of larger images every n-th pixel is shown, so
            that neither side is longer than `LARGEST_SIDE`.

    Raises:
        InvalidProbabilitiesError: if the probability image cannot be read.
    """
    weights = np.array(colors, np.float32) / LARGEST
    height, width, _ = read_shape(probabilities)
    step = -(-max(height, width) // LARGEST_SIDE)
    shown: list[npt.NDArray[np.uint8]] = []
    for first, rows in read_rows(probabilities):
        chosen = rows[-first % step :: step, ::step]
        shown.append(np.clip(np.rint(chosen @ weights), 0, 255).astype(np.uint8))
    with replacing(target) as temporary:
        temporary.write_bytes(png_encode(np.concatenate(shown)))
