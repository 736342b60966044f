# mypy: disable-error-code="no-untyped-def,no-untyped-call,untyped-decorator"
# ruff: noqa: PLR0913 - a kernel takes all its arrays by name; numba gives the types
"""Compiled loops of the feature bank: one channel of a tile at a time, in the cache.

Sums run from the centre outwards over symmetric pairs, with fused multiply-add, along x first, as
Ilastik's own filters do. A pixel's value is the same operations in the same order in every tile.
"""

import numpy as np
from numba import njit

from ilpix._vectors import WIDTH, fused, load, root, spread, store

MARGIN = 3  # px around a tile that the filters look at, all of which are at 1 px or below

# The values of one channel at one scale, tensor and hessian with two each, and the kernels they
# need.
SMOOTHED, LAPLACIAN, GRADIENT, DIFFERENCE, TENSOR, HESSIAN, N_VALUES = 0, 1, 2, 3, 4, 6, 8
ORDER_0, ORDER_1, ORDER_2, NARROW, TENSOR_0, TENSOR_1, N_KERNELS = 0, 1, 2, 3, 4, 5, 6

ROWS, COLUMNS = 4, 4 * WIDTH  # that are pre-smoothed together

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
def filter_part(
    planes,
    kernels,
    outputs,
    top,
    left,
    n_rows,
    n_columns,
    signs_y,
    signs_x,
    products,
    features,
):
    """Compute the values of a part of a tile from its pre-smoothed planes.

    planes (C, S, rows + 2·MARGIN, ·) float32; kernels (S, N_KERNELS, 3) float32, one-sided; outputs
    (C, S, N_VALUES) int32, the column of each value or negative; top, left, n_rows, n_columns: the
    part, n_columns a multiple of WIDTH; signs_y, signs_x float32: -1 where a row or column of a
    plane is a mirror image, which turns the sign of the first derivatives, else 1; products (3, ≥
    n_rows + 4, ≥ n_columns + WIDTH) float32, scratch; features (F, ≥ n_rows, ≥ n_columns) float32,
    overwritten.
    """
    for channel in range(planes.shape[0]):
        for scale in range(planes.shape[1]):
            plane = planes[channel, scale, top : top + n_rows + 2 * MARGIN]
            wanted, taps = outputs[channel, scale], kernels[scale]
            if wanted[LAPLACIAN:TENSOR].max() >= 0 or wanted[HESSIAN:].max() >= 0:
                for x in range(0, n_columns, WIDTH):
                    _filter_strip(plane, left + x, x, taps, wanted, n_rows, features)
            elif wanted[SMOOTHED] >= 0:
                for x in range(0, n_columns, WIDTH):
                    _smooth_strip(
                        plane, left + x, x, taps[ORDER_0], n_rows, features[wanted[SMOOTHED]]
                    )
            if wanted[TENSOR:HESSIAN].max() >= 0:
                signs = signs_y[top + 1 : top + n_rows + 5]
                for x in range(0, n_columns + WIDTH, WIDTH):
                    _multiply_strip(plane, left + x, x, taps, n_rows, signs, signs_x, products)
                for x in range(0, n_columns, WIDTH):
                    _tensor_strip(products, x, taps[ORDER_0], wanted, n_rows, features)


