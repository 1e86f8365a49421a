"""What is left to do for a block of time steps whose gates have their gradients."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kernels._jit import jit, parallel
from kernels._recurrent.panels import pack_for_gradients
from kernels._recurrent.scratch import GRADIENT_ROWS, GROUP, WalkBack, close_sums
from kernels._recurrent.walking import share_of
from kernels._recurrent.weight_gradients import add_column_sums, add_weight_gradients
from kernels._simd import lanes, values_across
from kernels._tile import copy, multiply_rows

# What a part's gates saw besides the inputs.
NOTHING, STATES, OTHERS = 0, 1, 2


class Block(NamedTuple):
    """Rows of the T N rows of gates, and the block's place in its group."""

    first: int
    rows: int
    begins: bool  # the first of its group in the walk
    ends: bool  # the last of it
    fresh: bool  # in the first group


class Part(NamedTuple):
    """Columns [first, last) of the gates' gradients, and what these gates saw."""

    first: int
    last: int
    inputs: int  # 1 for x
    others: int  # NOTHING, STATES or OTHERS
    row: int  # the row of dweight_hh that belongs to the first column


@jit
def _input_gradients(block, first, last, dgates, width, depth, packed, spare, out_dx):
    """dx = dgates weight for rows [first, last) of a block.

    dgates  flat, (rows, width), `depth` columns of which count
    packed  by `pack_rows`
    spare   (GRADIENT_ROWS lanes,)
    out_dx  (T, N, I)
    """
    inputs, wide, dx = out_dx.shape[2], lanes(out_dx), out_dx.reshape(-1)
    whole, panel = inputs // wide, depth * wide
    edge = inputs - whole * wide
    for row in range(first, last, GRADIENT_ROWS):
        rows = min(GRADIENT_ROWS, last - row)
        source = row * width, width, 1
        at = (block.first + row) * inputs
        multiply_rows(
            rows, depth, dgates, source, packed, (0, panel), whole, dx, (at, inputs, wide), False
        )
        if edge:
            multiply_rows(
                rows, depth, dgates, source, packed, (whole * panel, panel), 1, spare,
                (0, wide, 0), False,
            )  # fmt: skip
            for i in range(rows):
                copy(spare, i * wide, dx, at + i * inputs + whole * wide, edge)


@jit
def _empty_group(partial, start, stop, fresh, inout_wide):
    """What a group has summed goes on in float64."""
    if inout_wide.size:
        for i in range(start, stop):
            value = inout_wide.dtype.type(partial[i])
            inout_wide[i] = value if fresh else inout_wide[i] + value


@jit
def _add_part(
    share, shares, block, dgates, width, part, seen, strides, work, work_wide, out_dih, out_dhh
):
    """A share of the gradients of weights from the columns of a part."""
    low, high = share_of(values_across(part.last - part.first, dgates), share, shares)
    low = part.first + low * lanes(dgates)
    high = min(part.last, part.first + high * lanes(dgates))
    if low >= high:
        return
    of_x = out_dih.shape[1] * part.inputs
    of_h = out_dhh.shape[1] if part.others != NOTHING else 0
    row = part.row + low - part.first
    dih, dhh = out_dih.reshape(-1), out_dhh.reshape(-1)
    other = max(part.others, STATES)
    rights = (
        (seen[0], block.first * strides[0], strides[0], of_x, dih, low * of_x),
        (seen[other], block.first * strides[other], strides[other], of_h, dhh, row * of_h),
    )
    left = dgates, width, low, high
    add_weight_gradients(block.rows, left, rights, not block.begins, work)
    if block.ends:
        _empty_group(dih, low * of_x, high * of_x, block.fresh, work_wide[0])
        _empty_group(dhh, row * of_h, (row + high - low) * of_h, block.fresh, work_wide[1])


