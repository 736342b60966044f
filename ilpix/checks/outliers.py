"""Which of several images is unlike the others in a number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST = 5  # of fewer images nothing is usual

_FAR = 3.5  # robust standard deviations (Iglewicz and Hoaglin, 1993)
_MAD_TO_SIGMA = 1.4826


def find_outliers(values: Sequence[float], least: float) -> NDArray[np.int64]:
    """Return for each value 1 if it is unusually high, -1 if unusually low, else 0.

    Args:
        values: one of each image.
        least: a difference from the middle that is never unusual.
    """
    if len(values) < FEWEST:
        return np.zeros(len(values), np.int64)
    away = np.asarray(values) - np.median(values)
    sigma = _MAD_TO_SIGMA * np.median(abs(away))
    is_far = abs(away) > max(_FAR * sigma, least)
    return np.where(is_far, np.sign(away), 0).astype(np.int64)