@_compiled
def _filter_strip(plane, left, x, taps, wanted, n_rows, features):
    """Everything but the structure tensor, in WIDTH columns from top to bottom.

    Column `left` of the plane is MARGIN left of column x of the features. Values of the last five
    rows stay in registers: smooth, first and second are filtered along the row by the Gaussian and
    its derivatives, narrow by the narrower Gaussian.
    """
    even, odd, second = taps[ORDER_0], taps[ORDER_1], taps[ORDER_2]
    even_0, even_1, even_2 = spread(even[0]), spread(even[1]), spread(even[2])
    odd_1, odd_2 = spread(odd[1]), spread(odd[2])
    second_0, second_1, second_2 = spread(second[0]), spread(second[1]), spread(second[2])
    narrow_0, narrow_1 = spread(taps[NARROW, 0]), spread(taps[NARROW, 1])
    half, zero = spread(np.float32(0.5)), spread(np.float32(0))
    smooth_0 = smooth_1 = smooth_2 = smooth_3 = zero
    first_0 = first_1 = first_2 = first_3 = zero
    second_row_0 = second_row_1 = second_row_2 = second_row_3 = zero
    narrow_row_1 = narrow_row_2 = narrow_row_3 = zero
    for y in range(n_rows + 4):
        p, q = load(plane, y + 1, left + 1), load(plane, y + 1, left + 2)
        r = load(plane, y + 1, left + 3)
        s, t = load(plane, y + 1, left + 4), load(plane, y + 1, left + 5)
        near, far = q + s, p + t
        smooth_4 = fused(even_2, far, fused(even_1, near, even_0 * r))
        first_4 = fused(odd_2, t - p, odd_1 * (s - q))
        second_row_4 = fused(second_2, far, fused(second_1, near, second_0 * r))
        narrow_row_4 = fused(narrow_1, near, narrow_0 * r)
        if y >= 4:
            out = y - 4
            near, far = smooth_1 + smooth_3, smooth_0 + smooth_4
            smoothed = fused(even_2, far, fused(even_1, near, even_0 * smooth_2))
            yy = fused(second_2, far, fused(second_1, near, second_0 * smooth_2))
            along_y = fused(odd_2, smooth_4 - smooth_0, odd_1 * (smooth_3 - smooth_1))
            along_x = fused(
                even_2, first_0 + first_4, fused(even_1, first_1 + first_3, even_0 * first_2)
            )
            xy = fused(odd_2, first_4 - first_0, odd_1 * (first_3 - first_1))
            xx = fused(
                even_2,
                second_row_0 + second_row_4,
                fused(even_1, second_row_1 + second_row_3, even_0 * second_row_2),
            )
            if wanted[SMOOTHED] >= 0:
                store(smoothed, features[wanted[SMOOTHED]], out, x)
            if wanted[DIFFERENCE] >= 0:
                narrow = fused(narrow_1, narrow_row_1 + narrow_row_3, narrow_0 * narrow_row_2)
                store(smoothed - narrow, features[wanted[DIFFERENCE]], out, x)
            if wanted[GRADIENT] >= 0:
                magnitude = root(along_x * along_x + along_y * along_y)
                store(magnitude, features[wanted[GRADIENT]], out, x)
            if wanted[LAPLACIAN] >= 0:
                store(xx + yy, features[wanted[LAPLACIAN]], out, x)
            if wanted[HESSIAN] >= 0 or wanted[HESSIAN + 1] >= 0:
                mean, apart = half * (xx + yy), half * (xx - yy)
                away = root(apart * apart + xy * xy)
                if wanted[HESSIAN] >= 0:
                    store(mean + away, features[wanted[HESSIAN]], out, x)
                if wanted[HESSIAN + 1] >= 0:
                    store(mean - away, features[wanted[HESSIAN + 1]], out, x)
        smooth_0, smooth_1, smooth_2, smooth_3 = smooth_1, smooth_2, smooth_3, smooth_4
        first_0, first_1, first_2, first_3 = first_1, first_2, first_3, first_4
        second_row_0, second_row_1 = second_row_1, second_row_2
        second_row_2, second_row_3 = second_row_3, second_row_4
        narrow_row_1, narrow_row_2, narrow_row_3 = narrow_row_2, narrow_row_3, narrow_row_4


@_compiled
def _smooth_strip(plane, left, x, taps, n_rows, out):
    """The Gaussian alone, in WIDTH columns from top to bottom."""
    a, b, c = spread(taps[0]), spread(taps[1]), spread(taps[2])
    row_0 = row_1 = row_2 = row_3 = spread(np.float32(0))
    for y in range(n_rows + 4):
        row_4 = _even_row(plane, y + 1, left + 1, a, b, c)
        if y >= 4:
            store(fused(c, row_0 + row_4, fused(b, row_1 + row_3, a * row_2)), out, y - 4, x)
        row_0, row_1, row_2, row_3 = row_1, row_2, row_3, row_4


@_compiled
def _multiply_strip(plane, left, x, taps, n_rows, signs_y, signs_x, products):
    """Products of derivatives; mirror images have the sign of what they mirror.

    Column `left` of the plane is 1 px left of column x of the products.
    """
    even_0, even_1 = spread(taps[TENSOR_0, 0]), spread(taps[TENSOR_0, 1])
    odd_1 = spread(taps[TENSOR_1, 1])
    signs = load(signs_x, 0, left + 1)
    smooth_0 = smooth_1 = first_0 = first_1 = spread(np.float32(0))
    for y in range(n_rows + 6):
        p, q, r = load(plane, y, left), load(plane, y, left + 1), load(plane, y, left + 2)
        smooth_2 = fused(even_1, p + r, even_0 * q)
        first_2 = odd_1 * (r - p)
        if y >= 2:
            along_x = fused(even_1, first_0 + first_2, even_0 * first_1)
            along_y = odd_1 * (smooth_2 - smooth_0)
            store(along_x * along_x, products[0], y - 2, x)
            store(along_y * along_y, products[2], y - 2, x)
            sign = signs * spread(signs_y[y - 2])
            store(along_x * along_y * sign, products[1], y - 2, x)
        smooth_0, smooth_1, first_0, first_1 = smooth_1, smooth_2, first_1, first_2


