"""The gradient of weight: dot products of planes, rows in float32, runs of them in float64.

A task is a group; images come one after the other.
"""

import numpy as np

from kernels import _memory
from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._simd import VALUE_BYTES, clear, fma, full, lanes, load, load_first, sum_lanes
from kernels.conv2d.depthwise.plan import plan_forward
from kernels.conv2d.depthwise.planes import Layout, deal_columns

# Elements of dy that one lane's float32 sum may stand for, before it is added in float64.
RUN = 8192


def to_weight(x, dy, window, groups, out_dweight):
    lane_count = VALUE_BYTES // x.dtype.itemsize
    plan = plan_forward(window, x.shape[2:], dy.shape[2:], lane_count)
    threads, channels = thread_rows(), x.shape[1] // groups
    run = max(1, RUN // dy.shape[3])
    _multiply_group(
        groups, x, dy, groups, tuple(plan.layout), run, plan.offsets,
        _memory.empty((threads, channels * plan.layout.size + lane_count), x.dtype),
        _memory.empty((threads, out_dweight.size // groups), np.float64), out_dweight,
    )  # fmt: skip


@parallel
def _multiply_group(
    group, x, dy, groups, layout, run, plan_offsets, work_planes, work_sums, out_dweight
):
    """run  rows of dy summed in float32
    work_planes  (threads, channels of a group * their planes + a value)
    work_sums    (threads, filters of a group * channels of a group * taps) float64
    """
    planes, sums = work_planes[thread_id()], work_sums[thread_id()]
    layout = Layout(*layout)
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    height, width = dy.shape[2], dy.shape[3]
    area = plan_offsets.size
    clear(sums, 0, sums.size)
    for image in range(x.shape[0]):
        for c in range(channels):
            source = (image * x.shape[1] + group * channels + c) * x.shape[2] * x.shape[3]
            deal_columns(x, source, layout, planes, c * layout.size)
        for k in range(filters):
            source = (image * dy.shape[1] + group * filters + k) * height * width
            for c in range(channels):
                for tap in range(area):
                    at = c * layout.size + plan_offsets[tap]
                    for first in range(0, height, run):
                        last = min(height, first + run)
                        sums[(k * channels + c) * area + tap] += _dot_rows(
                            dy, source, first, last, planes, at, layout.vertical
                        )
    flat = out_dweight.reshape(-1)
    for i in range(filters * channels * area):
        flat[group * filters * channels * area + i] = sums[i]


@jit
def _dot_rows(dy, source, first, last, planes, at, vertical):
    """The sum of dy times a window of a plane over rows [first, last), in float32 lanes."""
    width, lane_count = dy.shape[3], lanes(dy)
    total = full(dy, 0.0)
    for r in range(first, last):
        a, b = source + r * width, at + r * vertical
        q = 0
        while q + lane_count <= width:
            total = fma(load(dy, a + q), load(planes, b + q), total)
            q += lane_count
        if q < width:
            seen = load_first(planes, b + q, width - q, 0.0)
            total = fma(load_first(dy, a + q, width - q, 0.0), seen, total)
    return sum_lanes(total)
