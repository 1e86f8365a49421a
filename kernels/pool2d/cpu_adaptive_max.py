"""Adaptive max pooling: the greatest element of windows that cover the planes evenly.

x, dy       (N, C, H, W) float32 | float64, C-contiguous
argmax      like y, int32: row * W + column of the maximum in its plane, the first of equal ones,
            the last NaN of a window that has one
"""

from kernels._jit import parallel
from kernels.pool2d import windows
from kernels.pool2d.planes import clear, in_groups, planes_of


def adaptive_max_forward(x, out_y, out_argmax):
    (rows, _), (columns, _) = map(windows.adaptive, x.shape[2:], out_y.shape[2:])
    tasks, group = in_groups(x, max(x.shape[2] * x.shape[3], out_y.shape[2] * out_y.shape[3]))
    bounds = rows.first, rows.stop, columns.first, columns.stop
    _max(tasks, x, group, bounds, out_y, out_argmax)


def adaptive_max_backward(dy, argmax, out_dx):
    tasks, group = in_groups(dy, max(dy.shape[2] * dy.shape[3], out_dx.shape[2] * out_dx.shape[3]))
    _spread(tasks, dy, argmax, group, out_dx)


@parallel
def _max(task, x, group, bounds, out_y, out_argmax):
    """A comparison an element."""
    first_plane, stop_plane = planes_of(task, group, x)
    first_row, stop_row, first_column, stop_column = bounds
    height, width = x.shape[2:]
    cells, y, argmax = x.reshape(-1), out_y.reshape(-1), out_argmax.reshape(-1)
    at = first_plane * out_y.shape[2] * out_y.shape[3]
    for plane in range(first_plane, stop_plane):
        x_plane = plane * height * width
        for i in range(out_y.shape[2]):
            for j in range(out_y.shape[3]):
                left, right = first_column[j], stop_column[j]
                position = first_row[i] * width + left
                best = cells[x_plane + position]
                for row in range(first_row[i], stop_row[i]):
                    for cell in range(row * width + left, row * width + right):
                        value = cells[x_plane + cell]
                        better = value > best or value != value
                        best = value if better else best
                        position = cell if better else position
                y[at] = best
                argmax[at] = position
                at += 1


@parallel
def _spread(task, dy, argmax, group, out_dx):
    """Windows that overlap add in their order."""
    first_plane, stop_plane = planes_of(task, group, dy)
    size, count = out_dx.shape[2] * out_dx.shape[3], dy.shape[2] * dy.shape[3]
    gradients, positions, dx = dy.reshape(-1), argmax.reshape(-1), out_dx.reshape(-1)
    clear(dx[first_plane * size : stop_plane * size])
    for plane in range(first_plane, stop_plane):
        for window in range(plane * count, (plane + 1) * count):
            dx[plane * size + positions[window]] += gradients[window]
