"""The sizes of micro-tiles and packed panels, in BLIS's words: README.md draws them."""

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._simd import I64, REGISTER_BYTES

# A micro-tile: MR rows of NR_REGISTERS registers. With AVX2 its 12 sums, 3 registers of B and 1
# of A fill all 16; AVX-512 has 32.
MR = 8 if REGISTER_BYTES == 64 else 4
NR_REGISTERS = 3

# Terms that are summed before sums go to C: a panel of B, KC x 24 float32 with AVX2, is 24 KiB,
# most of an L1 cache.
KC = 256


def register_lanes(array: types.Array) -> int:
    return REGISTER_BYTES * 8 // array.dtype.bitwidth


def panel_columns(dtype: np.dtype) -> int:
    """NR, the columns of a packed panel of B, which is as wide as a micro-tile."""
    return NR_REGISTERS * REGISTER_BYTES // dtype.itemsize


@intrinsic
def tile_lanes(typingctx, array):
    """How many elements of `array` one register holds; a constant to the compiler."""

    def codegen(context, builder, sig, args):
        return I64(register_lanes(array))

    return types.intp(array), codegen


def zeros(kind: ir.VectorType, count: int) -> list:
    """Sums of which nothing is known yet."""
    return [ir.Constant(kind, [0.0] * kind.count)] * count
