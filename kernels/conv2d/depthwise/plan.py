"""Where depthwise convolution lays out planes, and the tables that lead there."""

import functools
from typing import NamedTuple

import numpy as np

from kernels.conv2d import phases
from kernels.conv2d.depthwise.planes import Layout
from kernels.conv2d.geometry import Window
from kernels.conv2d.phases import Pair, table_of

# Rows computed together.
ROWS = 4


class Plan(NamedTuple):
    """phases   (phases, 6) int64: taps of it and of those before it, its first row and column,
             its rows and columns
    taps     of all phases, each a place in the kernel, int64
    offsets  where they lie from a position of the phase, int64
    """

    layout: Layout
    phases: np.ndarray
    taps: np.ndarray
    offsets: np.ndarray


@functools.lru_cache(maxsize=512)
def plan_forward(window: Window, size: Pair, grid: Pair, lanes: int) -> Plan:
    rows, columns = size[0] + 2 * window.pad_h, size[1] + 2 * window.pad_w
    dealt = window.stride_w
    # Vectors read beyond the last column of a row, and below the last row.
    pitch = -(-columns // dealt) + lanes
    rows += (ROWS - 1) * window.stride_h
    layout = Layout(
        dealt, rows, window.pad_h, window.pad_w, pitch, dealt * rows * pitch,
        window.stride_h * pitch, 1, 1,
    )  # fmt: skip
    phase = phases.of_output(grid, window)
    offsets = [
        (column % dealt * rows + row) * pitch + column // dealt for _, row, column in phase.taps
    ]
    taps = [tap for tap, _, _ in phase.taps]
    table = [(len(taps), 0, 0, 0, *grid)]
    return Plan(layout, table_of(table), table_of(taps), table_of(offsets))


@functools.lru_cache(maxsize=512)
def plan_to_input(window: Window, grid: Pair, size: Pair, lanes: int) -> Plan:
    """For dy of size `grid`, x of `size`."""
    found, (top, left) = phases.of_input(size, window)
    down = max((r for phase in found for _, r, _ in phase.taps), default=0)
    right = max((c for phase in found for _, _, c in phase.taps), default=0)
    rows = max(found[0].rows + ROWS - 1 + down, top + grid[0])
    pitch = max(found[0].columns + right, left + grid[1]) + lanes
    layout = Layout(
        1, rows, top, left, pitch, rows * pitch, pitch, window.stride_h, window.stride_w
    )
    table: list[tuple[int, ...]] = []
    taps: list[int] = []
    offsets: list[int] = []
    for phase in found:
        table.append(
            (len(phase.taps), len(taps), phase.row, phase.column, phase.rows, phase.columns)
        )
        taps += [tap for tap, _, _ in phase.taps]
        offsets += [r * pitch + column for _, r, column in phase.taps]
    return Plan(layout, table_of(table), table_of(taps), table_of(offsets))
