# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops of the feature bank: one channel of a tile at a time, in the cache.

Sums run from the centre outwards over symmetric pairs, with fused multiply-add, along x first, as
Ilastik's own filters do. A pixel's value is the same operations in the same order in every tile.
"""

import numpy as np
from numba import njit

from ilpix._vectors import fused

MARGIN = 3  # px around a tile that the filters look at, all of which are at 1 px or below
LANES = (
    16  # rows are computed in multiples of this many pixels; what lies beyond the tile is not used
)

# The values of one channel at one scale, tensor and hessian with two each, and the kernels they
# need.
SMOOTHED, LAPLACIAN, GRADIENT, DIFFERENCE, TENSOR, HESSIAN, N_VALUES = 0, 1, 2, 3, 4, 6, 8
ORDER_0, ORDER_1, ORDER_2, NARROW, TENSOR_0, TENSOR_1, N_KERNELS = 0, 1, 2, 3, 4, 5, 6
N_SCRATCH = 9  # planes of band + 2 · MARGIN rows that `filter_band` works in

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
def smooth_tile(
    source, rows, columns, smoothing, radii, outputs, n_rows, n_columns, tile, passed, planes
):
    """Pre-smooth every channel at every scale that some value needs.

    source (C, Y, X) float32; rows, columns int32, where in source each row and column of the tile
    with all its halo lies; smoothing (S, ·) float32, taps per scale from the centre outwards, with
    radii (S,); outputs (C, S, N_VALUES) int32, negative where a value is not needed; n_rows,
    n_columns of a plane; tile and passed: scratch, of the tile with all its halo; planes (C, S, ≥
    n_rows, ≥ n_columns) float32.
    """
    inset = (len(rows) - n_rows) // 2
    for channel in range(len(source)):
        if outputs[channel].max() < 0:
            continue
        for y in range(len(rows)):
            row, out = source[channel, rows[y]], tile[y]
            for x in range(len(columns)):
                out[x] = row[columns[x]]
        for scale in range(len(radii)):
            if outputs[channel, scale].max() >= 0:
                taps = smoothing[scale, : radii[scale] + 1]
                smooth(tile, inset, taps, n_rows, n_columns, passed, planes[channel, scale])


@_compiled
def filter_band(
    planes, kernels, outputs, first, n_rows, n_columns, signs_y, signs_x, scratch, features
):
    """Compute the values of a band of rows from the pre-smoothed planes.

    planes (C, S, rows + 2·MARGIN, ·) float32; kernels (S, N_KERNELS, 3) float32, one-sided; outputs
    (C, S, N_VALUES) int32, the column of each value or negative; first, n_rows: the band;
    n_columns: a multiple of LANES; signs_y, signs_x float32: -1 where a row or column of a plane is
        a mirror image, which turns the sign of the first derivatives, else 1; scratch (N_SCRATCH, ≥
        n_rows + 2·MARGIN, ·); features (F, ≥ n_rows, ≥ n_columns) float32, overwritten.
    """
    for channel in range(planes.shape[0]):
        for scale in range(planes.shape[1]):
            plane = planes[channel, scale, first : first + n_rows + 2 * MARGIN]
            wanted, taps = outputs[channel, scale], kernels[scale]
            if wanted[:TENSOR].max() >= 0 or wanted[HESSIAN:].max() >= 0:
                _filter_plane(plane, taps, wanted, n_rows, n_columns, scratch, features)
            if wanted[TENSOR] >= 0 or wanted[TENSOR + 1] >= 0:
                signs = signs_y[first : first + n_rows + 2 * MARGIN]
                _structure_tensor(
                    plane, taps, wanted, n_rows, n_columns, signs, signs_x, scratch, features
                )


@_compiled
def _filter_plane(plane, taps, wanted, n_rows, n_columns, scratch, features):
    """Everything but the structure tensor; row y of the band is row y + MARGIN of the plane."""
    needs_xy = wanted[HESSIAN] >= 0 or wanted[HESSIAN + 1] >= 0
    needs_second = needs_xy or wanted[LAPLACIAN] >= 0
    needs_first = needs_xy or wanted[GRADIENT] >= 0
    smooth_x, first_x, second_x, narrow_x = scratch[0], scratch[1], scratch[2], scratch[3]
    a, b, c = scratch[4, 0], scratch[4, 1], scratch[4, 2]
    for y in range(n_rows + 4):
        row = plane[y + 1, 1:]
        _even_along_row(row, taps[ORDER_0], n_columns, smooth_x[y])
        if needs_first:
            _odd_along_row(row, taps[ORDER_1], n_columns, first_x[y])
        if needs_second:
            _even_along_row(row, taps[ORDER_2], n_columns, second_x[y])
        if wanted[DIFFERENCE] >= 0:
            _narrow_even_along_row(row[1:], taps[NARROW], n_columns, narrow_x[y])
    for y in range(n_rows):
        if wanted[SMOOTHED] >= 0:
            _even_across_rows(smooth_x, y, taps[ORDER_0], n_columns, features[wanted[SMOOTHED], y])
        if wanted[DIFFERENCE] >= 0:
            _even_across_rows(smooth_x, y, taps[ORDER_0], n_columns, a)
            _narrow_even_across_rows(narrow_x, y + 1, taps[NARROW], n_columns, b)
            _subtract(a, b, n_columns, features[wanted[DIFFERENCE], y])
        if wanted[GRADIENT] >= 0:
            _even_across_rows(first_x, y, taps[ORDER_0], n_columns, a)
            _odd_across_rows(smooth_x, y, taps[ORDER_1], n_columns, b)
            _magnitude(a, b, n_columns, features[wanted[GRADIENT], y])
        if needs_second:
            _even_across_rows(second_x, y, taps[ORDER_0], n_columns, a)
            _even_across_rows(smooth_x, y, taps[ORDER_2], n_columns, b)
        if wanted[LAPLACIAN] >= 0:
            _add(a, b, n_columns, features[wanted[LAPLACIAN], y])
        if needs_xy:
            _odd_across_rows(first_x, y, taps[ORDER_1], n_columns, c)
            _eigenvalues(a, c, b, n_columns, wanted[HESSIAN : HESSIAN + 2], features, y)


@_compiled
def _structure_tensor(plane, taps, wanted, n_rows, n_columns, signs_y, signs_x, scratch, features):
    """Products of derivatives, smoothed; mirror images have the sign of what they mirror."""
    smooth_x, first_x = scratch[0], scratch[1]
    products = scratch[2:5]
    smoothed = scratch[5:8]
    a, b, c = scratch[8, 0], scratch[8, 1], scratch[8, 2]
    n_wide = n_columns + LANES
    for y in range(n_rows + 6):
        _narrow_even_along_row(plane[y], taps[TENSOR_0], n_wide, smooth_x[y])
        _narrow_odd_along_row(plane[y], taps[TENSOR_1], n_wide, first_x[y])
    for y in range(n_rows + 4):
        _narrow_even_across_rows(first_x, y, taps[TENSOR_0], n_wide, a)
        _narrow_odd_across_rows(smooth_x, y, taps[TENSOR_1], n_wide, b)
        _multiply(a, a, n_wide, products[0, y])
        _multiply(b, b, n_wide, products[2, y])
        _multiply_signed(a, b, signs_x[1:], signs_y[y + 1], n_wide, products[1, y])
        for i in range(3):
            _even_along_row(products[i, y], taps[ORDER_0], n_columns, smoothed[i, y])
    for y in range(n_rows):
        _even_across_rows(smoothed[0], y, taps[ORDER_0], n_columns, a)
        _even_across_rows(smoothed[2], y, taps[ORDER_0], n_columns, b)
        _even_across_rows(smoothed[1], y, taps[ORDER_0], n_columns, c)
        _eigenvalues(a, c, b, n_columns, wanted[TENSOR : TENSOR + 2], features, y)


@_compiled
def smooth(tile, inset, taps, n_rows, n_columns, passed, target):
    """Smooth with a symmetric kernel along x, then along y.

    tile (≥ n_rows + 2·inset, ≥ n_columns + 2·inset) float32, inset ≥ radius; taps (radius + 1,)
    float32 from the centre outwards; passed (≥ n_rows + 2·radius, ·) float32, scratch; target (≥
    n_rows, ≥ n_columns).
    """
    radius = len(taps) - 1
    for y in range(n_rows + 2 * radius):
        _sum_along_row(tile[y + inset - radius], inset, taps, n_columns, passed[y])
    for y in range(n_rows):
        _sum_across_rows(passed, y + radius, taps, n_columns, target[y])


@_compiled
def _sum_along_row(row, first, taps, n, out):
    radius = len(taps) - 1
    centre = row[first:]
    for x in range(n):
        out[x] = taps[0] * centre[x]
    i = 1
    while i + 3 <= radius:
        left, right = row[first - i - 3 :], row[first + i :]
        a, b, c, d = taps[i], taps[i + 1], taps[i + 2], taps[i + 3]
        for x in range(n):
            total = fused(a, left[x + 3] + right[x], out[x])
            total = fused(b, left[x + 2] + right[x + 1], total)
            total = fused(c, left[x + 1] + right[x + 2], total)
            out[x] = fused(d, left[x] + right[x + 3], total)
        i += 4
    while i <= radius:
        left, right, a = row[first - i :], row[first + i :], taps[i]
        for x in range(n):
            out[x] = fused(a, left[x] + right[x], out[x])
        i += 1


@_compiled
def _sum_across_rows(plane, y, taps, n, out):
    radius = len(taps) - 1
    centre = plane[y]
    for x in range(n):
        out[x] = taps[0] * centre[x]
    i = 1
    while i + 2 <= radius:
        a, b, c = taps[i], taps[i + 1], taps[i + 2]
        above_a, above_b, above_c = plane[y - i], plane[y - i - 1], plane[y - i - 2]
        below_a, below_b, below_c = plane[y + i], plane[y + i + 1], plane[y + i + 2]
        for x in range(n):
            total = fused(a, above_a[x] + below_a[x], out[x])
            total = fused(b, above_b[x] + below_b[x], total)
            out[x] = fused(c, above_c[x] + below_c[x], total)
        i += 3
    while i <= radius:
        above_a, below_a, a = plane[y - i], plane[y + i], taps[i]
        for x in range(n):
            out[x] = fused(a, above_a[x] + below_a[x], out[x])
        i += 1


@_compiled
def _even_along_row(row, taps, n, out):
    """out[x] = a symmetric kernel of radius 2 on row[x … x + 4]; taps from the centre outwards."""
    a, b, c = taps[0], taps[1], taps[2]
    for x in range(n):
        total = fused(b, row[x + 1] + row[x + 3], a * row[x + 2])
        out[x] = fused(c, row[x] + row[x + 4], total)


@_compiled
def _odd_along_row(row, taps, n, out):
    """out[x] = an antisymmetric kernel of radius 2 on row[x … x + 4]."""
    b, c = taps[1], taps[2]
    for x in range(n):
        out[x] = fused(c, row[x + 4] - row[x], b * (row[x + 3] - row[x + 1]))


@_compiled
def _even_across_rows(plane, y, taps, n, out):
    """out[x] = a symmetric kernel of radius 2 on rows y … y + 4 of plane."""
    a, b, c = taps[0], taps[1], taps[2]
    row_0, row_1, row_2, row_3, row_4 = (
        plane[y],
        plane[y + 1],
        plane[y + 2],
        plane[y + 3],
        plane[y + 4],
    )
    for x in range(n):
        total = fused(b, row_1[x] + row_3[x], a * row_2[x])
        out[x] = fused(c, row_0[x] + row_4[x], total)


@_compiled
def _odd_across_rows(plane, y, taps, n, out):
    """out[x] = an antisymmetric kernel of radius 2 on rows y … y + 4 of plane."""
    b, c = taps[1], taps[2]
    row_0, row_1, row_3, row_4 = plane[y], plane[y + 1], plane[y + 3], plane[y + 4]
    for x in range(n):
        out[x] = fused(c, row_4[x] - row_0[x], b * (row_3[x] - row_1[x]))


@_compiled
def _narrow_even_along_row(row, taps, n, out):
    """out[x] = a symmetric kernel of radius 1 on row[x … x + 2]."""
    a, b = taps[0], taps[1]
    for x in range(n):
        out[x] = fused(b, row[x] + row[x + 2], a * row[x + 1])


@_compiled
def _narrow_odd_along_row(row, taps, n, out):
    """out[x] = an antisymmetric kernel of radius 1 on row[x … x + 2]."""
    b = taps[1]
    for x in range(n):
        out[x] = b * (row[x + 2] - row[x])


@_compiled
def _narrow_even_across_rows(plane, y, taps, n, out):
    """out[x] = a symmetric kernel of radius 1 on rows y … y + 2 of plane."""
    a, b = taps[0], taps[1]
    row_0, row_1, row_2 = plane[y], plane[y + 1], plane[y + 2]
    for x in range(n):
        out[x] = fused(b, row_0[x] + row_2[x], a * row_1[x])


@_compiled
def _narrow_odd_across_rows(plane, y, taps, n, out):
    """out[x] = an antisymmetric kernel of radius 1 on rows y … y + 2 of plane."""
    b = taps[1]
    row_0, row_2 = plane[y], plane[y + 2]
    for x in range(n):
        out[x] = b * (row_2[x] - row_0[x])


@_compiled
def _add(a, b, n, out):
    for x in range(n):
        out[x] = a[x] + b[x]


@_compiled
def _subtract(a, b, n, out):
    for x in range(n):
        out[x] = a[x] - b[x]


@_compiled
def _multiply(a, b, n, out):
    for x in range(n):
        out[x] = a[x] * b[x]


@_compiled
def _multiply_signed(a, b, signs, sign, n, out):
    for x in range(n):
        out[x] = a[x] * b[x] * (signs[x] * sign)


@_compiled
def _magnitude(a, b, n, out):
    for x in range(n):
        out[x] = np.sqrt(a[x] * a[x] + b[x] * b[x])


@_compiled
def _eigenvalues(xx, xy, yy, n, wanted, features, y):
    """Write the larger and the smaller eigenvalue of [[xx, xy], [xy, yy]] to the wanted columns."""
    half = np.float32(0.5)
    if wanted[0] >= 0:
        out = features[wanted[0], y]
        for x in range(n):
            mean, apart = half * (xx[x] + yy[x]), half * (xx[x] - yy[x])
            out[x] = mean + np.sqrt(apart * apart + xy[x] * xy[x])
    if wanted[1] >= 0:
        out = features[wanted[1], y]
        for x in range(n):
            mean, apart = half * (xx[x] + yy[x]), half * (xx[x] - yy[x])
            out[x] = mean - np.sqrt(apart * apart + xy[x] * xy[x])
