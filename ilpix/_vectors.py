# mypy: ignore-errors
# ruff: noqa: ARG001 - what only declares a type has the arguments of what it declares
"""What numba cannot spell: a fused multiply-add, and a comparison of 64 values to one mask.

Each is a Python function, which is what runs where compilation is switched off, and the same for
compiled code.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANES = 64
_GROUP = 8  # values that are compared at once
# The bit of each value: 32 values are four groups, whose results alternate bit by bit, since no
# instruction moves them between the parts of a register.
BITS = np.arange(LANES).reshape(2, _GROUP, 4).transpose(0, 2, 1).ravel()


def fused(a, b, c):
    """Return a · b + c, float32, rounded once. Compiled: one instruction, in vectors too.

    Where compilation is switched off this goes through float64, where one result in 2^29 is rounded
    twice.
    """
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


def which_below(values, row, threshold):
    """Return a uint64 whose bit BITS[i] tells whether values[row, i] < threshold.

    values (·, LANES) float32, contiguous; threshold float32. Nothing checks that the row exists.
    """
    return np.uint64(sum(1 << int(BITS[i]) for i in range(LANES) if values[row, i] < threshold))


@intrinsic
def _fused(_context, a, b, c):
    def build(_context, builder, _signature, arguments):
        return builder.fma(*arguments)

    return types.float32(a, b, c), build


@overload(fused, inline="always")
def _fused_compiled(a, b, c):
    if a == b == c == types.float32:
        return lambda a, b, c: _fused(a, b, c)  # noqa: PLW0108 - an intrinsic is no function
    return None


@intrinsic
def _which_below(_context, values, row, threshold):
    def build(context, builder, signature, arguments):
        array, row, threshold = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        first = builder.gep(data, [builder.mul(row, ir.Constant(row.type, LANES))])
        groups = builder.bitcast(first, ir.VectorType(ir.FloatType(), _GROUP).as_pointer())
        one = builder.insert_element(
            ir.Constant(ir.VectorType(ir.FloatType(), _GROUP), ir.Undefined),
            threshold,
            ir.Constant(ir.IntType(32), 0),
        )
        splat = builder.shuffle_vector(one, one, _indices([0] * _GROUP))
        below = [_compare(builder, groups, i, splat) for i in range(LANES // _GROUP)]
        low, high = (_bits(builder, below[i : i + 4]) for i in (0, 4))
        return builder.or_(low, builder.shl(high, ir.Constant(high.type, 32)))

    return types.uint64(values, types.uint64, types.float32), build


def _compare(builder, groups, i, splat):
    """Return all ones or zeros in each 32 bits for a group of values."""
    place = builder.gep(groups, [ir.Constant(ir.IntType(64), i)])
    below = builder.fcmp_ordered("<", builder.load(place, align=4), splat)
    return builder.sext(below, ir.VectorType(ir.IntType(32), _GROUP))


def _bits(builder, below):
    """Take byte i of each 32 bits from group i of four, and of each byte one bit."""
    even, odd = _alternate(builder, *below[::2], 16), _alternate(builder, *below[1::2], 16)
    each = _alternate(builder, even, odd, 8)
    bits = builder.icmp_signed("<", each, ir.Constant(each.type, [0] * each.type.count))
    return builder.zext(builder.bitcast(bits, ir.IntType(32)), ir.IntType(64))


def _alternate(builder, a, b, n_bits):
    """Take the even elements of n_bits of a, and the odd ones of b, where they are."""
    count = 32 * _GROUP // n_bits
    vector = ir.VectorType(ir.IntType(n_bits), count)
    order = _indices([i + count * (i % 2) for i in range(count)])
    return builder.shuffle_vector(builder.bitcast(a, vector), builder.bitcast(b, vector), order)


def _indices(order):
    return ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)


@overload(which_below, inline="always")
def _which_below_compiled(values, row, threshold):
    return lambda values, row, threshold: _which_below(values, row, threshold)  # noqa: PLW0108 - as above
