"""How much work is done at once, and the scratch that it takes."""

from typing import NamedTuple

import numpy as np

from kernels import _jit, _memory
from kernels._recurrent.sequence import Sequence
from kernels._simd import VALUE_BYTES
from kernels._tile import FEW_ROWS, KC, MR, panel_columns

# Rows of a block of time steps, unless one step has more.
BLOCK_ROWS = 512

# Blocks whose weight gradients are summed in the dtype of the arrays.
GROUP = 32

# Rows of the gradient of x made at once: those of the gates stay in L2 while panels pass over them.
GRADIENT_ROWS = 192


def lanes_of(dtype: np.dtype) -> int:
    """How many numbers a value holds."""
    return VALUE_BYTES // dtype.itemsize


def panels_across(columns: int, dtype: np.dtype) -> int:
    """How many panels so many columns make, each a value wide."""
    return -(-columns // lanes_of(dtype))


def padded_size(size: int, dtype: np.dtype) -> int:
    """Rounded up to whole panels."""
    return panels_across(size, dtype) * lanes_of(dtype)


def shares_of(samples: int) -> int:
    """Shares of the samples, one a thread: no sample looks at another, so bits do not depend."""
    return min(_jit.get_num_threads(), samples)


def steps_of(samples: int) -> int:
    """Time steps of a block."""
    return max(1, BLOCK_ROWS // samples)


class Walk(NamedTuple):
    """Scratch of a walk through time."""

    shares: int  # of the samples
    packed_ih: np.ndarray  # by `pack_for_states`
    packed_hh: np.ndarray
    ahead: bool  # whether what the inputs add is computed for all steps at once
    sums: np.ndarray  # (T, N, gates padded) where ahead, else (1, N, gates units at once)


def walk_scratch(
    run: Sequence, weights: tuple, gates: int, out: np.ndarray, all_units: bool = False
) -> Walk:
    """Scratch for weights (ih, hh, ..), and sums of `gates` numbers a unit.

    out        (T, N, gates H), where sums may lie until it is written, or empty
    all_units  whether all units of a step are summed before the first is finished
    """
    ih, hh = weights[:2]
    dtype, steps, samples, hidden = run.x.dtype, run.steps, run.samples, run.hidden
    padded, shares = padded_size(hidden, dtype), shares_of(samples)
    rows = len(ih) // hidden * padded
    ahead = samples <= FEW_ROWS * shares
    if ahead and out.size and padded == hidden:
        sums = out
    else:
        units = padded if ahead or all_units else lanes_of(dtype)
        sums = _memory.empty((steps if ahead else 1, samples, gates * units), dtype)
    packed_ih, packed_hh = (_memory.empty(rows * w.shape[1], dtype) for w in (ih, hh))
    return Walk(shares, packed_ih, packed_hh, ahead, sums)


class WalkBack(NamedTuple):
    """Scratch of a walk back through time."""

    packed_ih: np.ndarray  # by `pack_for_gradients`
    packed_hh: np.ndarray
    dgates: np.ndarray  # (rows of a block, columns)
    dh: np.ndarray  # (N, width padded); out_dh0 itself where nothing is padded
    products: tuple[np.ndarray, np.ndarray, np.ndarray]  # a share to a thread, see `close_block`
    wide: tuple[np.ndarray, np.ndarray]  # float64, of dweight_ih, dweight_hh; see `wide_sums`
    dbias: np.ndarray  # float64, zeros


def walk_back_scratch(
    run: Sequence, weights: tuple, columns: int, at_once: int, dweights: tuple, out_dh0: np.ndarray
) -> WalkBack:
    """Scratch for weights (ih, hh, ..) and their gradients, and that of the bias.

    columns  of the gates' gradients, and `at_once` of them whose weights saw the same
    """
    ih, hh = weights[:2]
    dih, dhh, dbias = dweights[:3]
    dtype, samples, (_, width) = run.x.dtype, run.samples, hh.shape
    rows, padded = min(steps_of(samples), run.steps) * samples, padded_size(width, dtype)
    return WalkBack(
        packed_ih=_memory.empty(len(ih) * padded_size(ih.shape[1], dtype), dtype),
        packed_hh=_memory.empty(len(hh) * padded, dtype),
        dgates=_memory.empty((rows, columns), dtype),
        dh=out_dh0 if padded == width else _memory.zeros((samples, padded), dtype),
        products=_products_scratch(at_once, _jit.get_num_threads(), dtype),
        wide=(wide_sums(run, dih), wide_sums(run, dhh)),
        dbias=_memory.zeros(dbias.size, np.float64),
    )


def _products_scratch(
    columns: int, shares: int, dtype: np.dtype
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Packed left and right sides of products, and a tile beside the output."""
    lanes, wide = lanes_of(dtype), panel_columns(dtype)
    share = -(-panels_across(columns, dtype) // shares) * lanes
    return (
        _memory.empty((shares, KC * share), dtype),
        _memory.empty((shares, KC * wide), dtype),
        _memory.empty((shares, max(GRADIENT_ROWS * lanes, MR * wide)), dtype),
    )


def wide_sums(run: Sequence, dweight: np.ndarray) -> np.ndarray:
    """For sums of a weight's gradient in float64; empty unless there are several groups."""
    groups = -(-run.steps // steps_of(run.samples) // GROUP)
    return _memory.empty(dweight.size if groups > 1 else 0, np.float64)


def close_sums(*sums: tuple[np.ndarray, np.ndarray]) -> None:
    """What was summed in float64 becomes the result, for each pair that has such sums."""
    for wide, out in sums:
        if wide.size:
            out.reshape(-1)[...] = wide
