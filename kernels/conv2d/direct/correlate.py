"""y, and the gradient of x as dy correlated with the filters transposed, phase by phase.

A task is a strip of output rows of one image and group.
"""

import numpy as np

from kernels import _memory
from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._simd import clear
from kernels._tile import (
    GATHER_ROWS,
    GATHER_VECTORS,
    gather_columns,
    gather_tile,
    tile_lanes,
)
from kernels.conv2d.direct.plan import Plan, plan_forward, plan_to_input
from kernels.conv2d.direct.strips import Strips, place_planes
from kernels.conv2d.panels import panel_width, unpack_rows
from kernels.conv2d.phases import Pair
from kernels.conv2d.planes import finish_filters
from kernels.conv2d.rounding import pieces, round_up, up


def forward(x, weight, bias, window, groups, relu, out_y):
    plan = plan_forward(
        x.shape[0] * groups, x.shape[1] // groups, _in_registers(out_y, groups), x.shape[2:],
        out_y.shape[2:], window, x.dtype.itemsize,
    )  # fmt: skip
    _correlate(x, weight, bias, groups, relu, False, plan, (1, 1), out_y)


def to_input(dy, weight, window, groups, out_dx):
    plan = plan_to_input(
        dy.shape[0] * groups, dy.shape[1] // groups, _in_registers(out_dx, groups), dy.shape[2:],
        out_dx.shape[2:], window, dy.dtype.itemsize,
    )  # fmt: skip
    stride = window.stride_h, window.stride_w
    _correlate(dy, weight, np.empty(0, dy.dtype), groups, False, True, plan, stride, out_dx)


