"""Average pooling: sums over a window's rows into a row of float64, then over its columns.

x, dy, out_y, out_dx  (N, C, H, W) float32 | float64, C-contiguous
work_rows             (threads, windows.work_width) float64, private to a thread

A row of sums has zeros for the padding beside it, so that all windows are alike. Vectors may
reach over the end of a row; what they write there is overwritten by later work of the task.
"""

from .._jit import jit, parallel, thread_id
from .._simd import full, lanes, load, load_as, store, store_as
from . import cpu_blocks, windows
from .planes import in_groups, planes_of
from .shuffles import every, interleave


def average_forward(x, kernel_size, stride, padding, count_include_pad, divisor, work_rows, out_y):
    sizes = x.shape[2:] + out_y.shape[2:]
    tasks, group = in_groups(x.shape[0] * x.shape[1], sizes[0] * sizes[1])
    if cpu_blocks.are_blocks(kernel_size, stride, padding, sizes):
        share = 1 / (divisor or kernel_size[0] * kernel_size[1])
        if cpu_blocks.sums_in_registers(kernel_size, sizes):
            cpu_blocks.forward(tasks, x, group, kernel_size, sizes, share, out_y)
            return
    shares = _shares(sizes, kernel_size, stride, padding, count_include_pad, divisor)
    _average(tasks, x, group, kernel_size, stride, padding, sizes, *shares, work_rows, out_y)


def average_backward(
    dy, kernel_size, stride, padding, count_include_pad, divisor, work_rows, out_dx
):
    sizes = out_dx.shape[2:] + dy.shape[2:]
    tasks, group = in_groups(dy.shape[0] * dy.shape[1], sizes[0] * sizes[1])
    if cpu_blocks.are_blocks(kernel_size, stride, padding, sizes):
        share = 1 / (divisor or kernel_size[0] * kernel_size[1])
        cpu_blocks.backward(tasks, dy, group, kernel_size, sizes, share, out_dx)
        return
    shares = _shares(sizes, kernel_size, stride, padding, count_include_pad, divisor)
    _spread(tasks, dy, group, kernel_size, stride, padding, sizes, *shares, work_rows, out_dx)


def _shares(sizes, kernel_size, stride, padding, count_include_pad, divisor):
    """What every window's sum is multiplied by, a factor for its row and one for its column."""
    if divisor:
        return windows.constant(sizes[2], 1.0), windows.constant(sizes[3], 1 / divisor)
    axes = zip(sizes[:2], sizes[2:], kernel_size, stride, padding, strict=True)
    return tuple(windows.shares(*axis, count_include_pad) for axis in axes)


@parallel
def _average(
    task, x, group, kernel_size, stride, padding, sizes, row_shares, column_shares, work_rows, out_y
):
    """kernel_height additions an element and kernel_width an output."""
    first_plane, stop_plane = planes_of(task, group, x)
    work = work_rows[thread_id()]
    height, width, rows, columns = sizes
    x, y = x.reshape(-1), out_y.reshape(-1)
    y_stop = stop_plane * rows * columns
    needed = (columns - 1) * stride[1] + kernel_size[1]
    beyond = work[padding[1] + width : max(needed, padding[1] + width)]
    # A gather costs as much as its lanes one by one: half of them must be of use.
    least = lanes(work) // 2 if stride[1] > 2 else 1
    _clear(work[: padding[1]])
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            top = i * stride[0] - padding[0]
            first, stop = max(top, 0), min(top + kernel_size[0], height)
            x_first, x_stop = (plane * height + first) * width, (plane * height + stop) * width
            _sum_rows(x, x_first, x_stop, width, work, padding[1])
            _clear(beyond)
            y_row = (plane * rows + i) * columns
            j = 0
            while j + least <= columns and y_row + j + lanes(work) <= y_stop:
                if (j + lanes(work)) * stride[1] + kernel_size[1] > work.size:
                    break
                total = every(work, j * stride[1], stride[1])
                for kx in range(1, kernel_size[1]):
                    total += every(work, j * stride[1] + kx, stride[1])
                store_as(y, y_row + j, total * load(column_shares, j) * row_shares[i])
                j += lanes(work)
            for rest in range(j, columns):
                total_one = 0.0
                for column in range(rest * stride[1], rest * stride[1] + kernel_size[1]):
                    total_one += work[column]
                y[y_row + rest] = total_one * column_shares[rest] * row_shares[i]


