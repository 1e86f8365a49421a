"""Adaptive average pooling: weighted sums over rows, then over columns, in float64.

x, dy      (N, C, H, W) float32 | float64, C-contiguous
work_rows  (threads, windows.work_width) float64, private to a thread
"""

from .._jit import jit, parallel, prange, thread_id
from . import windows
from .cpu_average import average_backward, average_forward

# Elements up to which one thread is done before another has woken.
_SERIAL = 1 << 14


def adaptive_average_forward(x, work_rows, out_y):
    kernel_size = _even_windows(x, out_y)
    if kernel_size is not None:
        average_forward(x, kernel_size, kernel_size, (0, 0), True, work_rows, out_y)
    else:
        (rows, _), (columns, _) = map(windows.adaptive, x.shape[2:], out_y.shape[2:])
        _window_sums(x, *rows, *columns, work_rows, out_y)


def adaptive_average_backward(dy, work_rows, out_dx):
    kernel_size = _even_windows(out_dx, dy)
    if kernel_size is not None:
        average_backward(dy, kernel_size, kernel_size, (0, 0), True, work_rows, out_dx)
    else:
        (_, rows), (_, columns) = map(windows.adaptive, out_dx.shape[2:], dy.shape[2:])
        _window_sums(dy, *rows, *columns, work_rows, out_dx)


def _even_windows(x, y):
    """The size of windows that lie side by side, if they do."""
    (height, width), (rows, columns) = x.shape[2:], y.shape[2:]
    if height % rows or width % columns:
        return None
    return height // rows, width // columns


@parallel
def _window_sums(
    x,
    first_row,
    stop_row,
    before_row,
    after_row,
    first_column,
    stop_column,
    before_column,
    after_column,
    work_rows,
    out_y,
):
    """Parallel over planes; kernel_height adds an element read, kernel_width adds an output."""
    channels = x.shape[1]
    planes = x.shape[0] * channels
    rows = first_row, stop_row, before_row, after_row
    columns = first_column, stop_column, before_column, after_column
    if x.size + out_y.size <= _SERIAL:
        for plane in range(planes):
            n, c = plane // channels, plane % channels
            _plane(x[n, c], rows, columns, work_rows[0], out_y[n, c])
    else:
        for plane in prange(planes):
            n, c = plane // channels, plane % channels
            _plane(x[n, c], rows, columns, work_rows[thread_id()], out_y[n, c])


@jit
def _plane(x, rows, columns, work_row, out_y):
    first_row, stop_row, before_row, after_row = rows
    for i in range(out_y.shape[0]):
        for column in range(x.shape[1]):
            work_row[column] = 0.0
        for row in range(first_row[i], stop_row[i]):
            _add_row(x[row], before_row[row], work_row)
        _sum_columns(work_row, columns, after_row[i], out_y[i])


@jit
def _add_row(row, weight, work_row):
    for column in range(row.size):
        work_row[column] += weight * row[column]


@jit
def _sum_columns(work_row, columns, scale, out_row):
    first_column, stop_column, before_column, after_column = columns
    for j in range(out_row.size):
        total = 0.0
        for column in range(first_column[j], stop_column[j]):
            total += before_column[column] * work_row[column]
        out_row[j] = scale * after_column[j] * total
