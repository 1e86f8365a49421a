"""Weights as packed panels for register tiles: a value's columns, one row behind the other."""

from kernels._jit import jit, parallel
from kernels._recurrent.scratch import panels_across
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
def pack_rows(weight, panel, out):
    """Panel `panel` of weight, for products with gradients of gates.

    weight  (rows, columns)
    out     (panels_of(columns) rows lanes,); zeros beyond the columns
    """
    rows, columns = weight.shape
    column = panel * lanes(out)
    wide = min(lanes(out), columns - column)
    for row in range(rows):
        at = (panel * rows + row) * lanes(out)
        copy(weight, row * columns + column, out, at, wide)
        for lane in range(wide, lanes(out)):
            out[at + lane] = 0.0


@parallel
def _pack_for_states(panel, panels, weight_ih, weight_hh, gates, out_ih, out_hh):
    if panel < panels:
        pack_columns(weight_ih, gates, panel, out_ih)
    else:
        pack_columns(weight_hh, gates, panel - panels, out_hh)


def pack_for_states(weight_ih, weight_hh, gates, out_ih, out_hh):
    """Both weights by `pack_columns`; one may be empty."""
    panels, more = (
        gates * panels_across(len(weight) // gates, weight.dtype)
        for weight in (weight_ih, weight_hh)
    )
    _pack_for_states(panels + more, panels, weight_ih, weight_hh, gates, out_ih, out_hh)


@parallel
def _pack_for_gradients(panel, panels, weight_ih, weight_hh, out_ih, out_hh):
    if panel < panels:
        pack_rows(weight_ih, panel, out_ih)
    else:
        pack_rows(weight_hh, panel - panels, out_hh)


def pack_for_gradients(weight_ih, weight_hh, out_ih, out_hh):
    """Both weights by `pack_rows`; one may have no columns."""
    panels, more = (
        panels_across(weight.shape[1], weight.dtype) for weight in (weight_ih, weight_hh)
    )
    _pack_for_gradients(panels + more, panels, weight_ih, weight_hh, out_ih, out_hh)
