"""How direct convolution is cut into strips, and the tables that lead tiles through planes."""

import functools
from typing import NamedTuple

import numpy as np

from kernels._tile import GATHER_ROWS
from kernels.conv2d import phases
from kernels.conv2d.direct.strips import Strips
from kernels.conv2d.geometry import Window
from kernels.conv2d.phases import Pair, Phase, table_of
from kernels.conv2d.rounding import pieces, up

# Planes and sums of a task, in bytes: most of a 512 KiB L2.
CACHE_BYTES = 400_000

# Rows of a panel that stay in L1 while others pass: 20 KiB of float32.
PANEL_ROWS = 320


class Plan(NamedTuple):
    """phases     (phases, 7) int64: taps of it and of those before it, its first row and column,
               rows and columns, its first place in `positions`
    taps       of all phases, each a place in the kernel, int64
    offsets    for each phase (chunk, taps): from a position to a tap, int64
    positions  for each phase where the positions of a strip lie in a plane, up to whole tiles,
               int64
    most       positions of the largest phase in a strip, up to whole tiles
    """

    strips: Strips
    phases: np.ndarray
    taps: np.ndarray
    offsets: np.ndarray
    positions: np.ndarray
    most: int


@functools.lru_cache(maxsize=512)
def plan_forward(
    images: int, channels: int, filters: int, size: Pair, grid: Pair, window: Window, itemsize: int
) -> Plan:
    phase = phases.of_output(grid, window)
    chunk = max(1, min(channels, PANEL_ROWS // len(phase.taps)))
    pad, stride = (window.pad_h, window.pad_w), (window.stride_h, window.stride_w)
    return _plan(images, channels, filters, size, [phase], pad, stride, chunk, 0, itemsize)


@functools.lru_cache(maxsize=512)
def plan_to_weight(
    images: int, channels: int, filters: int, size: Pair, grid: Pair, window: Window, itemsize: int
) -> Plan:
    """Chunks of channels of about 400 taps, so that laying out dy once for each costs little."""
    phase = phases.of_output(grid, window)
    chunk = pieces(channels, pieces(channels * len(phase.taps), 450))
    pad, stride = (window.pad_h, window.pad_w), (window.stride_h, window.stride_w)
    return _plan(images, chunk, filters, size, [phase], pad, stride, chunk, PANEL_ROWS, itemsize)


@functools.lru_cache(maxsize=512)
def plan_to_input(
    images: int, channels: int, filters: int, size: Pair, grid: Pair, window: Window, itemsize: int
) -> Plan:
    """size is dy's, grid x's; channels are those of dy."""
    found, before = phases.of_input(grid, window)
    most = max(len(phase.taps) for phase in found)
    chunk = max(1, min(channels, PANEL_ROWS // max(1, most)))
    return _plan(images, channels, filters, size, found, before, (1, 1), chunk, 0, itemsize)


def _plan(
    images: int,
    channels: int,
    filters: int,
    size: Pair,
    found: list[Phase],
    before: Pair,
    stride: Pair,
    chunk: int,
    most_positions: int,
    itemsize: int,
) -> Plan:
    """The height of strips that costs least, and the tables.

    before          zeros above and left of a plane
    stride          between positions, in rows and columns of a plane
    most_positions  of a strip of several rows; 0 for any number
    """
    grid_rows = max(phase.rows for phase in found)
    grid_columns = max(phase.columns for phase in found)
    reach = [max((tap[a] for phase in found for tap in phase.taps), default=0) for a in (1, 2)]
    # The zeros right of a row are those left of the next one.
    last = (grid_columns - 1) * stride[1] + reach[1]
    pitch = max(before[1] + size[1], last + 1 - before[1])
    height = _strip_height(
        images, channels, filters, found, grid_rows, stride[0], reach[0], pitch, most_positions,
        itemsize,
    )  # fmt: skip
    rows = (height - 1) * stride[0] + reach[0] + 1
    plane = rows * pitch
    # Planes a multiple of 512 bytes apart would share few sets of L1.
    while plane * itemsize % 512 == 0:
        plane += 16
    table: list[tuple[int, ...]] = []
    taps: list[int] = []
    offsets: list[int] = []
    positions: list[int] = []
    for phase in found:
        table.append(
            (len(phase.taps), len(taps), phase.row, phase.column, phase.rows, phase.columns,
             len(positions))
        )  # fmt: skip
        taps += [tap for tap, _, _ in phase.taps]
        offsets += [
            c * plane + r * pitch + column for c in range(chunk) for _, r, column in phase.taps
        ]
        positions += [
            (r * pitch * stride[0]) + q * stride[1]
            for r in range(min(height, phase.rows))
            for q in range(phase.columns)
        ]
        positions += [0] * (-len(positions) % GATHER_ROWS)
    offsets += [0] * (-len(offsets) % GATHER_ROWS)
    most = max(min(height, phase.rows) * phase.columns for phase in found)
    per_image = pieces(grid_rows, height)
    strips = Strips(height, per_image, rows, stride[0], *before, pitch, plane, chunk)
    return Plan(
        strips,
        table_of(table),
        table_of(taps),
        table_of(offsets),
        table_of(positions),
        up(most, GATHER_ROWS),
    )


def _strip_height(
    images: int,
    channels: int,
    filters: int,
    found: list[Phase],
    grid_rows: int,
    stride: int,
    reach: int,
    pitch: int,
    most_positions: int,
    itemsize: int,
) -> int:
    """Costs in multiply-adds: a copied element as much as 8, a written one 16."""
    best = (float("inf"), 1)
    for height in range(1, grid_rows + 1):
        plane = ((height - 1) * stride + reach + 1) * pitch
        positions = [min(height, phase.rows) * phase.columns for phase in found]
        held = channels * plane + filters * max(positions)
        strips = pieces(grid_rows, height)
        too_long = most_positions and max(positions) > most_positions
        if height > 1 and (held * itemsize > CACHE_BYTES or images * strips < 8 or too_long):
            break
        cost = 8 * channels * plane * strips
        for phase, count in zip(found, positions, strict=True):
            last = max(0, phase.rows - (strips - 1) * height) * phase.columns
            tiles = (strips - 1) * pieces(count, GATHER_ROWS) + pieces(last, GATHER_ROWS)
            each = channels * len(phase.taps) + 16
            cost += tiles * GATHER_ROWS * filters * each
        best = min(best, (cost, height))
    return best[1]
