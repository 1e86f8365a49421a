"""Adaptive average pooling: weighted sums over rows, then over columns, in float64.

x, dy      (N, C, H, W) float32 | float64, C-contiguous
work_rows  as `adaptive_average_forward_scratch` says, private to a thread
"""

import numpy as np

from kernels._jit import parallel, thread_id, thread_rows
from kernels.pool2d import windows
from kernels.pool2d.cpu_average import average_backward, average_forward, sum_shares
from kernels.pool2d.planes import in_groups, planes_of


def adaptive_average_forward_scratch(x, out_y):
    width = windows.work_width(x.shape[3], max(x.shape[3], out_y.shape[3]))
    return {"work_rows": ((thread_rows(), width), np.float64)}


def adaptive_average_backward_scratch(dy, out_dx):
    return adaptive_average_forward_scratch(out_dx, dy)


def adaptive_average_forward(x, work_rows, out_y):
    kernel_size = _even_windows(x, out_y)
    if kernel_size is not None:
        average_forward(x, kernel_size, kernel_size, (0, 0), True, 0, work_rows, out_y)
    else:
        (rows, _), (columns, _) = map(windows.adaptive, x.shape[2:], out_y.shape[2:])
        _sum_windows(x, rows, columns, work_rows, out_y)


def adaptive_average_backward(dy, work_rows, out_dx):
    kernel_size = _even_windows(out_dx, dy)
    if kernel_size is not None:
        average_backward(dy, kernel_size, kernel_size, (0, 0), True, 0, work_rows, out_dx)
    else:
        (_, rows), (_, columns) = map(windows.adaptive, out_dx.shape[2:], dy.shape[2:])
        _sum_windows(dy, rows, columns, work_rows, out_dx)


def _even_windows(x, y):
    """The size of windows that lie side by side, if they do."""
    (height, width), (rows, columns) = x.shape[2:], y.shape[2:]
    if height % rows or width % columns:
        return None
    return height // rows, width // columns


def _sum_windows(x, rows, columns, work_rows, out_y):
    tasks, group = in_groups(x, max(x.shape[2] * x.shape[3], out_y.shape[2] * out_y.shape[3]))
    _window_sums(tasks, x, group, tuple(rows), tuple(columns), work_rows, out_y)


@parallel
def _window_sums(task, x, group, rows, columns, work_rows, out_y):
    """kernel_height adds an element read, kernel_width adds an output."""
    first_plane, stop_plane = planes_of(task, group, x)
    work_row = work_rows[thread_id()]
    height, width = x.shape[2:]
    out_height, out_width = out_y.shape[2:]
    first_row, stop_row, before_row, after_row = rows
    first_column, stop_column, before_column, after_column = columns
    x, y = x.reshape(-1), out_y.reshape(-1)
    for plane in range(first_plane, stop_plane):
        x_plane = plane * height * width
        for i in range(out_height):
            first, stop = first_row[i], stop_row[i]
            y_row = (plane * out_height + i) * out_width
            if i > 0 and first == first_row[i - 1] and stop == stop_row[i - 1]:
                for at in range(y_row, y_row + out_width):
                    y[at] = y[at - out_width]
                continue
            sum_shares(x, x_plane, first, stop, width, before_row, before_column, work_row, 0)
            for j in range(out_width):
                total = 0.0
                for column in range(first_column[j], stop_column[j]):
                    total += work_row[column]
                y[y_row + j] = after_row[i] * after_column[j] * total
