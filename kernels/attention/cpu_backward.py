"""Attention backward over blocks of keys, and within them blocks of queries.

The weights of a block come again from its scores and each row's lse; they and their gradients are
strips of ROWS x KEYS, from which three products go to dq, dk and dv. Which blocks there are does
not depend on who computes what: a head in one task, or dq by blocks of queries and dk, dv by blocks
of keys in tasks of their own, give the same bits.
"""

from kernels._jit import jit
from kernels._math import decay
from kernels._simd import fma, lanes, load, load_first, store, sum_lanes

from .blocks import (
    AHEAD,
    KEYS,
    ROWS,
    STRIP,
    add_mask,
    clear,
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
    """Numbers a thread works with, for blocks of so many rows and keys at most."""
    rows, keys = min(ROWS, rows), min(KEYS, keys + -keys % panel)
    padded, width_padded = depth + -depth % panel, width + -width % panel
    of_keys = depth + width + 2 * padded + width_padded
    of_rows = 2 * padded + width_padded + max(padded, width_padded) + 2 * (keys + panel)
    return keys * of_keys + rows * of_rows


@jit
def backward_task(
    task, query, key, value, mask, y, dy, lse, steps, sizes, parts, key_lengths, causal, scale,
    work, out_dq, out_dk, out_dv,
):  # fmt: skip
    """Gradients of a head, or of its KEYS queries or its KEYS keys in turn where `parts` > 1.

    steps  from sample to sample, head to head, row to row: of query, key, value, mask, y, dy, dq,
           dk, dv
    sizes  (N, H, L, S, Ev, E)
    """
    standing_alone()
    heads, last_row, all_keys, width, depth = sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]
    head, part = task // parts, task % parts
    n, h = head // heads, head % heads
    to_queries, to_keys = parts == 1 or part % 2 == 0, parts == 1 or part % 2 == 1
    length = key_lengths[n]
    first_row, first_key, end_key = 0, 0, all_keys
    if not to_keys:
        first_row = part // 2 * KEYS
        last_row = min(last_row, first_row + KEYS)
    if not to_queries:
        first_key = part // 2 * KEYS
        end_key = min(all_keys, first_key + KEYS)
    if first_row >= last_row or first_key >= end_key:
        return
    at_query, query_row = n * steps[0, 0] + h * steps[0, 1], steps[0, 2]
    at_key, key_row = n * steps[1, 0] + h * steps[1, 1], steps[1, 2]
    at_value, value_row = n * steps[2, 0] + h * steps[2, 1], steps[2, 2]
    at_mask, mask_row = n * steps[3, 0] + h * steps[3, 1], steps[3, 2]
    at_y, y_row = n * steps[4, 0] + h * steps[4, 1], steps[4, 2]
    at_dy, dy_row = n * steps[5, 0] + h * steps[5, 1], steps[5, 2]
    at_dq, dq_row = n * steps[6, 0] + h * steps[6, 1], steps[6, 2]
    at_dk, dk_row = n * steps[7, 0] + h * steps[7, 1], steps[7, 2]
    at_dv, dv_row = n * steps[8, 0] + h * steps[8, 1], steps[8, 2]
    at_lse = head * sizes[2]
    panel = lanes(query)
    padded, width_padded = panels_of(depth, query) * panel, panels_of(width, query) * panel
    last_key = max(first_key, min(end_key, length))
    most = min(KEYS, panels_of(end_key - first_key, query) * panel)
    high = min(ROWS, last_row - first_row)
    line = most + panel  # an odd number of panels apart, rows do not compete for a place in L1
    turned_values = most * depth
    packed_keys = turned_values + most * width
    dk = packed_keys + most * padded
    dv = dk + most * padded
    weights = dv + most * width_padded
    slopes = weights + high * line
    dq = slopes + high * line
    queries = dq + high * padded
    dys = queries + high * padded
    packed = dys + high * width_padded
    for start in range(first_key, last_key, KEYS):
        count = min(KEYS, last_key - start)
        from_key, from_value = at_key + start * key_row, at_value + start * value_row
        pack_columns(key, from_key, key_row, count, depth, work, 0)
        pack_columns(value, from_value, value_row, count, width, work, turned_values)
        if to_queries:
            pack_rows(key, from_key, key_row, count, depth, work, packed_keys)
        if to_keys:
            clear(work, dk, count * padded)
            clear(work, dv, count * width_padded)
        begin = max(first_row, start // ROWS * ROWS) if causal else first_row
        for first in range(begin, last_row, ROWS):
            rows = min(ROWS, last_row - first)
            visible = min(count, first + rows - start) if causal else count
            from_query, from_dy = at_query + first * query_row, at_dy + first * dy_row
            # Rows may lie powers of two apart, where they compete for one place in L1.
            for i in range(rows):
                expect_row(query, from_query + (i + AHEAD) * query_row, depth)
                expect_row(dy, from_dy + (i + AHEAD) * dy_row, width)
                to = queries + i * padded
                put_row(query, from_query + i * query_row, depth, scale, False, work, to)
                to = dys + i * width_padded
                put_row(dy, from_dy + i * dy_row, width, 1.0, False, work, to)
            for strip in range(0, rows, STRIP):
                strip_rows = min(STRIP, rows - strip)
                shown = min(visible, first + strip + strip_rows - start) if causal else visible
                multiply(
                    strip_rows, depth, work, queries + strip * padded, padded, 1, work, 0,
                    depth * panel, panels_of(shown, query), work, weights + strip * line, line,
                    False,
                )  # fmt: skip
                multiply(
                    strip_rows, width, work, dys + strip * width_padded, width_padded, 1, work,
                    turned_values, width * panel, panels_of(shown, query), work,
                    slopes + strip * line, line, False,
                )  # fmt: skip
                end = panels_of(shown, query) * panel
                beyond = panels_of(visible, query) * panel - end
                for i in range(strip, strip + strip_rows):
                    row = first + i
                    seen = max(0, min(shown, row + 1 - start)) if causal else shown
                    if mask.size:
                        from_mask = at_mask + row * mask_row + start
                        add_mask(mask, from_mask, seen, work, weights + i * line)
                    expect_row(y, at_y + (row + AHEAD) * y_row, width)
                    level = dot(work, dys + i * width_padded, y, at_y + row * y_row, width)
                    _slopes(
                        work, weights + i * line, slopes + i * line, seen, shown,
                        lse[at_lse + row], level,
                    )  # fmt: skip
                    clear(work, weights + i * line + end, beyond)
                    clear(work, slopes + i * line + end, beyond)
                if to_queries:
                    multiply(
                        strip_rows, shown, work, slopes + strip * line, line, 1, work, packed_keys,
                        count * panel, padded // panel, work, dq + strip * padded, padded, False,
                    )  # fmt: skip
            if to_queries:
                for i in range(rows):
                    to = at_dq + (first + i) * dq_row
                    expect_row(out_dq, to + AHEAD * dq_row, depth)
                    put_row(work, dq + i * padded, depth, scale, start > 0, out_dq, to)
            if to_keys:
                pack_rows(work, dys, width_padded, rows, width, work, packed)
                multiply(
                    visible, rows, work, weights, 1, line, work, packed, rows * panel,
                    width_padded // panel, work, dv, width_padded, True,
                )  # fmt: skip
                pack_rows(work, queries, padded, rows, depth, work, packed)
                multiply(
                    visible, rows, work, slopes, 1, line, work, packed, rows * panel,
                    padded // panel, work, dk, padded, True,
                )  # fmt: skip
        if to_keys:
            for j in range(count):
                to = at_dk + (start + j) * dk_row
                expect_row(out_dk, to + AHEAD * dk_row, depth)
                expect_row(out_dv, at_dv + (start + j + AHEAD) * dv_row, width)
                put_row(work, dk + j * padded, depth, 1.0, False, out_dk, to)
                to = at_dv + (start + j) * dv_row
                put_row(work, dv + j * width_padded, width, 1.0, False, out_dv, to)
    if to_keys:
        for j in range(last_key, end_key):
            clear_row(out_dk, at_dk + j * dk_row, depth)
            clear_row(out_dv, at_dv + j * dv_row, width)
    if to_queries and length == 0:
        for row in range(first_row, last_row):
            clear_row(out_dq, at_dq + row * dq_row, depth)


@jit
def _slopes(work, weights, slopes, seen, visible, shift, level):
    """Scores become weights p, and dp becomes p (dp - dy y)."""
    standing_alone()
    width = panels_of(visible, work) * lanes(work)
    hide(work, weights, seen, width)
    for j in range(0, width, lanes(work)):
        p = decay(load(work, weights + j) - shift)
        store(work, weights + j, p)
        store(work, slopes + j, p * (load(work, slopes + j) - level))


@jit
def dot(a, a_start, b, b_start, count):
    """The product of two rows."""
    standing_alone()
    step = lanes(a)
    rest = count % step
    end = count - rest
    total = load_first(a, a_start + end, rest, 0.0) * load_first(b, b_start + end, rest, 0.0)
    for i in range(0, end, step):
        total = fma(load(a, a_start + i), load(b, b_start + i), total)
    return sum_lanes(total)
