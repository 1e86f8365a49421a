"""Average pooling: sums over a window's rows into a row of float64, then over its columns.

x, dy, out_y, out_dx  (N, C, H, W) float32 | float64, C-contiguous
work_rows             as `average_forward_scratch` says, private to a thread

A row of sums has zeros for the padding beside it, so that all windows are alike. Vectors may
reach over the end of a row; what they write there is overwritten by later work of the task.
"""

import numpy as np

from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._simd import full, lanes, load, load_as, store, store_as
from kernels.pool2d import cpu_blocks, windows
from kernels.pool2d.planes import clear, in_groups, planes_of
from kernels.pool2d.shuffles import every, interleave
from kernels.pool2d.windows import Window


def average_forward_scratch(x, kernel_size, stride, padding):
    width = windows.work_width(x.shape[3], kernel_size[1], stride[1], padding[1])
    return {"work_rows": ((thread_rows(), width), np.float64)}


def average_backward_scratch(kernel_size, stride, padding, out_dx):
    return average_forward_scratch(out_dx, kernel_size, stride, padding)


def average_forward(x, kernel_size, stride, padding, count_include_pad, divisor, work_rows, out_y):
    sizes = x.shape[2:] + out_y.shape[2:]
    tasks, group = in_groups(x, sizes[0] * sizes[1])
    if cpu_blocks.are_blocks(kernel_size, stride, padding, sizes):
        share = 1 / (divisor or kernel_size[0] * kernel_size[1])
        if cpu_blocks.sums_in_registers(kernel_size, sizes):
            cpu_blocks.forward(tasks, x, group, kernel_size, sizes, share, out_y)
            return
    shares = _shares(sizes, kernel_size, stride, padding, count_include_pad, divisor)
    window = *kernel_size, *stride, *padding, 1, 1
    _average(tasks, x, group, window, sizes, *shares, work_rows, out_y)


def average_backward(
    dy, kernel_size, stride, padding, count_include_pad, divisor, work_rows, out_dx
):
    sizes = out_dx.shape[2:] + dy.shape[2:]
    tasks, group = in_groups(dy, sizes[0] * sizes[1])
    if cpu_blocks.are_blocks(kernel_size, stride, padding, sizes):
        share = 1 / (divisor or kernel_size[0] * kernel_size[1])
        cpu_blocks.backward(tasks, dy, group, kernel_size, sizes, share, out_dx)
        return
    shares = _shares(sizes, kernel_size, stride, padding, count_include_pad, divisor)
    window = *kernel_size, *stride, *padding, 1, 1
    _spread(tasks, dy, group, window, sizes, *shares, work_rows, out_dx)


def _shares(sizes, kernel_size, stride, padding, count_include_pad, divisor):
    """What every window's sum is multiplied by, a factor for its row and one for its column."""
    if divisor:
        return windows.constant(sizes[2], 1.0), windows.constant(sizes[3], 1 / divisor)
    axes = zip(sizes[:2], sizes[2:], kernel_size, stride, padding, strict=True)
    return tuple(windows.shares(*axis, count_include_pad) for axis in axes)


@parallel
def _average(task, x, group, window, sizes, plan_rows, plan_columns, work_rows, out_y):
    """kernel_height additions an element and kernel_width an output.

    plan_rows, plan_columns  the factors of windows' sums, for their row and for their column
    """
    window = Window(*window)
    first_plane, stop_plane = planes_of(task, group, x)
    sums = work_rows[thread_id()]
    height, width, rows, columns = sizes
    x, y = x.reshape(-1), out_y.reshape(-1)
    y_stop = stop_plane * rows * columns
    needed = (columns - 1) * window.stride_w + window.kernel_w
    beyond = sums[window.pad_w + width : max(needed, window.pad_w + width)]
    # A gather costs as much as its lanes one by one: half of them must be of use.
    least = lanes(sums) // 2 if window.stride_w > 2 else 1
    clear(sums[: window.pad_w])
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            top = i * window.stride_h - window.pad_h
            first, stop = max(top, 0), min(top + window.kernel_h, height)
            x_first, x_stop = (plane * height + first) * width, (plane * height + stop) * width
            _sum_rows(x, x_first, x_stop, width, sums, window.pad_w)
            clear(beyond)
            y_row = (plane * rows + i) * columns
            j = 0
            while j + least <= columns and y_row + j + lanes(sums) <= y_stop:
                if (j + lanes(sums)) * window.stride_w + window.kernel_w > sums.size:
                    break
                total = every(sums, j * window.stride_w, window.stride_w)
                for kx in range(1, window.kernel_w):
                    total += every(sums, j * window.stride_w + kx, window.stride_w)
                store_as(y, y_row + j, total * load(plan_columns, j) * plan_rows[i])
                j += lanes(sums)
            for rest in range(j, columns):
                total_one, left = 0.0, rest * window.stride_w
                for column in range(left, left + window.kernel_w):
                    total_one += sums[column]
                y[y_row + rest] = total_one * plan_columns[rest] * plan_rows[i]


