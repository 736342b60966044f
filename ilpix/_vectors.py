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


def fused(a, b, c):
    """Return a · b + c, float32, rounded once. Compiled: one instruction, in vectors too.

    Where compilation is switched off this goes through float64, where one result in 2^29 is rounded
    twice.
    """
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


def which_below(values, row, threshold):
    """Return a uint64 whose bit i tells whether values[row, i] < threshold.

    values (·, LANES) float32, contiguous; threshold float32. Nothing checks that the row exists.
    """
    return np.uint64(sum(1 << i for i in range(LANES) if values[row, i] < threshold))


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
        first = builder.mul(row, ir.Constant(row.type, LANES))
        vector = ir.VectorType(ir.FloatType(), LANES)
        place = builder.bitcast(builder.gep(data, [first]), vector.as_pointer())
        lanes = builder.load(place, align=4)
        one = builder.insert_element(
            ir.Constant(vector, ir.Undefined), threshold, ir.Constant(ir.IntType(32), 0)
        )
        order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        splat = builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), order)
        return builder.bitcast(builder.fcmp_ordered("<", lanes, splat), ir.IntType(LANES))

    return types.uint64(values, types.intp, types.float32), build


@overload(which_below, inline="always")
def _which_below_compiled(values, row, threshold):
    return lambda values, row, threshold: _which_below(values, row, threshold)  # noqa: PLW0108 - as above
