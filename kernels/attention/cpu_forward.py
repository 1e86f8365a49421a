"""Attention forward, one block of queries of one head: the scores of a few rows at a time in L1.

Over blocks of keys the softmax goes on: with m the greatest score so far and l = sum e^(s - m),
a block whose maximum is greater shrinks l and the weighted sum by e^(old m - new m).
"""

import math

import numpy as np

from kernels._jit import jit
from kernels._math import decay
from kernels._simd import full, lanes, load, max_lanes, maximum, store, sum_lanes

from .blocks import (
    AHEAD,
    KEYS,
    STRIP,
    add_mask,
    clear_row,
    expect_row,
    hide,
    multiply,
    pack_columns,
    pack_rows,
    panels_of,
    put_row,
    standing_alone,
)


def scratch_size(rows, keys, width, depth, panel):
    """Numbers a thread works with: keys, values, a strip of queries and scores, sums."""
    keys = min(KEYS, keys + -keys % panel)
    padded, width_padded = depth + -depth % panel, width + -width % panel
    of_keys = depth + width_padded + STRIP
    return keys * of_keys + STRIP * (panel + padded) + rows * (width_padded + 2)


@jit
def forward_task(
    task, query, key, value, mask, steps, sizes, block, key_lengths, causal, scale, work, out_y,
    out_lse,
):  # fmt: skip
    """y and lse of `block` queries of a head.

    steps  from sample to sample, head to head, row to row: of query, key, value, mask, y
    sizes  (N, H, L, S, Ev, E)
    """
    standing_alone()
    heads, all_rows, width, depth = sizes[1], sizes[2], sizes[4], sizes[5]
    blocks = (all_rows + block - 1) // block
    head = task // blocks
    n, h = head // heads, head % heads
    first_row = _from_both_ends(task % blocks, blocks) * block
    last_row = min(all_rows, first_row + block)
    length = key_lengths[n]
    at_query, query_row = n * steps[0, 0] + h * steps[0, 1], steps[0, 2]
    at_key, key_row = n * steps[1, 0] + h * steps[1, 1], steps[1, 2]
    at_value, value_row = n * steps[2, 0] + h * steps[2, 1], steps[2, 2]
    at_mask, mask_row = n * steps[3, 0] + h * steps[3, 1], steps[3, 2]
    at_y, y_row = n * steps[4, 0] + h * steps[4, 1], steps[4, 2]
    at_lse = head * all_rows
    panel = lanes(query)
    if causal:
        length = min(length, last_row)
    if length == 0:
        for row in range(first_row, last_row):
            clear_row(out_y, at_y + row * y_row, width)
            out_lse[at_lse + row] = np.inf
        return
    most = min(KEYS, panels_of(length, query) * panel)
    padded = panels_of(width, query) * panel
    line = most + panel  # an odd number of panels apart, rows do not compete for a place in L1
    rows = last_row - first_row
    values = most * depth
    scores = values + most * padded
    queries = scores + STRIP * line
    sums = queries + STRIP * panels_of(depth, query) * panel
    tops = sums + rows * padded
    totals = tops + rows
    for start in range(0, length, KEYS):
        count = min(KEYS, length - start)
        pack_columns(key, at_key + start * key_row, key_row, count, depth, work, 0)
        pack_rows(value, at_value + start * value_row, value_row, count, width, work, values)
        for strip in range(first_row, last_row, STRIP):
            high = min(STRIP, last_row - strip)
            visible = min(count, strip + high - start) if causal else count
            if visible <= 0:
                continue
            # Rows may lie powers of two apart, where they compete for one place in L1.
            for i in range(high):
                at = at_query + (strip + i) * query_row
                expect_row(query, at + AHEAD * query_row, depth)
                put_row(query, at, depth, scale, False, work, queries + i * depth)
            multiply(
                high, depth, work, queries, depth, 1, work, 0, depth * panel,
                panels_of(visible, query), work, scores, line, False,
            )  # fmt: skip
            for i in range(high):
                row = strip + i
                seen = max(0, min(visible, row + 1 - start)) if causal else visible
                if mask.size:
                    add_mask(mask, at_mask + row * mask_row + start, seen, work, scores + i * line)
                at = row - first_row
                _weigh(
                    work, scores + i * line, seen, visible, start == 0, tops + at, totals + at,
                    sums + at * padded, padded,
                )  # fmt: skip
            multiply(
                high, visible, work, scores, line, 1, work, values, count * panel, padded // panel,
                work, sums + (strip - first_row) * padded, padded, start > 0,
            )  # fmt: skip
    for i in range(rows):
        row = first_row + i
        total = work[totals + i]
        to = at_y + row * y_row
        expect_row(out_y, to + AHEAD * y_row, width)
        if total == 0.0:
            clear_row(out_y, to, width)
            out_lse[at_lse + row] = np.inf
        else:
            put_row(work, sums + i * padded, width, 1.0 / total, False, out_y, to)
            out_lse[at_lse + row] = work[tops + i] + math.log(total)


@jit
def _from_both_ends(i, count):
    """The i-th of 0, count - 1, 1, count - 2, ...: later queries see more keys where causal."""
    return i // 2 if i % 2 == 0 else count - 1 - i // 2


@jit
def _weigh(work, at, seen, width, begins, top_at, total_at, sums, padded):
    """Scores become weights e^(s - m); m, l and the sums of the row so far are brought to it."""
    standing_alone()
    step = lanes(work)
    stop = at + panels_of(width, work) * step
    hide(work, at, seen, stop - at)
    highest = load(work, at)
    for j in range(at + step, stop, step):
        highest = maximum(highest, load(work, j))
    top = max_lanes(highest)
    if not begins:
        top = max(top, work[top_at])
    shift = top if top > -np.inf else 0.0
    total = full(work, 0.0)
    for j in range(at, stop, step):
        e = decay(load(work, j) - shift)
        store(work, j, e)
        total += e
    if begins:
        work[total_at] = sum_lanes(total)
    else:
        shrink = math.exp(work[top_at] - shift)
        work[total_at] = work[total_at] * shrink + sum_lanes(total)
        if shrink != 1.0:
            for j in range(sums, sums + padded, step):
                store(work, j, load(work, j) * shrink)
    work[top_at] = top
