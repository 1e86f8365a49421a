"""Attention backward over blocks of keys, and within them blocks of queries.

The weights p of a block come again from its scores and each row's lse; they and their gradients are
strips of ROWS x KEYS, from which three products go to dq, dk and dv. Which blocks there are does
not depend on who computes what: a head in one task, or dq by blocks of queries and dk, dv by blocks
of keys in tasks of their own, give the same bits.
"""

from typing import NamedTuple

from kernels._jit import jit
from kernels._math import decay
from kernels._simd import clear, fma, lanes, load, load_first, store, sum_lanes, values_across
from kernels.attention.cpu_forward import STRIP
from kernels.attention.heads import KEYS, ROWS, Sizes, head_of
from kernels.attention.panels import (
    AHEAD,
    expect_row,
    multiply,
    pack_columns,
    pack_rows,
    standing_alone,
)
from kernels.attention.score_rows import add_mask, hide, put_row


class Places(NamedTuple):
    """Where in a thread's scratch what lies; rows are `depth` or `width` long in whole panels."""

    keys: int  # panels of keys as columns
    values: int  # panels of values as columns
    key_rows: int  # panels of keys
    dk: int  # rows
    dv: int  # rows
    p: int  # rows of weights, `line` from row to row
    ds: int  # rows of their gradients
    line: int
    dq: int  # rows
    queries: int  # rows, scaled
    dy: int  # rows
    packed: int  # panels of queries or of dy
    end: int


@jit
def places_of(rows, keys, width, depth, panel):
    """For blocks of so many rows and keys, keys in whole panels."""
    wide = (width + panel - 1) // panel * panel
    deep = (depth + panel - 1) // panel * panel
    line = keys + panel  # an odd number of panels apart, rows do not compete for a place in L1
    values = keys * depth
    key_rows = values + keys * width
    dk = key_rows + keys * deep
    dv = dk + keys * deep
    p = dv + keys * wide
    ds = p + rows * line
    dq = ds + rows * line
    queries = dq + rows * deep
    dy = queries + rows * deep
    packed = dy + rows * wide
    end = packed + rows * max(deep, wide)
    return Places(0, values, key_rows, dk, dv, p, ds, line, dq, queries, dy, packed, end)


@jit
def _fetch_rows(source, first, rows, columns, factor, work, to, line):
    """Copies of rows, since they may lie powers of two apart and compete for one place in L1."""
    for i in range(rows):
        expect_row(source, first + i + AHEAD, columns)
        at = source[1] + (first + i) * source[2]
        put_row(source[0], at, columns, factor, False, work, to + i * line)


@jit
def _put_rows(work, at, line, rows, columns, factor, add, target, first):
    """Rows of scratch become rows of a gradient, or are added."""
    for i in range(rows):
        expect_row(target, first + i + AHEAD, columns)
        to = target[1] + (first + i) * target[2]
        put_row(work, at + i * line, columns, factor, add, target[0], to)


@jit
def _clear_rows(target, first, last, columns):
    for row in range(first, last):
        clear(target[0], target[1] + row * target[2], columns)


@jit
def _weigh_row(work, p, ds, seen, visible, lse, delta):
    """Scores become weights p, and dp becomes ds = p (dp - delta), delta = dy y."""
    standing_alone()
    width = values_across(visible, work) * lanes(work)
    hide(work, p, seen, width)
    for j in range(0, width, lanes(work)):
        weight = decay(load(work, p + j) - lse)
        store(work, p + j, weight)
        store(work, ds + j, weight * (load(work, ds + j) - delta))


@jit
def dot(a, a_start, b, b_start, count):
    """The product of two rows."""
    standing_alone()
    wide = lanes(a)
    rest = count % wide
    end = count - rest
    total = load_first(a, a_start + end, rest, 0.0) * load_first(b, b_start + end, rest, 0.0)
    for i in range(0, end, wide):
        total = fma(load(a, a_start + i), load(b, b_start + i), total)
    return sum_lanes(total)


