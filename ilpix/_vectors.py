# mypy: ignore-errors
# ruff: noqa: ARG001 - what only declares a type has the arguments of what it declares
"""What numba cannot spell: rows of values in registers, and 64 comparisons to one mask.

Each is a Python function, which is what runs where compilation is switched off, and the same for
compiled code. Values in registers are added, subtracted and multiplied like numbers.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 16  # values of a row in a register, or in two
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


def load(plane, y, x):
    """Return plane[y, x : x + WIDTH], float32. Nothing checks that it exists."""
    return plane[y, x : x + WIDTH].copy()


def store(row, plane, y, x):
    """Write a row in a register to plane[y, x : x + WIDTH], float32. Nothing checks it exists."""
    plane[y, x : x + WIDTH] = row


def spread(value):
    """Return WIDTH times a float32."""
    return np.full(WIDTH, value, np.float32)


def root(row):
    """Return the square root of each value, rounded as float32."""
    return np.sqrt(row)


class _Row(types.Type):
    """WIDTH float32 in a register."""

    def __init__(self):
        super().__init__(name=f"Row{WIDTH}")


_ROW_TYPE = _Row()
_ROW_IR = ir.VectorType(ir.FloatType(), WIDTH)


@register_model(_Row)
class _RowModel(models.PrimitiveModel):
    def __init__(self, manager, numba_type):
        super().__init__(manager, numba_type, _ROW_IR)


def _place(context, builder, array_type, place):
    """Return the address of a row in a plane whose columns are contiguous."""
    plane, y, x = place
    array = context.make_array(array_type)(context, builder, plane)
    stride = cgutils.unpack_tuple(builder, array.strides)[0]
    start = builder.gep(
        builder.bitcast(array.data, ir.IntType(8).as_pointer()), [builder.mul(stride, y)]
    )
    at = builder.gep(builder.bitcast(start, ir.FloatType().as_pointer()), [x])
    return builder.bitcast(at, _ROW_IR.as_pointer())


@intrinsic
def _load(_context, plane, y, x):
    def build(context, builder, signature, arguments):
        return builder.load(_place(context, builder, signature.args[0], arguments), align=4)

    return _ROW_TYPE(plane, types.intp, types.intp), build


@intrinsic
def _store(_context, row, plane, y, x):
    def build(context, builder, signature, arguments):
        place = _place(context, builder, signature.args[1], arguments[1:])
        builder.store(arguments[0], place, align=4)
        return context.get_dummy_value()

    return types.void(row, plane, types.intp, types.intp), build


@intrinsic
def _spread(_context, value):
    def build(_context, builder, _signature, arguments):
        undefined = ir.Constant(_ROW_IR, ir.Undefined)
        one = builder.insert_element(undefined, arguments[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, undefined, _indices([0] * WIDTH))

    return _ROW_TYPE(types.float32), build


@intrinsic
def _root(_context, row):
    def build(_context, builder, _signature, arguments):
        function_type = ir.FunctionType(_ROW_IR, [_ROW_IR])
        name = f"llvm.sqrt.v{WIDTH}f32"
        function = cgutils.get_or_insert_function(builder.module, function_type, name)
        return builder.call(function, arguments)

    return _ROW_TYPE(row), build


def _arithmetic(instruction):
    @intrinsic
    def compute(_context, a, b):
        def build(_context, builder, _signature, arguments):
            return getattr(builder, instruction)(*arguments)

        return _ROW_TYPE(a, b), build

    def compiled(a, b):
        if a == b == _ROW_TYPE:
            return lambda a, b: compute(a, b)  # noqa: PLW0108 - an intrinsic is no function
        return None

    return compiled


for _operator, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
):
    overload(_operator, inline="always")(_arithmetic(_instruction))


@overload(load, inline="always")
def _load_compiled(plane, y, x):
    return lambda plane, y, x: _load(plane, y, x)  # noqa: PLW0108 - an intrinsic is no function


@overload(store, inline="always")
def _store_compiled(row, plane, y, x):
    return lambda row, plane, y, x: _store(row, plane, y, x)  # noqa: PLW0108 - as above


@overload(spread, inline="always")
def _spread_compiled(value):
    return lambda value: _spread(value)  # noqa: PLW0108 - as above


@overload(root, inline="always")
def _root_compiled(row):
    return lambda row: _root(row)  # noqa: PLW0108 - as above


@intrinsic
def _fused(_context, a, b, c):
    def build(_context, builder, _signature, arguments):
        if _signature.return_type == types.float32:
            return builder.fma(*arguments)
        function_type = ir.FunctionType(_ROW_IR, [_ROW_IR] * 3)
        name = f"llvm.fma.v{WIDTH}f32"
        function = cgutils.get_or_insert_function(builder.module, function_type, name)
        return builder.call(function, arguments)

    return a(a, b, c), build


@overload(fused, inline="always")
def _fused_compiled(a, b, c):
    if a == b == c and a in {types.float32, _ROW_TYPE}:
        return lambda a, b, c: _fused(a, b, c)  # noqa: PLW0108 - as above
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
