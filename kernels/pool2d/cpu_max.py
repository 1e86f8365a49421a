"""Max pooling: as many neighbouring outputs at a time as a SIMD value holds.

x, dy, out_y, out_dx  (N, C, H, W) float32 | float64, C-contiguous
argmax, out_argmax    like y, int8 | int32: the position ky * kernel_width + kx inside the
                      window; of equal maxima the first; -1 where no cell lies inside x

A vector may reach over the end of its row. What it writes there is wrong, but comes later in
the order of work and is then overwritten; at the end of a task's planes it may not.
"""

import numpy as np

from kernels._jit import jit, parallel
from kernels._simd import full, lanes, load, select, store
from kernels.pool2d.planes import clear, in_groups, planes_of
from kernels.pool2d.shuffles import evens, every, interleave, load_positions, odds, store_positions
from kernels.pool2d.windows import Window, cell_offsets


def max_forward(x, kernel_size, stride, padding, dilation, out_y, out_argmax):
    sizes = x.shape[2:] + out_y.shape[2:]
    tasks, group = in_groups(x, sizes[0] * sizes[1])
    window = *kernel_size, *stride, *padding, *dilation
    _max(tasks, x, group, window, sizes, out_y, out_argmax)


def max_backward(dy, argmax, kernel_size, stride, padding, dilation, out_dx):
    sizes = out_dx.shape[2:] + dy.shape[2:]
    tasks, group = in_groups(dy, sizes[0] * sizes[1])
    window = *kernel_size, *stride, *padding, *dilation
    offsets = cell_offsets(kernel_size, dilation, sizes[1])
    _spread(tasks, dy, argmax, group, window, sizes, offsets, out_dx)


@parallel
def _max(task, x, group, window, sizes, out_y, out_argmax):
    """2 x 2: 21 bytes of float32 an output, bound by memory."""
    first, stop = planes_of(task, group, x)
    cells, y, argmax = x.reshape(-1), out_y.reshape(-1), out_argmax.reshape(-1)
    if _are_pairs(window, sizes):
        _max_of_pairs(cells, first, stop, sizes, y, argmax)
    else:
        _max_of_windows(cells, first, stop, window, sizes, y, argmax)


@parallel
def _spread(task, dy, argmax, group, window, sizes, plan_offsets, out_dx):
    """Windows that overlap add in their order. 2 x 2: as forward."""
    first, stop = planes_of(task, group, dy)
    gradients, positions, dx = dy.reshape(-1), argmax.reshape(-1), out_dx.reshape(-1)
    if _are_pairs(window, sizes):
        _spread_to_pairs(gradients, positions, first, stop, sizes, dx)
    else:
        _add_to_windows(gradients, positions, first, stop, window, sizes, plan_offsets, dx)


@jit
def _are_pairs(window, sizes):
    """Whether windows are 2 x 2, side by side and inside x."""
    height, width, rows, columns = sizes
    fits = 2 * rows <= height and 2 * columns <= width
    return fits and window == (2, 2, 2, 2, 0, 0, 1, 1)


@jit
def _max_of_pairs(x, first_plane, stop_plane, sizes, out_y, out_argmax):
    height, width, rows, columns = sizes
    lane_count = lanes(x)
    y_stop = stop_plane * rows * columns
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            y_row = (plane * rows + i) * columns
            top = (plane * height + 2 * i) * width
            bottom = top + width
            j = 0
            while j < columns and y_row + j + lane_count <= y_stop:
                if bottom + 2 * (j + lane_count) > x.size:
                    break
                a, b = load(x, top + 2 * j), load(x, top + 2 * j + lane_count)
                best, position = evens(a, b), full(x, 0)
                best, position = _better(best, position, odds(a, b), 1)
                a, b = load(x, bottom + 2 * j), load(x, bottom + 2 * j + lane_count)
                best, position = _better(best, position, evens(a, b), 2)
                best, position = _better(best, position, odds(a, b), 3)
                store(out_y, y_row + j, best)
                store_positions(out_argmax, y_row + j, position)
                j += lane_count
            for rest in range(j, columns):
                best_one, position_one = x[top + 2 * rest], 0
                for candidate in range(1, 4):
                    value = x[(bottom if candidate > 1 else top) + 2 * rest + candidate % 2]
                    if value > best_one or value != value:
                        best_one, position_one = value, candidate
                out_y[y_row + rest] = best_one
                out_argmax[y_row + rest] = position_one