@jit
def backward_task(
    task, inputs, plan_strides, lse, sizes, parts, key_lengths, causal, scale, work, outs
):
    """Gradients of a head, or of its KEYS queries or its KEYS keys in turn where `parts` > 1.

    inputs        query, key, value, mask, y and dy, flat
    outs          dq, dk, dv, flat
    plan_strides  of all these, as `head_of` takes them
    """
    standing_alone()
    sizes, panel = Sizes(*sizes), lanes(work)
    head, part = task // parts, task % parts
    n, h = head // sizes.heads, head % sizes.heads
    to_queries, to_keys = parts == 1 or part % 2 == 0, parts == 1 or part % 2 == 1
    first_row, last_row, first_key, end_key = 0, sizes.rows, 0, sizes.keys
    if not to_keys:
        first_row = part // 2 * KEYS
        last_row = min(last_row, first_row + KEYS)
    if not to_queries:
        first_key = part // 2 * KEYS
        end_key = min(end_key, first_key + KEYS)
    if first_row >= last_row or first_key >= end_key:
        return
    of = plan_strides
    query, key = head_of(inputs[0], of[0], n, h), head_of(inputs[1], of[1], n, h)
    value, mask = head_of(inputs[2], of[2], n, h), head_of(inputs[3], of[3], n, h)
    y, dy = head_of(inputs[4], of[4], n, h), head_of(inputs[5], of[5], n, h)
    dq, dk = head_of(outs[0], of[6], n, h), head_of(outs[1], of[7], n, h)
    dv = head_of(outs[2], of[8], n, h)
    length, width, depth, at_lse = key_lengths[n], sizes.width, sizes.depth, head * sizes.rows
    deep, wide = values_across(depth, work) * panel, values_across(width, work) * panel
    last_key = max(first_key, min(end_key, length))
    most = min(KEYS, values_across(end_key - first_key, work) * panel)
    places = places_of(min(ROWS, last_row - first_row), most, width, depth, panel)
    line = places.line
    for start in range(first_key, last_key, KEYS):
        count = min(KEYS, last_key - start)
        pack_columns(key, start, count, depth, work, places.keys)
        pack_columns(value, start, count, width, work, places.values)
        if to_queries:
            pack_rows(key, start, count, depth, work, places.key_rows)
        if to_keys:
            clear(work, places.dk, count * deep)
            clear(work, places.dv, count * wide)
        begin = max(first_row, start // ROWS * ROWS) if causal else first_row
        for first in range(begin, last_row, ROWS):
            rows = min(ROWS, last_row - first)
            visible = min(count, first + rows - start) if causal else count
            _fetch_rows(query, first, rows, depth, scale, work, places.queries, deep)
            _fetch_rows(dy, first, rows, width, 1.0, work, places.dy, wide)
            for strip in range(0, rows, STRIP):
                high = min(STRIP, rows - strip)
                shown = min(visible, first + strip + high - start) if causal else visible
                panels, p, ds = (
                    values_across(shown, work), places.p + strip * line, places.ds + strip * line
                )  # fmt: skip
                multiply(
                    high, depth, (work, places.queries + strip * deep, deep, 1),
                    (work, places.keys), depth * panel, panels, (work, p, line), False,
                )  # fmt: skip
                multiply(
                    high, width, (work, places.dy + strip * wide, wide, 1),
                    (work, places.values), width * panel, panels, (work, ds, line), False,
                )  # fmt: skip
                end, beyond = panels * panel, (values_across(visible, work) - panels) * panel
                for i in range(high):
                    row, own = first + strip + i, i * line
                    seen = max(0, min(shown, row + 1 - start)) if causal else shown
                    if mask[0].size:
                        add_mask(mask[0], mask[1] + row * mask[2] + start, seen, work, p + own)
                    expect_row(y, row + AHEAD, width)
                    of_dy = places.dy + (strip + i) * wide
                    delta = dot(work, of_dy, y[0], y[1] + row * y[2], width)
                    _weigh_row(work, p + own, ds + own, seen, shown, lse[at_lse + row], delta)
                    clear(work, p + own + end, beyond)
                    clear(work, ds + own + end, beyond)
                if to_queries:
                    multiply(
                        high, shown, (work, ds, line, 1), (work, places.key_rows), count * panel,
                        deep // panel, (work, places.dq + strip * deep, deep), False,
                    )  # fmt: skip
            if to_queries:
                _put_rows(work, places.dq, deep, rows, depth, scale, start > 0, dq, first)
            if to_keys:
                pack_rows((work, places.dy, wide), 0, rows, width, work, places.packed)
                multiply(
                    visible, rows, (work, places.p, 1, line), (work, places.packed),
                    rows * panel, wide // panel, (work, places.dv, wide), True,
                )  # fmt: skip
                pack_rows((work, places.queries, deep), 0, rows, depth, work, places.packed)
                multiply(
                    visible, rows, (work, places.ds, 1, line), (work, places.packed),
                    rows * panel, deep // panel, (work, places.dk, deep), True,
                )  # fmt: skip
        if to_keys:
            _put_rows(work, places.dk, deep, count, depth, 1.0, False, dk, start)
            _put_rows(work, places.dv, wide, count, width, 1.0, False, dv, start)
    if to_keys:
        _clear_rows(dk, last_key, end_key, depth)
        _clear_rows(dv, last_key, end_key, width)
    if to_queries and length == 0:
        _clear_rows(dq, first_row, last_row, depth)
