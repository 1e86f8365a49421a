"""y, and the gradient of x phase by phase: positions that leave the same remainder by the stride.

A task is an image and a group.
"""

import numpy as np

from kernels import _memory
from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._simd import VALUE_BYTES, fma, full, lanes, load, maximum, store
from kernels._tile import copy
from kernels.conv2d.depthwise.plan import ROWS, Plan, plan_forward, plan_to_input
from kernels.conv2d.depthwise.planes import Layout, deal_columns


def forward(x, weight, bias, window, groups, relu, out_y):
    plan = plan_forward(window, x.shape[2:], out_y.shape[2:], VALUE_BYTES // x.dtype.itemsize)
    _correlate(x, weight, bias, groups, relu, False, plan, out_y)


def to_input(dy, weight, window, groups, out_dx):
    plan = plan_to_input(window, dy.shape[2:], out_dx.shape[2:], VALUE_BYTES // dy.dtype.itemsize)
    _correlate(dy, weight, np.empty(0, dy.dtype), groups, False, True, plan, out_dx)


def _correlate(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    groups: int,
    relu: bool,
    transposed: bool,
    plan: Plan,
    y: np.ndarray,
) -> None:
    """transposed  weight is (C, K / groups, ...)"""
    threads, channels, layout = thread_rows(), x.shape[1] // groups, plan.layout
    lane_count = VALUE_BYTES // x.dtype.itemsize
    span = y.shape[3] + lane_count if layout.stride_w > 1 else 0
    _correlate_group(
        x.shape[0] * groups, x, weight, bias, groups, relu, transposed, tuple(layout), plan.phases,
        plan.taps, plan.offsets,
        _memory.empty((threads, channels * layout.size + lane_count), x.dtype),
        _memory.empty((threads, ROWS * lane_count), x.dtype),
        _memory.empty((threads, ROWS, span), x.dtype), y,
    )  # fmt: skip


@parallel
def _correlate_group(
    task, x, weight, bias, groups, relu, transposed, layout, plan_phases, plan_taps, plan_offsets,
    work_planes, work_values, work_rows, out_y,
):  # fmt: skip
    """work_planes  (threads, channels of a group * their planes + a value)
    work_values  (threads, ROWS values)
    work_rows    (threads, ROWS, columns of y and a value with a stride, else 0)
    """
    thread = thread_id()
    planes, values = work_planes[thread], work_values[thread]
    rows, span = work_rows[thread].reshape(-1), work_rows.shape[2]
    layout = Layout(*layout)
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    height, width = out_y.shape[2], out_y.shape[3]
    image, group = task // groups, task % groups
    for c in range(channels):
        source = (image * x.shape[1] + group * channels + c) * x.shape[2] * x.shape[3]
        deal_columns(x, source, layout, planes, c * layout.size)
    out, flat, lane_count = out_y.reshape(-1), weight.reshape(-1), lanes(x)
    area = weight.shape[2] * weight.shape[3]
    next_filter = area if transposed else channels * area
    next_channel = filters * area if transposed else area
    for k in range(filters):
        shift = bias[group * filters + k] if bias.size else x.dtype.type(0)
        at = (image * out_y.shape[1] + group * filters + k) * height * width
        kernel = group * filters * channels * area + k * next_filter
        for phase in range(plan_phases.shape[0]):
            taps, tap, first_row, column, grid_rows, grid_columns = plan_phases[phase]
            for r in range(0, grid_rows, ROWS):
                high = min(ROWS, grid_rows - r)
                to = at + (first_row + r * layout.stride_h) * width + column
                for q in range(0, grid_columns, lane_count):
                    q = min(q, max(0, grid_columns - lane_count))
                    start = full(x, shift)
                    totals = (start, start, start, start)
                    for c in range(channels):
                        totals = _add_taps(
                            planes, c * layout.size + r * layout.vertical + q, layout.vertical,
                            flat, kernel + c * next_channel, plan_taps, plan_offsets, tap, taps,
                            totals,
                        )  # fmt: skip
                    if relu:
                        totals = _rectify(totals)
                    if layout.stride_w == 1:
                        pitch, count = layout.stride_h * width, grid_columns - q
                        _write(out, to + q, pitch, high, count, totals, values)
                    else:
                        _write(rows, q, span, ROWS, lane_count, totals, values)
                if layout.stride_w > 1:
                    for i in range(high):
                        for q in range(grid_columns):
                            there = to + i * layout.stride_h * width + q * layout.stride_w
                            out[there] = rows[i * span + q]


@jit
def _add_taps(planes, start, row, weight, first, taps, offsets, tap, count, totals):
    """For 4 vectors `row` apart: + the sum of weight[first + taps[t]] times what is offsets[t] on.

    Four sums at a time hide the latency of each.
    """
    a, b, c, d = totals
    for t in range(tap, tap + count):
        w, at = weight[first + taps[t]], start + offsets[t]
        a = fma(w, load(planes, at), a)
        b = fma(w, load(planes, at + row), b)
        c = fma(w, load(planes, at + 2 * row), c)
        d = fma(w, load(planes, at + 3 * row), d)
    return a, b, c, d


@jit
def _rectify(totals):
    a, b, c, d = totals
    return maximum(a, 0.0), maximum(b, 0.0), maximum(c, 0.0), maximum(d, 0.0)


@jit
def _write(out, to, row, high, count, totals, values):
    """The first `count` lanes of the first `high` of 4 vectors, `row` apart.

    By way of `values` where there are fewer, since masked stores are slow on some processors.
    """
    lane_count = lanes(out)
    a, b, c, d = totals
    if count >= lane_count and high == ROWS:
        store(out, to, a)
        store(out, to + row, b)
        store(out, to + 2 * row, c)
        store(out, to + 3 * row, d)
        return
    store(values, 0, a)
    store(values, lane_count, b)
    store(values, 2 * lane_count, c)
    store(values, 3 * lane_count, d)
    for i in range(high):
        copy(values, i * lane_count, out, to + i * row, min(count, lane_count))
