"""A product and a sum rounded once, which Ilastik's filters use and numba cannot spell."""

import numpy as np
from numba import types
from numba.extending import intrinsic, overload


def fused(a, b, c):
    """Return a · b + c, float32, rounded once. Compiled: one instruction, in vectors too.

    Where compilation is switched off, this is in float64: then one sum in 2^29 may be rounded twice.
    """
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


@intrinsic
def _fused_instruction(_context, a, b, c):
    def build(_context, builder, _signature, arguments):
        return builder.fma(*arguments)

    return types.float32(a, b, c), build


@overload(fused, inline="always")
def _fused_compiled(a, b, c):
    if a == b == c == types.float32:
        return lambda a, b, c: _fused_instruction(a, b, c)
    return None
