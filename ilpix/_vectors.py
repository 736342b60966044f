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
HALF_ROWS = 4  # rows of WIDTH values that are compared to one mask


def fused(a, b, c):
    """Return a · b + c, float32, rounded once. Compiled: one instruction, in vectors too.

    Where compilation is switched off this goes through float64, where one result in 2^29 is rounded
    twice.
    """
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


def which_below(planes, plane, y, x, threshold):
    """Return two uint64, of rows y … y + 3 and of the four rows below them.

    Bit WIDTH · row + column tells whether planes[plane, y + row, x + column] < threshold. planes
    float32; threshold float32. Nothing checks that the values exist.
    """
    below = planes[plane, y : y + 2 * HALF_ROWS, x : x + WIDTH] < threshold
    upper, lower = (
        np.packbits(half, bitorder="little").view(np.uint64)[0] for half in np.split(below, 2)
    )
    return upper, lower


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
_BYTE = ir.IntType(8)
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
    start = builder.gep(builder.bitcast(array.data, _BYTE.as_pointer()), [builder.mul(stride, y)])
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
        return _spread_ir(builder, arguments[0])

    return _ROW_TYPE(types.float32), build


def _spread_ir(builder, value):
    undefined = ir.Constant(_ROW_IR, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, undefined, _indices([0] * WIDTH))


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
def _which_below(_context, planes, plane, y, x, threshold):
    def build(context, builder, signature, arguments):
        planes, plane, y, x, threshold = arguments
        array = context.make_array(signature.args[0])(context, builder, planes)
        of_plane, of_row, _ = cgutils.unpack_tuple(builder, array.strides)
        first = builder.add(builder.mul(of_plane, plane), builder.mul(of_row, y))
        start = builder.gep(builder.bitcast(array.data, _BYTE.as_pointer()), [first])
        limit = _spread_ir(builder, threshold)
        masks = []
        for half in range(2):
            below = []
            for row in range(half * HALF_ROWS, (half + 1) * HALF_ROWS):
                at = builder.gep(start, [builder.mul(of_row, ir.Constant(of_row.type, row))])
                at = builder.gep(builder.bitcast(at, ir.FloatType().as_pointer()), [x])
                values = builder.load(builder.bitcast(at, _ROW_IR.as_pointer()), align=4)
                below.append(builder.fcmp_ordered("<", values, limit))
            masks.append(builder.bitcast(_join(builder, below), ir.IntType(64)))
        return context.make_tuple(builder, signature.return_type, masks)

    pair = types.UniTuple(types.uint64, 2)
    return pair(planes, types.intp, types.intp, types.intp, types.float32), build


def _join(builder, vectors):
    """Put vectors behind each other."""
    while len(vectors) > 1:
        count = 2 * vectors[0].type.count
        order = _indices(range(count))
        vectors = [
            builder.shuffle_vector(a, b, order)
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    return vectors[0]


def _indices(order):
    return ir.Constant(ir.VectorType(ir.IntType(32), len(order)), list(order))


@overload(which_below, inline="always")
def _which_below_compiled(planes, plane, y, x, threshold):
    return lambda planes, plane, y, x, threshold: _which_below(planes, plane, y, x, threshold)  # noqa: PLW0108 - as above
