"""How much work is done at once, and the scratch that it takes."""

from typing import NamedTuple

import numpy as np

from kernels import _jit
from kernels._memory import Scratch
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
    """What a walk through time works in."""

    shares: int  # of the samples
    packed_ih: np.ndarray  # by `pack_for_states`
    packed_hh: np.ndarray
    ahead: bool  # whether what the inputs add is computed for all steps at once
    sums: np.ndarray  # (T, N, gates padded) where ahead, else (1, N, gates units at once)


def walk_scratch(
    x: np.ndarray, weights: tuple, gates: int, out: np.ndarray, all_units: bool = False
) -> dict[str, Scratch]:
    """For weights (ih, hh, ..), and sums of `gates` numbers a unit; `walk_in` takes it.

    out        (T, N, gates H), where sums may lie until it is written, or (0, N, gates H)
    all_units  whether all units of a step are summed before the first is finished
    """
    (steps, samples, _), dtype, hidden = x.shape, x.dtype, out.shape[2] // gates
    padded, ahead = padded_size(hidden, dtype), samples <= FEW_ROWS * shares_of(samples)
    of_steps = steps if ahead and not (out.size and padded == hidden) else 0
    units = padded if all_units else lanes_of(dtype)
    ih, hh = (len(weights[0]) // hidden * padded * w.shape[1] for w in weights[:2])
    return {
        "work": {
            "packed_ih": (ih, dtype),
            "packed_hh": (hh, dtype),
            "ahead": ((of_steps, samples, gates * padded), dtype),
            "sums": ((0 if ahead else 1, samples, gates * units), dtype),
        }
    }


def walk_in(work: dict[str, np.ndarray], out: np.ndarray) -> Walk:
    """Of scratch by `walk_scratch`, and the same `out`."""
    sums, ahead = work["sums"], not work["sums"].size
    if ahead:
        sums = work["ahead"] if work["ahead"].size else out
    return Walk(shares_of(sums.shape[1]), work["packed_ih"], work["packed_hh"], ahead, sums)


class WalkBack(NamedTuple):
    """What a walk back through time works in."""

    packed_ih: np.ndarray  # by `pack_for_gradients`
    packed_hh: np.ndarray
    dgates: np.ndarray  # (rows of a block, columns)
    dh: np.ndarray  # (N, width padded); out_dh0 itself where nothing is padded
    products: tuple[np.ndarray, np.ndarray, np.ndarray]  # a share to a thread, see `close_block`
    wide: tuple[np.ndarray, np.ndarray]  # float64, of dweight_ih, dweight_hh; see `wide_sums`
    dbias: np.ndarray  # float64, zeros


def walk_back_scratch(
    x: np.ndarray, weights: tuple, columns: int, at_once: int, dweights: tuple
) -> dict[str, Scratch]:
    """For weights (ih, hh, ..) and their gradients, and that of the bias; see `walk_back_in`.

    columns  of the gates' gradients, and `at_once` of them whose weights saw the same
    """
    ih, hh = weights[:2]
    dih, dhh, dbias = dweights[:3]
    (steps, samples, inputs), dtype, width = x.shape, x.dtype, hh.shape[1]
    rows, padded = min(steps_of(samples), steps) * samples, padded_size(width, dtype)
    # Of products each thread packs a share of the left sides, and the right ones.
    threads, lanes, wide = _jit.get_num_threads(), lanes_of(dtype), panel_columns(dtype)
    left = -(-panels_across(at_once, dtype) // threads) * lanes
    return {
        "work": {
            "packed_ih": (len(ih) * padded_size(inputs, dtype), dtype),
            "packed_hh": (len(hh) * padded, dtype),
            "dgates": ((rows, columns), dtype),
            "dh": ((0 if padded == width else samples, padded), dtype),
            "left": ((threads, KC * left), dtype),
            "right": ((threads, KC * wide), dtype),
            "spare": ((threads, max(GRADIENT_ROWS * lanes, MR * wide)), dtype),
            "wide_ih": wide_sums(x, dih),
            "wide_hh": wide_sums(x, dhh),
            "dbias": (dbias.size, np.float64),
        }
    }


def walk_back_in(work: dict[str, np.ndarray], out_dh0: np.ndarray) -> WalkBack:
    """Of scratch by `walk_back_scratch`, with zeros where the walk adds."""
    work["dh"].fill(0)
    work["dbias"].fill(0)
    return WalkBack(
        packed_ih=work["packed_ih"],
        packed_hh=work["packed_hh"],
        dgates=work["dgates"],
        dh=work["dh"] if work["dh"].size else out_dh0,
        products=(work["left"], work["right"], work["spare"]),
        wide=(work["wide_ih"], work["wide_hh"]),
        dbias=work["dbias"],
    )


def wide_sums(x: np.ndarray, dweight: np.ndarray) -> tuple[int, type]:
    """For sums of a weight's gradient in float64; empty unless there are several groups."""
    groups = -(-len(x) // steps_of(x.shape[1]) // GROUP)
    return dweight.size if groups > 1 else 0, np.float64


def close_sums(*sums: tuple[np.ndarray, np.ndarray]) -> None:
    """What was summed in float64 becomes the result, for each pair that has such sums."""
    for wide, out in sums:
        if wide.size:
            out.reshape(-1)[...] = wide