@jit
def _max_of_windows(x, first_plane, stop_plane, window, sizes, out_y, out_argmax):
    window = Window(*window)
    height, width, rows, columns = sizes
    first, stop = _whole_windows(width, columns, window)
    # In float lanes positions are exact up to here.
    if window.kernel_h * window.kernel_w > 127:
        first, stop = 0, 0
    lane_count = lanes(x)
    # A gather costs as much as its lanes one by one: half of them must be of use.
    least = lane_count // 2 if window.stride_w > 2 else 1
    reach = (window.kernel_w - 1) * window.dilation_w + window.stride_w * lane_count
    y_stop = stop_plane * rows * columns
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            y_row = (plane * rows + i) * columns
            top = i * window.stride_h - window.pad_h
            ky_first, ky_stop = _cells_inside(top, height, window.kernel_h, window.dilation_h)
            row_first = (plane * height + top + ky_first * window.dilation_h) * width
            row_last = (plane * height + top + (ky_stop - 1) * window.dilation_h) * width
            j = first
            while j + least <= stop and ky_first < ky_stop:
                left = j * window.stride_w - window.pad_w
                if y_row + j + lane_count > y_stop or row_last + left + reach > x.size:
                    break
                position = ky_first * window.kernel_w
                best, positions = full(x, -np.inf), full(x, position)
                row = row_first + left
                for _ in range(ky_first, ky_stop):
                    for kx in range(window.kernel_w):
                        value = every(x, row + kx * window.dilation_w, window.stride_w)
                        best, positions = _better(best, positions, value, position)
                        position += 1
                    row += window.dilation_h * width
                store(out_y, y_row + j, best)
                store_positions(out_argmax, y_row + j, positions)
                j += lane_count
            done = max(min(j, stop), first)
            for border in range(columns - (done - first)):
                at = border if border < first else border + done - first
                left = at * window.stride_w - window.pad_w
                kx_first, kx_stop = _cells_inside(left, width, window.kernel_w, window.dilation_w)
                best_one, position_one = -np.inf, -1
                if ky_first < ky_stop and kx_first < kx_stop:
                    position_one = ky_first * window.kernel_w + kx_first
                row = row_first + left
                for ky in range(ky_first, ky_stop):
                    for kx in range(kx_first, kx_stop):
                        value_one = x[row + kx * window.dilation_w]
                        if value_one > best_one or value_one != value_one:
                            best_one, position_one = value_one, ky * window.kernel_w + kx
                    row += window.dilation_h * width
                out_y[y_row + at] = best_one
                out_argmax[y_row + at] = position_one


@jit
def _better(best, positions, value, position):
    better = (value > best) | (value != value)
    return select(better, value, best), select(better, position, positions)


@jit
def _cells_inside(start, size, kernel, dilation):
    """Which of a window's cells, start + k * dilation, lie in 0 ... size - 1."""
    first = (dilation - 1 - start) // dilation if start < 0 else 0
    stop = (size - start + dilation - 1) // dilation if start < size else 0
    return min(first, kernel), min(stop, kernel)


@jit
def _whole_windows(width, columns, window):
    """Which of a row's windows have all their columns inside x."""
    first = (window.pad_w + window.stride_w - 1) // window.stride_w
    room = width + window.pad_w - (window.kernel_w - 1) * window.dilation_w - 1
    stop = room // window.stride_w + 1 if room >= 0 else 0
    first, stop = min(first, columns), min(stop, columns)
    return first, max(first, stop)


@jit
def _spread_to_pairs(dy, argmax, first_plane, stop_plane, sizes, out_dx):
    height, width, rows, columns = sizes
    lane_count = lanes(dy)
    dx_stop = stop_plane * height * width
    for plane in range(first_plane, stop_plane):
        for dx_i in range(2 * rows):
            left_cell = 2 * (dx_i % 2)
            dy_row = (plane * rows + dx_i // 2) * columns
            dx_row = (plane * height + dx_i) * width
            j = 0
            while j < columns and dx_row + 2 * (j + lane_count) <= dx_stop:
                if dy_row + j + lane_count > dy.size:
                    break
                gradient, position = load(dy, dy_row + j), load_positions(argmax, dy_row + j, dy)
                left = select(position == left_cell, gradient, 0.0)
                right = select(position == left_cell + 1, gradient, 0.0)
                first, second = interleave(left, right)
                store(out_dx, dx_row + 2 * j, first)
                store(out_dx, dx_row + 2 * j + lane_count, second)
                j += lane_count
            for rest in range(j, columns):
                gradient_one, position_one = dy[dy_row + rest], argmax[dy_row + rest]
                at = dx_row + 2 * rest
                out_dx[at] = gradient_one if position_one == left_cell else 0
                out_dx[at + 1] = gradient_one if position_one == left_cell + 1 else 0
            clear(out_dx[dx_row + 2 * columns : dx_row + width])
        clear(out_dx[(plane * height + 2 * rows) * width : (plane + 1) * height * width])


@jit
def _add_to_windows(dy, argmax, first_plane, stop_plane, window, sizes, plan_offsets, out_dx):
    window = Window(*window)
    height, width, rows, columns = sizes
    clear(out_dx[first_plane * height * width : stop_plane * height * width])
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            dy_row = (plane * rows + i) * columns
            start = (plane * height + i * window.stride_h - window.pad_h) * width - window.pad_w
            for j in range(columns):
                position = argmax[dy_row + j]
                if position >= 0:
                    out_dx[start + j * window.stride_w + plan_offsets[position]] += dy[dy_row + j]
