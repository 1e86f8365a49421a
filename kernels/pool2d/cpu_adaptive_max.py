"""Adaptive max pooling: the greatest element of windows that cover the planes evenly.

x, dy       (N, C, H, W) float32 | float64, C-contiguous
argmax      like y, int32: row * W + column of the maximum in its plane, the first of equal ones,
            the last NaN of a window that has one
"""

import numpy as np

from .._jit import jit, parallel_loops, prange
from . import windows

# Planes are shared out in groups of about so many elements, 20 us of work.
_TASK = 1 << 14


def adaptive_max_forward(x, out_y, out_argmax):
    (rows, _), (columns, _) = map(windows.adaptive, x.shape[2:], out_y.shape[2:])
    _max_tasks(x, rows.first, rows.stop, columns.first, columns.stop, out_y, out_argmax)


@parallel_loops
def _max_tasks(x, first_row, stop_row, first_column, stop_column, out_y, out_argmax):
    """Parallel over planes; a comparison an element."""
    planes = x.shape[0] * x.shape[1]
    group = max(1, _TASK // max(x.shape[2] * x.shape[3], out_y.shape[2] * out_y.shape[3]))
    rows, columns = (first_row, stop_row), (first_column, stop_column)
    if planes <= group:
        _max_planes(x, 0, planes, rows, columns, out_y, out_argmax)
    else:
        for index in prange((planes + group - 1) // group):
            task = np.int64(index)
            stop = min(planes, (task + 1) * group)
            _max_planes(x, task * group, stop, rows, columns, out_y, out_argmax)


@jit
def _max_planes(x, first_plane, stop_plane, rows, columns, out_y, out_argmax):
    height, width = x.shape[2:]
    cells, y, argmax = x.reshape(-1), out_y.reshape(-1), out_argmax.reshape(-1)
    at = first_plane * out_y.shape[2] * out_y.shape[3]
    for plane in range(first_plane, stop_plane):
        x_plane = plane * height * width
        for i in range(out_y.shape[2]):
            for j in range(out_y.shape[3]):
                left, right = columns[0][j], columns[1][j]
                position = rows[0][i] * width + left
                best = cells[x_plane + position]
                for row in range(rows[0][i], rows[1][i]):
                    for cell in range(row * width + left, row * width + right):
                        value = cells[x_plane + cell]
                        better = value > best or value != value
                        best = value if better else best
                        position = cell if better else position
                y[at] = best
                argmax[at] = position
                at += 1


@parallel_loops
def adaptive_max_backward(dy, argmax, out_dx):
    """Parallel over planes; windows that overlap add in their order."""
    planes, size = out_dx.shape[0] * out_dx.shape[1], out_dx.shape[2] * out_dx.shape[3]
    group = max(1, _TASK // max(size, dy.shape[2] * dy.shape[3]))
    if planes <= group:
        _spread_planes(dy, argmax, 0, planes, out_dx)
    else:
        for index in prange((planes + group - 1) // group):
            task = np.int64(index)
            _spread_planes(dy, argmax, task * group, min(planes, (task + 1) * group), out_dx)


@jit
def _spread_planes(dy, argmax, first_plane, stop_plane, out_dx):
    size, count = out_dx.shape[2] * out_dx.shape[3], dy.shape[2] * dy.shape[3]
    gradients, positions, dx = dy.reshape(-1), argmax.reshape(-1), out_dx.reshape(-1)
    for cell in range(first_plane * size, stop_plane * size):
        dx[cell] = 0.0
    for plane in range(first_plane, stop_plane):
        for window in range(plane * count, (plane + 1) * count):
            dx[plane * size + positions[window]] += gradients[window]