@parallel
def _close_block(
    share, shares, block, dgates, columns, plan_parts, seen, strides, packed_ih, work, work_wide,
    outs,
):  # fmt: skip
    block, width, flat = Block(*block), dgates.shape[1], dgates.reshape(-1)
    out_dx, out_dih, out_dhh, out_dbias = outs
    own = work[0][share], work[1][share], work[2][share]
    if out_dx.size:
        low, high = share_of(block.rows, share, shares)
        _input_gradients(block, low, high, flat, width, columns[0], packed_ih, own[2], out_dx)
    for i in range(len(plan_parts)):
        part = Part(
            plan_parts[i, 0], plan_parts[i, 1], plan_parts[i, 2], plan_parts[i, 3],
            plan_parts[i, 4],
        )  # fmt: skip
        _add_part(
            share, shares, block, flat, width, part, seen, strides, own, work_wide, out_dih,
            out_dhh,
        )  # fmt: skip
    low, high = share_of(values_across(columns[1], flat), share, shares)
    high = min(columns[1], high * lanes(flat))
    add_column_sums(block.rows, flat, width, low * lanes(flat), high, own[2], out_dbias)


def close_block(
    block, dgates, columns, plan_parts, seen, strides, packed_ih, work_products, work_wide, outs
):
    """The gradients of inputs, weights and biases from a block's rows.

    block       a `Block`, as `blocks_back` gives it
    dgates      (rows, width), the first `block.rows` of which count
    columns     of dgates that inputs go into, and that biases do, from the first on
    plan_parts  (.., 5) int64, of `Part`
    seen        x, the states that the steps found, others, each flat
    strides     of these, from row to row
    packed_ih   weight_ih by `pack_for_gradients`
    work_products, work_wide  of `WalkBack`
    outs        dx (T, N, I), dweight_ih, dweight_hh, each left out if empty; dbias in float64,
                added to
    """
    shares = len(work_products[0])
    _close_block(
        shares, shares, block, dgates, columns, plan_parts, seen, strides, packed_ih,
        work_products, work_wide, outs,
    )  # fmt: skip


def _blocks_of(
    steps: int, samples: int, block_steps: int, reverse: bool
) -> Iterator[tuple[int, int, tuple]]:
    """For each block of the walk its steps [low, high), and itself.

    The walk goes from the last block to the first, or the other way where `reverse`. A group is
    GROUP blocks counted from t = 0, so padding does not move its borders.
    """
    blocks = -(-steps // block_steps)
    walk = range(blocks) if reverse else range(blocks)[::-1]
    for block in walk:
        lowest = block % GROUP == 0
        highest = (block + 1) % GROUP == 0 or block == blocks - 1
        begins, ends = (lowest, highest) if reverse else (highest, lowest)
        low, high = block * block_steps, min(steps, (block + 1) * block_steps)
        fresh = block // GROUP == walk[0] // GROUP
        yield low, high, (low * samples, (high - low) * samples, begins, ends, fresh)


def blocks_back(
    dh_n: np.ndarray,
    x: np.ndarray,
    before: np.ndarray,
    others: tuple[np.ndarray, int],
    weights: tuple,
    of_inputs: int,
    parts: list[Part],
    reverse: bool,
    work: WalkBack,
    outs: tuple[np.ndarray, np.ndarray, tuple],
) -> Iterator[tuple[int, int, tuple]]:
    """For each block its steps [low, high) and itself, to be walked until the next is asked for.

    The walk turns work.dh, the gradient of the states that are left, into that of those found, and
    writes work.dgates. This does the rest: before, between and after the blocks.

    before     (T, N, H), the states that the steps found
    others     what OTHERS means to parts: flat, and from row to row
    of_inputs  columns of dgates that inputs go into, from the first on
    outs       dx, dh0, and gradients of weights (ih, hh, bias, ..)
    """
    (steps, samples, inputs), width, dgates = x.shape, before.shape[2], work.dgates
    dx, dh0, (dih, dhh, dbias, *_) = outs
    pack_for_gradients(weights[0], weights[1], work.packed_ih, work.packed_hh)
    work.dh[:, :width] = dh_n
    plan_parts = np.array(parts)
    columns = of_inputs, min(len(work.dbias), dgates.shape[1])
    seen, strides = (x.reshape(-1), before.reshape(-1), others[0]), (inputs, width, others[1])
    for low, high, block in _blocks_of(steps, samples, len(dgates) // samples, reverse):
        yield low, high, block
        close_block(
            block, dgates, columns, plan_parts, seen, strides, work.packed_ih, work.products,
            work.wide, (dx, dih, dhh, work.dbias),
        )  # fmt: skip
    if work.dh is not dh0:
        dh0[...] = work.dh[:, :width]
    close_sums((work.wide[0], dih), (work.wide[1], dhh), (work.dbias, dbias))