@jit
def _sum_rows(x, first, stop, width, work, start):
    """work[start + column] = the sum of the rows of x between the offsets first and stop."""
    column = 0
    while column < width and stop - width + column + lanes(work) <= x.size:
        total = load_as(x, first + column, work)
        for row in range(first + width, stop, width):
            total += load_as(x, row + column, work)
        store(work, start + column, total)
        column += lanes(work)
    for rest in range(column, width):
        total_one = 0.0
        for row in range(first, stop, width):
            total_one += x[row + rest]
        work[start + rest] = total_one


@parallel
def _spread(
    task, dy, group, kernel_size, stride, padding, sizes, row_shares, column_shares, work_rows,
    out_dx,
):  # fmt: skip
    """As many additions as forward."""
    first_plane, stop_plane = planes_of(task, group, dy)
    work = work_rows[thread_id()]
    height, width, rows, columns = sizes
    dy, dx = dy.reshape(-1), out_dx.reshape(-1)
    dx_stop = stop_plane * height * width
    # The share of window j is work[start + j].
    start = kernel_size[1]
    needed = (width - 1 + padding[1]) // stride[1] + 1
    beyond = work[start + columns : start + max(needed, columns)]
    _clear(work[:start])
    first_above, stop_above = 0, 0
    for plane in range(first_plane, stop_plane):
        for row in range(height):
            bottom = row + padding[0]
            first = max((bottom - kernel_size[0] + stride[0]) // stride[0], 0)
            stop = min(bottom // stride[0] + 1, rows)
            dy_plane = plane * rows * columns
            if row == 0 or first != first_above or stop != stop_above:
                sum_shares(
                    dy, dy_plane, first, stop, columns, row_shares, column_shares, work, start
                )
                _clear(beyond)
                first_above, stop_above = first, stop
            dx_row = (plane * height + row) * width
            axis = kernel_size[1], stride[1], padding[1]
            if stride[1] > 2 and kernel_size[1] <= stride[1]:
                _repeat_shares(work[start : start + columns], axis, dx[dx_row : dx_row + width])
            else:
                _sum_columns(work, start, axis, dx_row, width, dx_stop, dx)


@jit
def sum_shares(dy, dy_plane, first, stop, columns, row_shares, column_shares, work, start):
    """work[start + column] = the sum of rows first ... stop - 1 of dy, each by its share."""
    last = dy_plane + (stop - 1) * columns
    column = 0
    while column < columns and last + column + lanes(work) <= dy.size:
        total = full(work, 0.0)
        for row in range(first, stop):
            total += load_as(dy, dy_plane + row * columns + column, work) * row_shares[row]
        store(work, start + column, total * load(column_shares, column))
        column += lanes(work)
    for rest in range(column, columns):
        total_one = 0.0
        for row in range(first, stop):
            total_one += dy[dy_plane + row * columns + rest] * row_shares[row]
        work[start + rest] = total_one * column_shares[rest]


@jit
def _sum_columns(work, start, axis, dx_row, width, dx_stop, out_dx):
    """Each element of a row of dx is the sum of the windows over it, which are neighbours."""
    kernel, stride, padding = axis
    j = 0
    while stride == 1 and j < width and dx_row + j + lanes(work) <= dx_stop:
        store_as(out_dx, dx_row + j, _sum_run(work, start + j + padding, kernel))
        j += lanes(work)
    while stride == 2 and j < width and dx_row + j + 2 * lanes(work) <= dx_stop:
        # Windows begin at even elements of the padded row: odd ones lie in fewer.
        middle = start + j // 2
        even = _sum_run(work, middle + padding // 2, (kernel - padding % 2 + 1) // 2)
        odd_padding = padding + 1
        odd = _sum_run(work, middle + odd_padding // 2, (kernel - odd_padding % 2 + 1) // 2)
        first, second = interleave(even, odd)
        store_as(out_dx, dx_row + j, first)
        store_as(out_dx, dx_row + j + lanes(work), second)
        j += 2 * lanes(work)
    for rest in range(j, width):
        window, cell = (rest + padding) // stride, (rest + padding) % stride
        total = 0.0
        while cell < kernel:
            total += work[start + window]
            window, cell = window - 1, cell + stride
        out_dx[dx_row + rest] = total


@jit
def _sum_run(work, last, count):
    """The sums of `count` neighbours up to each of the elements from `last` on."""
    total = full(work, 0.0)
    for back in range(count):
        total += load(work, last - back)
    return total


@jit
def _repeat_shares(shares, axis, out_row):
    """Windows that do not overlap: each share goes to its window, 0 between them."""
    kernel, stride, padding = axis
    _clear(out_row)
    for j in range(shares.size):
        window = out_row[max(j * stride - padding, 0) : j * stride - padding + kernel]
        for column in range(window.size):
            window[column] = shares[j]


@jit
def _clear(run):
    for i in range(run.size):
        run[i] = 0.0
