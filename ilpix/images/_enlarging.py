"""Enlarge planes by linear interpolation."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def enlarge(planes, scale, out):
    """Interpolate between pixel centres; the edge pixels go on beyond the edge.

    planes (C, Y, X) float32; out (C, scale * Y, scale * X) float32, overwritten. A pixel is the
    sum of four in float64, rounded once: first of two rows, then of two columns.
    """
    n_channels, n_rows, n_columns = planes.shape
    between = np.empty(n_columns + 2)  # a row of `out` before it is enlarged, its ends doubled
    for channel in range(n_channels):
        for row in range(n_rows * scale):
            place = (row + 0.5) / scale - 0.5
            first = int(np.floor(place))
            below = place - first
            upper = planes[channel, max(first, 0)]
            lower = planes[channel, min(first + 1, n_rows - 1)]
            for column in range(n_columns):
                between[column + 1] = (1 - below) * upper[column] + below * lower[column]
            between[0], between[n_columns + 1] = between[1], between[n_columns]
            for step in range(scale):
                place = (step + 0.5) / scale - 0.5
                first = int(np.floor(place))
                behind = place - first
                target = out[channel, row, step::scale]
                for column in range(n_columns):
                    left, right = between[column + first + 1], between[column + first + 2]
                    target[column] = (1 - behind) * left + behind * right
