"""Batch normalization on the CPU.

x, y, dy, residual, out_y, out_dx, out_dresidual   (N, C, S) float32 | float64, C-contiguous
gamma, beta, out_dgamma, out_dbeta     (C,) of the same dtype
mean, var, out_mean, out_var           (C,) float64
work_sums, work_lanes                  scratch as `forward_scratch` says

cpu_planes has S > 1, where a channel's elements lie side by side; cpu_columns has S = 1, where
the channels do. A task makes two passes over a channel or a strip of them, one for sums and one
that writes; where parts of it are tasks, all sum before any writes.
"""

import numpy as np

from kernels._simd import VALUE_BYTES
from kernels.batch_norm import cpu_columns, cpu_planes
from kernels.batch_norm.parts import part_count, share_places
from kernels.batch_norm.strip_lines import LINES, SUMS


def forward_scratch(x):
    """By group and part of it, what a task of the layout keeps."""
    samples, channels, positions = x.shape
    if positions > 1:
        parts = part_count(channels, samples, x.size)
        return {
            "work_sums": ((channels, parts, 2), np.float64),
            "work_lanes": ((0, 0, 0, 0), x.dtype),
        }
    width = cpu_columns.strip_width(channels, VALUE_BYTES // x.itemsize)
    strips = -(-channels // width)
    parts = part_count(strips, samples, x.size)
    return {
        "work_sums": ((strips, parts, SUMS, width), np.float64),
        "work_lanes": ((strips, parts, LINES, width), x.dtype),
    }


inference_forward_scratch = backward_scratch = forward_scratch


def forward(x, residual, gamma, beta, eps, relu, work_sums, work_lanes, out_y, out_mean, out_var):
    layout, work = _layout(x), (work_sums, work_lanes)
    groups, parts = work_sums.shape[:2]
    if parts > 1:
        layout.moments(groups * parts, x, work)
    tasks, span = share_places(groups, parts, x.size)
    out = out_y, out_mean, out_var
    layout.normalize(tasks, span, x, residual, gamma, beta, eps, relu, work, out)


def inference_forward(x, residual, mean, var, gamma, beta, eps, relu, work_sums, work_lanes, out_y):
    tasks, span = share_places(*work_sums.shape[:2], x.size)
    given, work = (x, residual, mean, var, gamma, beta, eps, relu), (work_sums, work_lanes)
    _layout(x).apply(tasks, span, *given, work, out_y)


def backward(
    dy, x, y, gamma, beta, mean, var, eps, relu, training, work_sums, work_lanes, out_dx,
    out_dresidual, out_dgamma, out_dbeta,
):  # fmt: skip
    layout, work = _layout(x), (work_sums, work_lanes)
    groups, parts = work_sums.shape[:2]
    given = dy, x, y, gamma, beta, mean, var, eps, relu
    out = out_dx, out_dresidual, out_dgamma, out_dbeta
    if parts > 1 and (training or y.size or out_dgamma.size):
        layout.slope_sums(groups * parts, *given, work, out)
    tasks, span = share_places(groups, parts, x.size)
    layout.gradient(tasks, span, *given, training, work, out)


def _layout(x):
    return cpu_planes if x.shape[2] > 1 else cpu_columns
