"""Weights as panels for register tiles: a value's columns, one row behind the other."""

from kernels._jit import jit
from kernels._simd import lanes
from kernels._tile import copy, tile_lanes, transpose_square


@jit
def panels_of(size, like):
    """How many panels `size` columns make."""
    return (size + lanes(like) - 1) // lanes(like)


@jit
def pack_columns(weight, gates, panel, out):
    """Panel `panel` of weight', for products with inputs or states.

    weight  (gates hidden, depth)
    out     (gates panels_of(hidden) depth lanes,); zeros beyond the units of a gate
    """
    depth = weight.shape[1]
    hidden = weight.shape[0] // gates
    each = panels_of(hidden, out)
    column = panel % each * lanes(out)
    row = panel // each * hidden + column
    wide = min(lanes(out), hidden - column)
    start = panel * depth * lanes(out)
    register = tile_lanes(out)
    whole = depth // register * register
    squares = wide // register * register
    for lane in range(0, squares, register):
        for k in range(0, whole, register):
            transpose_square(
                weight, (row + lane) * depth + k, depth, out, start + k * lanes(out) + lane,
                lanes(out),
            )  # fmt: skip
        for k in range(whole, depth):
            for j in range(lane, lane + register):
                out[start + k * lanes(out) + j] = weight[row + j, k]
    for lane in range(squares, lanes(out)):
        for k in range(depth):
            value = out.dtype.type(0)
            if lane < wide:
                value = weight[row + lane, k]
            out[start + k * lanes(out) + lane] = value


@jit
def pack_rows(weight, gates, panel, out):
    """Panel `panel` of weight, for products with gradients of gates.

    weight  (gates hidden, columns)
    out     (panels_of(columns) gates padded lanes,); zeros below the units of a gate and beyond
            the columns
    """
    hidden, columns = weight.shape[0] // gates, weight.shape[1]
    padded = panels_of(hidden, out) * lanes(out)
    column = panel * lanes(out)
    wide = min(lanes(out), columns - column)
    at = panel * gates * padded * lanes(out)
    for gate in range(gates):
        for unit in range(padded):
            if unit < hidden:
                copy(weight, (gate * hidden + unit) * columns + column, out, at, wide)
                for lane in range(wide, lanes(out)):
                    out[at + lane] = 0.0
            else:
                for lane in range(lanes(out)):
                    out[at + lane] = 0.0
            at += lanes(out)
