"""Output positions that see the same taps, and what tables lead there.

y has one phase. The gradient of x falls apart into as many as the stride has remainders.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kernels._memory import frozen
from kernels.conv2d.geometry import Window

Pair = tuple[int, int]


class Phase(NamedTuple):
    """row, column  of the first position
    rows, columns  how many
    taps           each its place in the kernel, row and column from a position
    """

    row: int
    column: int
    rows: int
    columns: int
    taps: list[tuple[int, int, int]]


def of_output(grid: Pair, window: Window) -> Phase:
    taps = [
        (i * window.kernel_w + j, i * window.dilation_h, j * window.dilation_w)
        for i in range(window.kernel_h)
        for j in range(window.kernel_w)
    ]
    return Phase(0, 0, *grid, taps)


def of_input(size: Pair, window: Window) -> tuple[list[Phase], Pair]:
    """Those of the gradient of x of this size, and the zeros above and left of dy.

    Rows y of x with y = a mod stride meet the taps i with (a + pad - i dilation) mod stride = 0,
    each in row (y - a) / stride + (a + pad - i dilation) / stride of dy.
    """
    down = _along(size[0], window.kernel_h, window.stride_h, window.pad_h, window.dilation_h)
    right = _along(size[1], window.kernel_w, window.stride_w, window.pad_w, window.dilation_w)
    before = [max([0, *(-s for _, _, taps in side for _, s in taps)]) for side in (down, right)]
    phases = [
        Phase(
            a, b, rows, columns,
            [
                (i * window.kernel_w + j, r + before[0], c + before[1])
                for i, r in row_taps
                for j, c in column_taps
            ],
        )
        for a, rows, row_taps in down
        for b, columns, column_taps in right
    ]  # fmt: skip
    return phases, (before[0], before[1])


def _along(
    size: int, kernel: int, stride: int, pad: int, dilation: int
) -> list[tuple[int, int, list[Pair]]]:
    """For each remainder along an axis: itself, its positions, its taps and how far they reach."""
    found = []
    for a in range(min(stride, size)):
        reached = a + pad - np.arange(kernel) * dilation
        taps = np.flatnonzero(reached % stride == 0)
        found.append(
            (a, -(-(size - a) // stride), [(int(i), int(reached[i]) // stride) for i in taps])
        )
    return found


def table_of(numbers: npt.ArrayLike) -> np.ndarray:
    """A table of a plan, which a cache keeps."""
    return frozen(np.array(numbers, np.int64))
