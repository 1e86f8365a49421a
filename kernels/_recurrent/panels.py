"""Weights as packed panels for register tiles: a value's columns, one row behind the other."""

from kernels._jit import jit, parallel
from kernels._recurrent.scratch import panels_across
from kernels._simd import lanes, values_across
from kernels._tile import clear_columns, pack_panel


@jit
def pack_columns(weight, gates, panel, out):
    """Panel `panel` of weight', for products with inputs or states.

    weight  (gates hidden, depth)
    out     (gates panels(hidden) depth lanes,); zeros beyond the units of a gate
    """
    depth, hidden, wide = weight.shape[1], weight.shape[0] // gates, lanes(out)
    each = values_across(hidden, out)
    unit = panel % each * wide
    row, inside, to = panel // each * hidden + unit, min(wide, hidden - unit), panel * depth * wide
    pack_panel(weight.reshape(-1), row * depth, depth, True, depth, inside, out, to, wide)
    clear_columns(depth, inside, wide, out, to, wide)


@jit
def pack_rows(weight, panel, out):
    """Panel `panel` of weight, for products with gradients of gates.

    weight  (rows, columns)
    out     (panels(columns) rows lanes,); zeros beyond the columns
    """
    (rows, columns), wide = weight.shape, lanes(out)
    column, to = panel * wide, panel * rows * wide
    inside = min(wide, columns - column)
    pack_panel(weight.reshape(-1), column, columns, False, rows, inside, out, to, wide)
    clear_columns(rows, inside, wide, out, to, wide)


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
