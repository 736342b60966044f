"""Loops over pixels that pictures are made of."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def decide(rows, classes, certainty):
    """Find the most probable class of each pixel, and how far it is ahead of the second.

    rows (Y, X, K) uint16, 65535 for 1; classes (Y, X) uint8, overwritten: 0 for the first class;
    certainty (Y, X) uint8, overwritten: the difference of the two highest, 255 for 1.
    Of equally probable classes the first one counts. Returns the sum of the differences.
    """
    total = 0
    for y in range(rows.shape[0]):
        for x in range(rows.shape[1]):
            best, second, chosen = -1, 0, 0
            for k in range(rows.shape[2]):
                value = int(rows[y, x, k])
                if value > best:
                    second, best, chosen = max(best, 0), value, k
                elif value > second:
                    second = value
            classes[y, x] = chosen
            certainty[y, x] = (best - second) >> 8
            total += best - second
    return total


@njit(nogil=True, cache=True)
def tone(plane, low, top, out):
    """Turn intensities into grey: the power 3/4 of their place between two bounds.

    plane (Y, X) float32; low, top float32, low < top; out (Y, X) uint8, overwritten: 0 for all that
    is not above low, what is no number included, 255 from top on.
    """
    black, white = np.float32(0), np.float32(1)
    steps = white / (top - low)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            place = (plane[y, x] - low) * steps
            place = place if place > black else black  # noqa: FURB136 - for what is no number
            place = min(place, white)
            grey = np.float32(255) * np.sqrt(place * np.sqrt(place))
            out[y, x] = np.uint8(grey + np.float32(0.5))


@njit(nogil=True, cache=True)
def add_light(grey, color, light):
    """Add a grey picture in a colour, each pixel of the sum the mean of a square of it.

    grey (n * Y, n * X) uint8, a side may be shorter than n where Y or X is 1; color (3,) float32,
    0 to 1; light (Y, X, 3) float32, changed.
    """
    step = max(grey.shape[0] // light.shape[0], grey.shape[1] // light.shape[1])
    for y in range(light.shape[0]):
        for x in range(light.shape[1]):
            total = n = 0
            for row in range(y * step, min((y + 1) * step, grey.shape[0])):
                for column in range(x * step, min((x + 1) * step, grey.shape[1])):
                    total += grey[row, column]
                    n += 1
            mean = total / n
            for part in range(3):
                light[y, x, part] += mean * color[part]