def _in_registers(y: np.ndarray, groups: int) -> int:
    """The filters of a group, up to a register."""
    return up(y.shape[1] // groups, gather_columns(y.dtype) // GATHER_VECTORS)


def _correlate(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    groups: int,
    relu: bool,
    transposed: bool,
    plan: Plan,
    stride: Pair,
    y: np.ndarray,
) -> None:
    """transposed  weight is (C, K / groups, ...)
    stride      how far apart a phase's positions lie in y; bias and ReLU only without one
    """
    threads, dtype = thread_rows(), x.dtype
    channels, filters = x.shape[1] // groups, y.shape[1] // groups
    padded = _in_registers(y, groups)
    register = gather_columns(dtype) // GATHER_VECTORS
    work_weight = _memory.empty(max(1, plan.taps.size) * groups * channels * padded, dtype)
    panels = pieces(filters, GATHER_VECTORS * register)
    _pack_panel(
        plan.phases.shape[0] * groups * panels, weight, groups, transposed, plan.phases, plan.taps,
        work_weight,
    )  # fmt: skip
    spread = filters * plan.most if stride != (1, 1) else 0
    _correlate_strip(
        x.shape[0] * groups * plan.strips.per_image, x, bias, groups, relu, tuple(plan.strips),
        stride, plan.phases, plan.offsets, plan.positions, work_weight,
        _memory.empty((threads, plan.strips.planes_size(channels)), dtype),
        _memory.empty((threads, (plan.most + register) * padded), dtype),
        _memory.empty((threads, register * register), dtype),
        _memory.empty((threads, spread), dtype), y,
    )  # fmt: skip


@parallel
def _pack_panel(task, weight, groups, transposed, plan_phases, plan_taps, work_weight):
    """One panel of filters of a phase: rows (channels, taps)."""
    if transposed:
        channels, filters = weight.shape[0] // groups, weight.shape[1]
    else:
        channels, filters = weight.shape[1], weight.shape[0] // groups
    register = tile_lanes(weight)
    columns = GATHER_VECTORS * register
    panels = (filters + columns - 1) // columns
    phase, group = task // (groups * panels), task // panels % groups
    panel = task % panels * columns
    count, tap = plan_phases[phase, 0], plan_phases[phase, 1]
    start = groups * tap + group * count
    start = (start * round_up(filters, register) + panel * count) * channels
    width = panel_width(panel, filters, register)
    area = weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    for c in range(channels):
        for t in range(count):
            to = start + (c * count + t) * width
            for j in range(width):
                k = panel + j
                if transposed:
                    source = (group * channels + c) * filters + k
                else:
                    source = (group * filters + k) * channels + c
                inside = k < filters
                work_weight[to + j] = flat[source * area + plan_taps[tap + t]] if inside else 0.0


@parallel
def _correlate_strip(
    task, x, bias, groups, relu, strips, stride, plan_phases, plan_offsets, plan_positions,
    work_weight, work_planes, work_sums, work_square, work_spread, out_y,
):  # fmt: skip
    """work_weight  (taps of all phases * groups * channels * filters up to a register,)
    work_planes  (threads, the planes of a group's channels)
    work_sums    (threads, positions up to a tile and a register * filters up to a register)
    work_square  (threads, a square of register lanes)
    work_spread  (threads, filters * positions with a stride, else 0)
    """
    thread = thread_id()
    planes, sums = work_planes[thread], work_sums[thread]
    square, spread = work_square[thread], work_spread[thread]
    strips = Strips(*strips)
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    height, width = out_y.shape[2], out_y.shape[3]
    image, group = task // (strips.per_image * groups), task // strips.per_image % groups
    first = task % strips.per_image * strips.height
    place_planes(x, image * x.shape[1] + group * channels, channels, first, strips, planes)
    padded = round_up(filters, tile_lanes(x))
    at = (image * groups + group) * filters * height * width
    for phase in range(plan_phases.shape[0]):
        taps, tap, row, column, grid_rows, grid_columns, position = plan_phases[phase]
        high = min(strips.height, grid_rows - first)
        positions = high * grid_columns
        if positions <= 0:
            continue
        across = round_up(positions, GATHER_ROWS)
        if taps == 0:
            clear(sums, 0, across * padded)
        else:
            start = (groups * tap + group * taps) * channels * padded
            _multiply_positions(
                channels, strips, taps, tap, plan_positions, position, positions, filters,
                plan_offsets, work_weight, start, planes, sums,
            )  # fmt: skip
        to = at + (row + first * stride[0]) * width + column
        _write_phase(sums, across, high, grid_columns, filters, stride, square, spread, out_y, to)
    at += first * width
    count = min(strips.height, height - first) * width
    finish_filters(bias, relu, group * filters, filters, count, height * width, out_y, at)


@jit
def _multiply_positions(
    channels, strips, taps, tap, plan_positions, first, positions, filters, plan_offsets, weight,
    start, planes, sums,
):  # fmt: skip
    """sums[p, k]: all channels and taps, a chunk of channels after the other.

    Within a chunk and a panel of filters, the filters stay in L1 while positions pass.
    """
    register = tile_lanes(planes)
    columns = GATHER_VECTORS * register
    across = round_up(positions, GATHER_ROWS)
    for channel in range(0, channels, strips.chunk):
        depth = min(strips.chunk, channels - channel) * taps
        for panel in range(0, filters, columns):
            width = panel_width(panel, filters, register)
            b = start + panel * channels * taps + channel * taps * width
            for p in range(0, positions, GATHER_ROWS):
                gather_tile(
                    width // register, depth, planes, channel * strips.plane, plan_positions,
                    first + p, plan_offsets, tap * strips.chunk, weight, b, sums,
                    panel * across + p * width, channel > 0,
                )  # fmt: skip


@jit
def _write_phase(sums, across, rows, columns, filters, stride, square, spread, out_y, start):
    """Planes of the sums of one phase, a position every `stride` rows and columns from `start`."""
    height, width = out_y.shape[2], out_y.shape[3]
    positions = rows * columns
    if stride[0] == 1 and stride[1] == 1:
        unpack_rows(sums, across, positions, filters, out_y, start, height * width, square)
        return
    flat = out_y.reshape(-1)
    unpack_rows(sums, across, positions, filters, spread, 0, positions, square)
    for k in range(filters):
        for r in range(rows):
            source = k * positions + r * columns
            to = start + (k * height + r * stride[0]) * width
            for q in range(columns):
                flat[to + q * stride[1]] = spread[source + q]
