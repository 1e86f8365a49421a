"""Packing: a part of a matrix as a panel, its rows one behind the other."""

from kernels._jit import jit
from kernels._tile.moves import (
    copy,
    copy_tile_column,
    copy_tile_row,
    transpose_rows,
    transpose_square,
)
from kernels._tile.registers import MR, NR_REGISTERS, tile_lanes


@jit
def pack_panel(x, start, step, transposed, depth, columns, out, to, pitch):
    """out[k, j] = x[k, j], or x[j, k] where `transposed`, for `depth` k and `columns` j.

    start, step  of x, flat: where it begins, and from one of its rows to the next
    to, pitch    likewise of the panel; what it has beyond the columns is left as it is
    """
    if not transposed:
        for k in range(depth):
            if columns == NR_REGISTERS * tile_lanes(x):
                copy_tile_row(x, start + k * step, out, to + k * pitch)
            elif columns == MR:
                copy_tile_column(x, start + k * step, out, to + k * pitch)
            else:
                copy(x, start + k * step, out, to + k * pitch, columns)
        return
    register = tile_lanes(x)
    whole, j = depth // register * register, 0
    while j + register <= columns:
        for k in range(0, whole, register):
            transpose_square(x, start + j * step + k, step, out, to + k * pitch + j, pitch)
        _pack_numbers(x, start, step, whole, depth, j, j + register, out, to, pitch)
        j += register
    if columns - j == MR:
        for k in range(0, whole, register):
            transpose_rows(x, start + j * step + k, step, out, to + k * pitch + j, pitch)
        _pack_numbers(x, start, step, whole, depth, j, columns, out, to, pitch)
        return
    _pack_numbers(x, start, step, 0, depth, j, columns, out, to, pitch)


@jit
def _pack_numbers(x, start, step, k_from, k_to, j_from, j_to, out, to, pitch):
    """out[k, j] = x[j, k], one number at a time."""
    for k in range(k_from, k_to):
        for j in range(j_from, j_to):
            out[to + k * pitch + j] = x[start + j * step + k]


@jit
def clear_columns(depth, first, last, out, to, pitch):
    """Zeros in columns [first, last) of a panel."""
    for k in range(depth):
        for j in range(first, last):
            out[to + k * pitch + j] = 0.0