@_compiled
def _tensor_strip(products, x, taps, wanted, n_rows, features):
    """Smooth the products and write the eigenvalues, in WIDTH columns from top to bottom."""
    a, b, c = spread(taps[0]), spread(taps[1]), spread(taps[2])
    half, zero = spread(np.float32(0.5)), spread(np.float32(0))
    xx_0 = xx_1 = xx_2 = xx_3 = xy_0 = xy_1 = xy_2 = xy_3 = yy_0 = yy_1 = yy_2 = yy_3 = zero
    for y in range(n_rows + 4):
        xx_4 = _even_row(products[0], y, x, a, b, c)
        xy_4 = _even_row(products[1], y, x, a, b, c)
        yy_4 = _even_row(products[2], y, x, a, b, c)
        if y >= 4:
            xx = fused(c, xx_0 + xx_4, fused(b, xx_1 + xx_3, a * xx_2))
            xy = fused(c, xy_0 + xy_4, fused(b, xy_1 + xy_3, a * xy_2))
            yy = fused(c, yy_0 + yy_4, fused(b, yy_1 + yy_3, a * yy_2))
            mean, apart = half * (xx + yy), half * (xx - yy)
            away = root(apart * apart + xy * xy)
            if wanted[TENSOR] >= 0:
                store(mean + away, features[wanted[TENSOR]], y - 4, x)
            if wanted[TENSOR + 1] >= 0:
                store(mean - away, features[wanted[TENSOR + 1]], y - 4, x)
        xx_0, xx_1, xx_2, xx_3 = xx_1, xx_2, xx_3, xx_4
        xy_0, xy_1, xy_2, xy_3 = xy_1, xy_2, xy_3, xy_4
        yy_0, yy_1, yy_2, yy_3 = yy_1, yy_2, yy_3, yy_4


@_compiled
def _even_row(plane, y, x, a, b, c):
    near = load(plane, y, x + 1) + load(plane, y, x + 3)
    far = load(plane, y, x) + load(plane, y, x + 4)
    return fused(c, far, fused(b, near, a * load(plane, y, x + 2)))


@_compiled
def smooth(tile, inset, taps, n_rows, n_columns, passed, target):
    """Smooth with a symmetric kernel along x, then along y.

    tile (≥ n_rows + 2·inset, ≥ n_columns + 2·inset) float32, inset ≥ radius; n_rows a multiple of
    ROWS, n_columns of COLUMNS; taps (radius + 1,) float32 from the centre outwards; passed (≥
    n_rows + 2·radius, ≥ n_columns) float32, scratch; target (≥ n_rows, ≥ n_columns).
    """
    radius = len(taps) - 1
    for y in range(n_rows + 2 * radius):
        for x in range(0, n_columns, COLUMNS):
            _sum_along_row(tile, y + inset - radius, x + inset, taps, passed, y, x)
    for x in range(0, n_columns, WIDTH):
        for y in range(0, n_rows, ROWS):
            _sum_across_rows(passed, y + radius, x, taps, target, y)


@_compiled
def _sum_along_row(tile, y, x, taps, out, out_y, out_x):
    """COLUMNS values side by side; the sums stay in registers."""
    tap = spread(taps[0])
    a, b = tap * load(tile, y, x), tap * load(tile, y, x + WIDTH)
    c, d = tap * load(tile, y, x + 2 * WIDTH), tap * load(tile, y, x + 3 * WIDTH)
    for i in range(1, len(taps)):
        tap, left, right = spread(taps[i]), x - i, x + i
        a = fused(tap, load(tile, y, left) + load(tile, y, right), a)
        b = fused(tap, load(tile, y, left + WIDTH) + load(tile, y, right + WIDTH), b)
        c = fused(tap, load(tile, y, left + 2 * WIDTH) + load(tile, y, right + 2 * WIDTH), c)
        d = fused(tap, load(tile, y, left + 3 * WIDTH) + load(tile, y, right + 3 * WIDTH), d)
    store(a, out, out_y, out_x)
    store(b, out, out_y, out_x + WIDTH)
    store(c, out, out_y, out_x + 2 * WIDTH)
    store(d, out, out_y, out_x + 3 * WIDTH)


@_compiled
def _sum_across_rows(plane, y, x, taps, out, out_y):
    """ROWS values below each other; from tap to tap the rows that they add move on by one."""
    a, b, c, d = (
        load(plane, y, x),
        load(plane, y + 1, x),
        load(plane, y + 2, x),
        load(plane, y + 3, x),
    )
    up_a, up_b, up_c, up_d = a, b, c, d
    down_a, down_b, down_c, down_d = a, b, c, d
    tap = spread(taps[0])
    a, b, c, d = tap * a, tap * b, tap * c, tap * d
    for i in range(1, len(taps)):
        tap = spread(taps[i])
        up_a, up_b, up_c, up_d = load(plane, y - i, x), up_a, up_b, up_c
        down_a, down_b, down_c, down_d = down_b, down_c, down_d, load(plane, y + 3 + i, x)
        a, b = fused(tap, up_a + down_a, a), fused(tap, up_b + down_b, b)
        c, d = fused(tap, up_c + down_c, c), fused(tap, up_d + down_d, d)
    store(a, out, out_y, x)
    store(b, out, out_y + 1, x)
    store(c, out, out_y + 2, x)
    store(d, out, out_y + 3, x)
