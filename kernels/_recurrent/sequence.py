"""How the work of recurrent ops is cut, and their arrays padded to whole values."""

from collections.abc import Iterator

import numpy as np

from kernels import _jit, _memory
from kernels._recurrent.blocks import GROUP
from kernels._recurrent.steps import GRADIENT_ROWS
from kernels._recurrent.weights import DEPTH
from kernels._simd import VALUE_BYTES
from kernels._tile import TILE_ROWS, panel_columns

# Rows of a block of time steps, unless one step has more.
BLOCK_ROWS = 512


def lanes_of(dtype: np.dtype) -> int:
    """How many numbers a value holds."""
    return VALUE_BYTES // dtype.itemsize


def padded_size(size: int, dtype: np.dtype) -> int:
    """Rounded up to whole values."""
    lanes = lanes_of(dtype)
    return -(-size // lanes) * lanes


def widened(array: np.ndarray, size: int) -> np.ndarray:
    """The array with its last axis filled up with zeros to `size`."""
    if array.shape[-1] == size:
        return array
    wide = _memory.zeros((*array.shape[:-1], size), array.dtype)
    wide[..., : array.shape[-1]] = array
    return wide


def narrowed(array: np.ndarray, size: int) -> np.ndarray:
    """The first `size` of the last axis, contiguous."""
    if array.shape[-1] == size:
        return array
    narrow = _memory.empty((*array.shape[:-1], size), array.dtype)
    narrow[...] = array[..., :size]
    return narrow


def widened_gates(vector: np.ndarray, gates: int, padded: int) -> np.ndarray:
    """(gates H,) as (gates padded,), zeros behind each gate."""
    return widened(vector.reshape(gates, -1), padded).reshape(-1)


def narrowed_gates(array: np.ndarray, gates: int, hidden: int) -> np.ndarray:
    """(gates padded, ...) as (gates H, ...), without what lies behind each gate."""
    padded = len(array) // gates
    if padded == hidden:
        return array
    split = array.reshape(gates, padded, *array.shape[1:])[:, :hidden]
    return split.reshape(gates * hidden, *array.shape[1:])


def without_padding(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """x with zeros behind each sample's end: NaN there times 0 would reach the weights."""
    shorter = np.flatnonzero(lengths < len(x))
    if not shorter.size:
        return x
    cleared = _memory.empty(x.shape, x.dtype)
    cleared[...] = x
    for n in shorter:
        cleared[lengths[n] :, n] = 0
    return cleared


def sum_of_biases(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Of bias_ih and bias_hh, those that are given."""
    weight_ih = arrays["weight_ih"]
    total = np.zeros(len(weight_ih), weight_ih.dtype)
    for name in ("bias_ih", "bias_hh"):
        if name in arrays:
            total += arrays[name]
    return total


def slices_of(samples: int) -> int:
    """Shares of the samples, one a thread: no sample looks at another, so bits do not depend."""
    return min(_jit.get_num_threads(), samples)


def steps_of(samples: int) -> int:
    """Time steps of a block."""
    return max(1, BLOCK_ROWS // samples)


def walk_blocks(
    steps: int, block_steps: int, reverse: bool
) -> Iterator[tuple[int, int, tuple[bool, bool, bool]]]:
    """For each block of the walk its steps [low, high) and its place in its group.

    The walk goes from the last block to the first, or the other way where `reverse`. A group is
    GROUP blocks counted from t = 0, so padding does not move its borders. The place tells whether
    the block is the first of its group in the walk, the last, and in the first group.
    """
    blocks = -(-steps // block_steps)
    walk = range(blocks) if reverse else range(blocks)[::-1]
    for block in walk:
        lowest = block % GROUP == 0
        highest = (block + 1) % GROUP == 0 or block == blocks - 1
        place = (lowest, highest) if reverse else (highest, lowest)
        fresh = block // GROUP == walk[0] // GROUP
        yield block * block_steps, min(steps, (block + 1) * block_steps), (*place, fresh)


def close_groups(*sums: tuple[np.ndarray, np.ndarray]) -> None:
    """What was summed in float64 becomes the result, for each pair that has such sums."""
    for wide, out in sums:
        if wide.size:
            out.reshape(-1)[...] = wide


def products_scratch(columns: int, slices: int, dtype: np.dtype) -> dict[str, np.ndarray]:
    """What `close_block` works in, for gates of `columns` numbers in all."""
    lanes = lanes_of(dtype)
    share = -(-columns // lanes // slices) * lanes
    wide = panel_columns(dtype)
    return {
        "work_a": _memory.empty((slices, DEPTH * share), dtype),
        "work_b": _memory.empty((slices, DEPTH * wide), dtype),
        "work_spare": _memory.empty((slices, max(GRADIENT_ROWS * lanes, TILE_ROWS * wide)), dtype),
    }


def wide_scratch(steps: int, samples: int, *sizes: int) -> list[np.ndarray]:
    """Sums of weight gradients in float64, empty unless there is more than one group of blocks."""
    groups = -(-steps // steps_of(samples) // GROUP)
    return [_memory.empty(size if groups > 1 else 0, np.float64) for size in sizes]
