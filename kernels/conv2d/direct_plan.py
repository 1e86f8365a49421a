"""How the direct kernels are cut into strips, and the tables that lead tiles through planes."""

import functools
from typing import NamedTuple

import numpy as np

from kernels._tile import GATHER_ROWS
from kernels.conv2d.reference import Window

# Planes and sums of a task, in bytes: most of a 512 KiB L2.
CACHE_BYTES = 400_000

# Rows of a panel that stay in L1 while others pass: 20 KiB of float32.
PANEL_ROWS = 320


class Phase(NamedTuple):
    """Output positions that see the same taps."""

    row: int
    column: int
    rows: int
    columns: int
    taps: list[tuple[int, int, int]]  # place in the kernel, row and column from a position


class Plan(NamedTuple):
    cuts: tuple[int, ...]
    phases: np.ndarray
    taps: np.ndarray
    offsets: np.ndarray
    places: np.ndarray
    positions: int  # of the largest phase in a strip, up to whole tiles

    def planes_size(self, channels: int) -> int:
        """Elements of the planes of some channels, and a row that tiles may read beyond them."""
        pitch, plane = self.cuts[6:8]
        return channels * plane + pitch


@functools.lru_cache(maxsize=512)
def plan_forward(
    images: int,
    channels: int,
    filters: int,
    size: tuple[int, int],
    grid: tuple[int, int],
    window: Window,
    itemsize: int,
) -> Plan:
    phase, pad = _forward_phase(grid, window), window[4:6]
    chunk = max(1, min(channels, PANEL_ROWS // len(phase.taps)))
    return _plan(images, channels, filters, size, [phase], pad, window[2:4], chunk, 0, itemsize)


@functools.lru_cache(maxsize=512)
def plan_to_weight(
    images: int,
    channels: int,
    filters: int,
    size: tuple[int, int],
    grid: tuple[int, int],
    window: Window,
    itemsize: int,
) -> tuple[Plan, int]:
    """Chunks of channels of about 400 taps, so that laying out dy once for each costs little."""
    phase, pad = _forward_phase(grid, window), window[4:6]
    pieces = -(-channels * len(phase.taps) // 450)
    chunk = -(-channels // pieces)
    plan = _plan(
        images, chunk, filters, size, [phase], pad, window[2:4], chunk, PANEL_ROWS, itemsize
    )
    return plan, chunk


@functools.lru_cache(maxsize=512)
def plan_to_input(
    images: int,
    channels: int,
    filters: int,
    size: tuple[int, int],
    grid: tuple[int, int],
    window: Window,
    itemsize: int,
) -> Plan:
    phases, before = input_phases(grid, window)
    most = max(len(phase.taps) for phase in phases)
    chunk = max(1, min(channels, PANEL_ROWS // max(1, most)))
    return _plan(images, channels, filters, size, phases, before, (1, 1), chunk, 0, itemsize)


def input_phases(grid: tuple[int, int], window: Window) -> tuple[list[Phase], tuple[int, int]]:
    """How the gradient of x of size `grid` falls apart, and the zeros above and left of dy.

    Rows y of x with y = a mod stride meet the taps i with (a + pad - i dilation) mod stride = 0,
    each in row (y - a) / stride + (a + pad - i dilation) / stride of dy.
    """
    kernel, step, pad, dilation = window[0:2], window[2:4], window[4:6], window[6:8]
    sides = []
    for side in (0, 1):
        found = []
        for a in range(min(step[side], grid[side])):
            reached = a + pad[side] - np.arange(kernel[side]) * dilation[side]
            taps = np.flatnonzero(reached % step[side] == 0)
            count = -(-(grid[side] - a) // step[side])
            found.append((a, count, [(int(i), int(reached[i]) // step[side]) for i in taps]))
        sides.append(found)
    before = [max([0, *(-s for _, _, taps in side for _, s in taps)]) for side in sides]
    phases = [
        Phase(
            a, b, rows, columns,
            [(i * kernel[1] + j, r + before[0], c + before[1]) for i, r in down for j, c in right],
        )
        for a, rows, down in sides[0]
        for b, columns, right in sides[1]
    ]  # fmt: skip
    return phases, (before[0], before[1])


def _forward_phase(grid: tuple[int, int], window: Window) -> Phase:
    height, width, dilation = window[0], window[1], window[6:8]
    taps = [
        (i * width + j, i * dilation[0], j * dilation[1])
        for i in range(height)
        for j in range(width)
    ]
    return Phase(0, 0, *grid, taps)


def _plan(
    images: int,
    channels: int,
    filters: int,
    size: tuple[int, int],
    phases: list[Phase],
    before: tuple[int, int],
    step: tuple[int, int],
    chunk: int,
    most_positions: int,
    itemsize: int,
) -> Plan:
    """The height of strips that costs least, and the tables.

    before          zeros above and left of a plane
    step            between positions, in rows and columns of a plane
    most_positions  of a strip of several rows; 0 for any number
    """
    grid_rows = max(phase.rows for phase in phases)
    grid_columns = max(phase.columns for phase in phases)
    reach = [max((tap[a] for phase in phases for tap in phase.taps), default=0) for a in (1, 2)]
    # The zeros right of a row are those left of the next one.
    last = (grid_columns - 1) * step[1] + reach[1]
    pitch = max(before[1] + size[1], last + 1 - before[1])
    strip = _strip_height(
        images, channels, filters, phases, grid_rows, step[0], reach[0], pitch, most_positions,
        itemsize,
    )  # fmt: skip
    rows = (strip - 1) * step[0] + reach[0] + 1
    plane = rows * pitch
    # Planes a multiple of 512 bytes apart would share few sets of L1.
    while plane * itemsize % 512 == 0:
        plane += 16
    table: list[tuple[int, ...]] = []
    taps: list[int] = []
    offsets: list[int] = []
    places: list[int] = []
    for phase in phases:
        table.append(
            (len(phase.taps), len(taps), phase.row, phase.column, phase.rows, phase.columns,
             len(places))
        )  # fmt: skip
        taps += [tap for tap, _, _ in phase.taps]
        offsets += [
            c * plane + r * pitch + column for c in range(chunk) for _, r, column in phase.taps
        ]
        places += [
            (r * pitch * step[0]) + q * step[1]
            for r in range(min(strip, phase.rows))
            for q in range(phase.columns)
        ]
        places += [0] * (-len(places) % GATHER_ROWS)
    offsets += [0] * (-len(offsets) % GATHER_ROWS)
    most = max(min(strip, phase.rows) * phase.columns for phase in phases)
    return Plan(
        (strip, -(-grid_rows // strip), rows, step[0], *before, pitch, plane, chunk),
        np.array(table, np.int64),
        np.array(taps, np.int64),
        np.array(offsets, np.int64),
        np.array(places, np.int64),
        up(most, GATHER_ROWS),
    )


def _strip_height(
    images: int,
    channels: int,
    filters: int,
    phases: list[Phase],
    grid_rows: int,
    step: int,
    reach: int,
    pitch: int,
    most_positions: int,
    itemsize: int,
) -> int:
    """Costs in multiply-adds: a copied element as much as 8, a written one 16."""
    best = (float("inf"), 1)
    for strip in range(1, grid_rows + 1):
        plane = ((strip - 1) * step + reach + 1) * pitch
        positions = [min(strip, phase.rows) * phase.columns for phase in phases]
        held = channels * plane + filters * max(positions)
        strips = -(-grid_rows // strip)
        too_long = most_positions and max(positions) > most_positions
        if strip > 1 and (held * itemsize > CACHE_BYTES or images * strips < 8 or too_long):
            break
        cost = 8 * channels * plane * strips
        for phase, count in zip(phases, positions, strict=True):
            last = max(0, phase.rows - (strips - 1) * strip) * phase.columns
            tiles = (strips - 1) * -(-count // GATHER_ROWS) + -(-last // GATHER_ROWS)
            each = channels * len(phase.taps) + 16
            cost += tiles * GATHER_ROWS * filters * each
        best = min(best, (cost, strip))
    return best[1]


def up(number: int, multiple: int) -> int:
    """The least multiple that is no less than a number."""
    return -(-number // multiple) * multiple