@jit
def _sum_rows(x, first, stop, width, sums, start):
    """sums[start + column] = the sum of the rows of x between the offsets first and stop."""
    column = 0
    while column < width and stop - width + column + lanes(sums) <= x.size:
        total = load_as(x, first + column, sums)
        for row in range(first + width, stop, width):
            total += load_as(x, row + column, sums)
        store(sums, start + column, total)
        column += lanes(sums)
    for rest in range(column, width):
        total_one = 0.0
        for row in range(first, stop, width):
            total_one += x[row + rest]
        sums[start + rest] = total_one


@parallel
def _spread(task, dy, group, window, sizes, plan_rows, plan_columns, work_rows, out_dx):
    """As many additions as forward."""
    window = Window(*window)
    first_plane, stop_plane = planes_of(task, group, dy)
    sums = work_rows[thread_id()]
    height, width, rows, columns = sizes
    dy, dx = dy.reshape(-1), out_dx.reshape(-1)
    dx_stop = stop_plane * height * width
    # The share of window j is sums[start + j].
    start = window.kernel_w
    needed = (width - 1 + window.pad_w) // window.stride_w + 1
    beyond = sums[start + columns : start + max(needed, columns)]
    clear(sums[:start])
    first_above, stop_above = 0, 0
    for plane in range(first_plane, stop_plane):
        for row in range(height):
            bottom = row + window.pad_h
            first = max((bottom - window.kernel_h + window.stride_h) // window.stride_h, 0)
            stop = min(bottom // window.stride_h + 1, rows)
            dy_plane = plane * rows * columns
            if row == 0 or first != first_above or stop != stop_above:
                sum_shares(dy, dy_plane, first, stop, columns, plan_rows, plan_columns, sums, start)
                clear(beyond)
                first_above, stop_above = first, stop
            dx_row = (plane * height + row) * width
            axis = window.kernel_w, window.stride_w, window.pad_w
            if window.stride_w > 2 and window.kernel_w <= window.stride_w:
                _repeat_shares(sums[start : start + columns], axis, dx[dx_row : dx_row + width])
            else:
                _sum_columns(sums, start, axis, dx_row, width, dx_stop, dx)


@jit
def sum_shares(dy, dy_plane, first, stop, columns, plan_rows, plan_columns, sums, start):
    """sums[start + column] = the sum of rows first ... stop - 1 of dy, each by its share."""
    last = dy_plane + (stop - 1) * columns
    column = 0
    while column < columns and last + column + lanes(sums) <= dy.size:
        total = full(sums, 0.0)
        for row in range(first, stop):
            total += load_as(dy, dy_plane + row * columns + column, sums) * plan_rows[row]
        store(sums, start + column, total * load(plan_columns, column))
        column += lanes(sums)
    for rest in range(column, columns):
        total_one = 0.0
        for row in range(first, stop):
            total_one += dy[dy_plane + row * columns + rest] * plan_rows[row]
        sums[start + rest] = total_one * plan_columns[rest]


@jit
def _sum_columns(sums, start, axis, dx_row, width, dx_stop, out_dx):
    """Each element of a row of dx is the sum of the windows over it, which are neighbours."""
    kernel, stride, padding = axis
    j = 0
    while stride == 1 and j < width and dx_row + j + lanes(sums) <= dx_stop:
        store_as(out_dx, dx_row + j, _sum_run(sums, start + j + padding, kernel))
        j += lanes(sums)
    while stride == 2 and j < width and dx_row + j + 2 * lanes(sums) <= dx_stop:
        # Windows begin at even elements of the padded row: odd ones lie in fewer.
        middle = start + j // 2
        even = _sum_run(sums, middle + padding // 2, (kernel - padding % 2 + 1) // 2)
        odd_padding = padding + 1
        odd = _sum_run(sums, middle + odd_padding // 2, (kernel - odd_padding % 2 + 1) // 2)
        first, second = interleave(even, odd)
        store_as(out_dx, dx_row + j, first)
        store_as(out_dx, dx_row + j + lanes(sums), second)
        j += 2 * lanes(sums)
    for rest in range(j, width):
        j_over, cell = (rest + padding) // stride, (rest + padding) % stride
        total = 0.0
        while cell < kernel:
            total += sums[start + j_over]
            j_over, cell = j_over - 1, cell + stride
        out_dx[dx_row + rest] = total


@jit
def _sum_run(sums, last, count):
    """The sums of `count` neighbours up to each of the elements from `last` on."""
    total = full(sums, 0.0)
    for back in range(count):
        total += load(sums, last - back)
    return total


@jit
def _repeat_shares(shares, axis, out_row):
    """Windows that do not overlap: each share goes to its window, 0 between them."""
    kernel, stride, padding = axis
    clear(out_row)
    for j in range(shares.size):
        window = out_row[max(j * stride - padding, 0) : j * stride - padding + kernel]
        for column in range(window.size):
            window[column] = shares[j]
