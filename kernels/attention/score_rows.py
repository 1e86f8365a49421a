"""Rows in a thread's scratch, and what masks do to a row of scores."""

import numpy as np

from kernels._jit import jit
from kernels._simd import (
    first,
    full,
    lanes,
    load,
    load_first,
    load_some,
    select,
    store,
    store_first,
)
from kernels.attention.panels import standing_alone


@jit
def put_row(source, at, columns, factor, add, out, to):
    """A row of `out` = factor source, or += where `add`."""
    standing_alone()
    rest = columns % lanes(out)
    for i in range(0, columns - rest, lanes(out)):
        value = load(source, at + i) * factor
        if add:
            value += load(out, to + i)
        store(out, to + i, value)
    if rest:
        value = load_first(source, at + columns - rest, rest, 0.0) * factor
        end = to + columns - rest
        if add:
            value += load_first(out, end, rest, 0.0)
        store_first(out, end, rest, value)


@jit
def hide(scores, at, seen, width):
    """-inf from column `seen` on, up to `width`, a multiple of the lanes."""
    standing_alone()
    wide = lanes(scores)
    edge = seen // wide * wide
    if edge < width:
        kept = first(scores, seen - edge)
        store(scores, at + edge, select(kept, load(scores, at + edge), -np.inf))
        for j in range(edge + wide, width, wide):
            store(scores, at + j, full(scores, -np.inf))


@jit
def add_mask(mask, mask_at, count, scores, at):
    """scores += mask, `count` columns; those behind them in the last value are lost."""
    standing_alone()
    for j in range(0, count, lanes(scores)):
        masked = load(scores, at + j) + load_some(mask, mask_at + j, count - j, 0.0)
        store(scores, at + j, masked)
