"""Batch normalization on the CPU.

x, y, dy, residual, out_y, out_dx, out_dresidual   (N, C, S) float32 | float64, C-contiguous
gamma, beta, out_dgamma, out_dbeta     (C,) of the same dtype
mean, var, out_mean, out_var           (C,) float64
work, work_lanes                       scratch of shapes work_shapes(x), float64 and x's dtype

cpu_planes has S > 1, where a channel's elements lie side by side; cpu_columns has S = 1, where
the channels do. A task there makes two passes, one for sums and one that writes.
"""

from kernels._simd import VALUE_BYTES

from . import cpu_columns, cpu_planes
from ._steps import part_count, shares


def work_shapes(x):
    """Groups, parts of each, and what a task of the layout keeps."""
    samples, channels, positions = x.shape
    if positions > 1:
        parts = part_count(channels, samples, x.size)
        return (channels, parts, 2), (0, 0, 0, 0)
    width = cpu_columns.strip_width(channels, VALUE_BYTES // x.itemsize)
    strips = -(-channels // width)
    parts = part_count(strips, samples, x.size)
    return (
        (strips, parts, cpu_columns.WORK_ROWS, width),
        (strips, parts, cpu_columns.LANE_ROWS, width),
    )


def forward(x, residual, gamma, beta, eps, add, relu, work, work_lanes, out_y, out_mean, out_var):
    """With `add`, the residual is added before the ReLU."""
    layout = _layout(x)
    groups, parts = work.shape[:2]
    work = work, work_lanes
    if parts > 1:
        layout.moments(groups * parts, x, work)
    tasks, span = shares(groups, parts, x.size)
    out = out_y, out_mean, out_var
    layout.normalize(tasks, span, x, residual, gamma, beta, eps, add, relu, work, out)


def inference_forward(x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y):
    tasks, span = shares(*work.shape[:2], x.size)
    given = x, residual, mean, var, gamma, beta, eps, add, relu
    _layout(x).apply(tasks, span, *given, (work, work_lanes), out_y)


def backward(
    dy,
    x,
    y,
    gamma,
    beta,
    mean,
    var,
    eps,
    add,
    relu,
    training,
    work,
    work_lanes,
    out_dx,
    out_dresidual,
    out_dgamma,
    out_dbeta,
):
    """y is read and out_dresidual written with `add` only, which asks for `relu` too.

    With `training`, mean and var depend on x.
    """
    layout = _layout(x)
    groups, parts = work.shape[:2]
    given = dy, x, y, gamma, beta, mean, var, eps, add, relu
    work = work, work_lanes
    out = out_dx, out_dresidual, out_dgamma, out_dbeta
    if parts > 1:
        layout.gradient_sums(groups * parts, *given, work, out)
    tasks, span = shares(groups, parts, x.size)
    layout.gradient(tasks, span, *given, training, work, out)


def _layout(x):
    return cpu_planes if x.shape[2] > 1 else cpu_columns
