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
from ._steps import SERIAL_BELOW, part_count


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
    out = out_y, out_mean, out_var
    arguments = x, residual, gamma, beta, eps, add, relu, work, work_lanes, out
    _two_passes(layout.forward_serial, layout.forward_parallel, x, work, arguments)


def inference_forward(x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y):
    layout = _layout(x)
    run = layout.inference_serial if x.size < SERIAL_BELOW else layout.inference_parallel
    run(x, residual, mean, var, gamma, beta, eps, add, relu, work, work_lanes, out_y)


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
    out = out_dx, out_dresidual, out_dgamma, out_dbeta
    arguments = dy, x, y, gamma, beta, mean, var, eps, add, relu, training, work, work_lanes, out
    _two_passes(layout.backward_serial, layout.backward_parallel, x, work, arguments)


def _layout(x):
    return cpu_planes if x.shape[2] > 1 else cpu_columns


def _two_passes(serial, parallel, x, work, arguments):
    """One after the other within each task, unless the parts of a group need all its sums."""
    if x.size < SERIAL_BELOW:
        serial(True, True, *arguments)
    elif work.shape[1] == 1:
        parallel(True, True, *arguments)
    else:
        parallel(True, False, *arguments)
        parallel(False, True, *arguments)
