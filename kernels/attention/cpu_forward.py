"""Attention forward, one block of queries of one head: the scores of a few rows at a time in L1.

Over blocks of keys the softmax goes on, see README.md: with m the greatest score so far and
l = sum e^(s - m), a block whose maximum is greater shrinks l and the weighted sum.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels._jit import jit
from kernels._math import decay
from kernels._simd import (
    clear,
    full,
    lanes,
    load,
    max_lanes,
    maximum,
    store,
    sum_lanes,
    values_across,
)
from kernels._tile import ROWS_HIGH
from kernels.attention.heads import KEYS, Sizes, head_of
from kernels.attention.panels import (
    AHEAD,
    expect_row,
    multiply,
    pack_columns,
    pack_rows,
    standing_alone,
)
from kernels.attention.score_rows import add_mask, hide, put_row

# Rows whose scores are computed, weighed and used while they are in L1.
STRIP = 2 * ROWS_HIGH


class Places(NamedTuple):
    """Where in a thread's scratch what lies."""

    keys: int  # panels of keys as columns
    values: int  # panels of values
    scores: int  # STRIP rows, `line` from row to row
    line: int
    queries: int  # STRIP rows
    sums: int  # rows of a task, of so far weighted values
    maxima: int  # m of each row
    totals: int  # l of each row
    end: int


@jit
def places_of(rows, keys, width, depth, panel):
    """For `rows` queries and so many keys, width and depth, each in whole panels but the depth."""
    values = keys * depth
    scores = values + keys * width
    line = keys + panel  # an odd number of panels apart, rows do not compete for a place in L1
    queries = scores + STRIP * line
    sums = queries + STRIP * ((depth + panel - 1) // panel * panel)
    maxima = sums + rows * width
    return Places(0, values, scores, line, queries, sums, maxima, maxima + rows, maxima + 2 * rows)


@jit
def forward_task(
    task, inputs, plan_strides, sizes, block, key_lengths, causal, scale, work, out_y, out_lse
):
    """y and lse of `block` queries of a head.

    inputs        query, key, value and mask, flat, as is out_y
    plan_strides  of these and y, as `head_of` takes them
    """
    standing_alone()
    sizes, panel = Sizes(*sizes), lanes(work)
    blocks = (sizes.rows + block - 1) // block
    head = task // blocks
    n, h = head // sizes.heads, head % sizes.heads
    first_row = _from_both_ends(task % blocks, blocks) * block
    last_row = min(sizes.rows, first_row + block)
    rows, length, at_lse = last_row - first_row, key_lengths[n], head * sizes.rows
    of = plan_strides
    query, key = head_of(inputs[0], of[0], n, h), head_of(inputs[1], of[1], n, h)
    value, mask = head_of(inputs[2], of[2], n, h), head_of(inputs[3], of[3], n, h)
    y, at_y, y_row = head_of(out_y, of[4], n, h)
    depth, width = sizes.depth, values_across(sizes.width, work) * panel
    if causal:
        length = min(length, last_row)
    if length == 0:
        for row in range(first_row, last_row):
            clear(y, at_y + row * y_row, sizes.width)
            out_lse[at_lse + row] = np.inf
        return
    most = min(KEYS, values_across(length, work) * panel)
    places = places_of(rows, most, width, depth, panel)
    for start in range(0, length, KEYS):
        count = min(KEYS, length - start)
        pack_columns(key, start, count, depth, work, places.keys)
        pack_rows(value, start, count, sizes.width, work, places.values)
        for strip in range(first_row, last_row, STRIP):
            high = min(STRIP, last_row - strip)
            visible = min(count, strip + high - start) if causal else count
            if visible <= 0:
                continue
            # Rows may lie powers of two apart, where they compete for one place in L1.
            for i in range(high):
                expect_row(query, strip + i + AHEAD, depth)
                at = query[1] + (strip + i) * query[2]
                put_row(query[0], at, depth, scale, False, work, places.queries + i * depth)
            multiply(
                high, depth, (work, places.queries, depth, 1), (work, places.keys), depth * panel,
                values_across(visible, work), (work, places.scores, places.line), False,
            )  # fmt: skip
            for i in range(high):
                row, scores = strip + i, places.scores + i * places.line
                seen = max(0, min(visible, row + 1 - start)) if causal else visible
                if mask[0].size:
                    add_mask(mask[0], mask[1] + row * mask[2] + start, seen, work, scores)
                _weigh(work, scores, seen, visible, start == 0, places, row - first_row, width)
            multiply(
                high, visible, (work, places.scores, places.line, 1), (work, places.values),
                count * panel, width // panel,
                (work, places.sums + (strip - first_row) * width, width), start > 0,
            )  # fmt: skip
    for i in range(rows):
        row, total, to = first_row + i, work[places.totals + i], at_y + (first_row + i) * y_row
        expect_row((y, at_y, y_row), row + AHEAD, sizes.width)
        if total == 0.0:
            clear(y, to, sizes.width)
            out_lse[at_lse + row] = np.inf
        else:
            put_row(work, places.sums + i * width, sizes.width, 1.0 / total, False, y, to)
            out_lse[at_lse + row] = work[places.maxima + i] + math.log(total)


@jit
def _from_both_ends(i, count):
    """The i-th of 0, count - 1, 1, count - 2, ...: later queries see more keys where causal."""
    return i // 2 if i % 2 == 0 else count - 1 - i // 2


@jit
def _weigh(work, at, seen, visible, begins, places, row, width):
    """Scores become weights e^(s - m); m, l and the sums of the row so far are brought to it."""
    standing_alone()
    wide = lanes(work)
    stop = at + values_across(visible, work) * wide
    top_at, total_at, sums = places.maxima + row, places.totals + row, places.sums + row * width
    hide(work, at, seen, stop - at)
    highest = load(work, at)
    for j in range(at + wide, stop, wide):
        highest = maximum(highest, load(work, j))
    top = max_lanes(highest)
    if not begins:
        top = max(top, work[top_at])
    shift = top if top > -np.inf else 0.0
    total = full(work, 0.0)
    for j in range(at, stop, wide):
        e = decay(load(work, j) - shift)
        store(work, j, e)
        total += e
    if begins:
        work[total_at] = sum_lanes(total)
    else:
        shrink = math.exp(work[top_at] - shift)
        work[total_at] = work[total_at] * shrink + sum_lanes(total)
        if shrink != 1.0:
            for j in range(sums, sums + width, wide):
                store(work, j, load(work, j) * shrink)
    work[top_at] = top
