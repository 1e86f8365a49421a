"""Average pooling by windows that lie side by side, without padding, inside the planes.

Every element is in one window at most, so a mean is one pass over x in registers, and its
gradient a fill: both at the speed of memory. A window as wide as its plane is one run of
elements; with one window a plane it is global average pooling.

x, dy, out_y, out_dx  (N, C, H, W) float32 | float64, C-contiguous

Vectors may reach over the end of a row; what they write there is overwritten by later work of
the task.
"""

from .._jit import jit, parallel, prange
from .._simd import full, lanes, load, load_first, store, sum_lanes
from .shuffles import evens, fold, interleave, odds

# Elements that a float32 lane adds up before it is emptied into float64.
_RUN = 16


def are_blocks(kernel_size, stride, padding, sizes):
    height, width, rows, columns = sizes
    inside = rows * kernel_size[0] <= height and columns * kernel_size[1] <= width
    return inside and kernel_size == stride and padding == (0, 0)


def sums_in_registers(kernel_size, sizes):
    """Whether `forward` is for these blocks: runs of elements, or pairs in a few rows."""
    is_run = kernel_size[1] == sizes[1]
    return is_run or (kernel_size[1] == 2 and kernel_size[0] <= _RUN // 2)


def forward(x, planes, group, kernel_size, sizes, share, out_y):
    if planes <= group:
        _sum_planes(x, 0, planes, kernel_size, sizes, share, out_y)
    else:
        _sum_tasks(x, planes, group, kernel_size, sizes, share, out_y)


def backward(dy, planes, group, kernel_size, sizes, share, out_dx):
    if planes <= group:
        _fill_planes(dy, 0, planes, kernel_size, sizes, share, out_dx)
    else:
        _fill_tasks(dy, planes, group, kernel_size, sizes, share, out_dx)


@parallel
def _sum_tasks(x, planes, group, kernel_size, sizes, share, out_y):
    """Parallel over planes; an addition an element, bound by reading x."""
    for task in prange((planes + group - 1) // group):
        stop = min((task + 1) * group, planes)
        _sum_planes(x, task * group, stop, kernel_size, sizes, share, out_y)


@parallel
def _fill_tasks(dy, planes, group, kernel_size, sizes, share, out_dx):
    """Parallel over planes; bound by writing dx."""
    for task in prange((planes + group - 1) // group):
        stop = min((task + 1) * group, planes)
        _fill_planes(dy, task * group, stop, kernel_size, sizes, share, out_dx)


@jit
def _sum_planes(x, first_plane, stop_plane, kernel_size, sizes, share, out_y):
    height, width, rows, _ = sizes
    cells, y = x.reshape(-1), out_y.reshape(-1)
    if kernel_size[1] == width:
        length = kernel_size[0] * width
        tail = length % lanes(x)
        for plane in range(first_plane, stop_plane):
            for i in range(rows):
                start = plane * height * width + i * length
                y[plane * rows + i] = _sum_run(cells, start, length - tail, tail) * share
    else:
        _sum_pairs(cells, first_plane, stop_plane, kernel_size[0], sizes, share, y)


@jit
def _sum_run(x, start, whole, tail):
    """The sum of `whole` elements, a multiple of the lanes, and of `tail` behind them."""
    step = lanes(x)
    partial = full(x, 0.0)
    if tail:
        partial = load_first(x, start + whole, tail, 0.0)
    if whole <= _RUN * step:
        for i in range(start, start + whole, step):
            partial += load(x, i)
        return float(fold(partial))
    total = sum_lanes(partial)
    for first in range(0, whole, _RUN * step):
        partial = full(x, 0.0)
        for i in range(start + first, start + min(whole, first + _RUN * step), step):
            partial += load(x, i)
        total += sum_lanes(partial)
    return total


@jit
def _sum_pairs(x, first_plane, stop_plane, kernel_height, sizes, share, out_y):
    height, width, rows, columns = sizes
    step = lanes(x)
    y_stop = stop_plane * rows * columns
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            y_row = (plane * rows + i) * columns
            top = (plane * height + i * kernel_height) * width
            bottom = top + (kernel_height - 1) * width
            j = 0
            while j < columns and y_row + j + step <= y_stop:
                if bottom + 2 * (j + step) > x.size:
                    break
                total = full(x, 0.0)
                for row in range(top, bottom + width, width):
                    a, b = load(x, row + 2 * j), load(x, row + 2 * j + step)
                    total += evens(a, b) + odds(a, b)
                store(out_y, y_row + j, total * share)
                j += step
            for rest in range(j, columns):
                total_one = 0.0
                for row in range(top, bottom + width, width):
                    total_one += x[row + 2 * rest] + x[row + 2 * rest + 1]
                out_y[y_row + rest] = total_one * share


@jit
def _fill_planes(dy, first_plane, stop_plane, kernel_size, sizes, share, out_dx):
    height, width, rows, columns = sizes
    gradients, dx = dy.reshape(-1), out_dx.reshape(-1)
    dx_stop = stop_plane * height * width
    covered = rows * kernel_size[0] * width
    for plane in range(first_plane, stop_plane):
        dx_plane = plane * height * width
        for i in range(rows):
            dy_row = (plane * rows + i) * columns
            band = dx_plane + i * kernel_size[0] * width
            if kernel_size[1] == width:
                _fill(dx, band, kernel_size[0] * width, gradients[dy_row] * share, dx_stop)
            elif kernel_size[1] == 2:
                for row in range(band, band + kernel_size[0] * width, width):
                    _fill_pairs(gradients, dy_row, columns, share, row, dx, dx_stop)
                    _fill(dx, row + 2 * columns, width - 2 * columns, 0.0, dx_stop)
            else:
                at = band
                for j in range(columns):
                    gradient = gradients[dy_row + j] * share
                    for _ in range(kernel_size[1]):
                        dx[at] = gradient
                        at += 1
                _fill(dx, at, band + width - at, 0.0, dx_stop)
                for row in range(1, kernel_size[0]):
                    _copy(dx, band, band + row * width, width, dx_stop)
        _fill(dx, dx_plane + covered, height * width - covered, 0.0, dx_stop)


@jit
def _fill(out, start, length, number, stop):
    """`length` elements, and maybe some behind them, but not from `stop` on."""
    value = full(out, number)
    i = 0
    while i < length and start + i + lanes(out) <= stop:
        store(out, start + i, value)
        i += lanes(out)
    for rest in range(start + i, start + length):
        out[rest] = number


@jit
def _fill_pairs(dy, dy_row, columns, share, start, out, stop):
    step = lanes(dy)
    j = 0
    while j < columns and start + 2 * (j + step) <= stop and dy_row + j + step <= dy.size:
        gradient = load(dy, dy_row + j) * share
        first, second = interleave(gradient, gradient)
        store(out, start + 2 * j, first)
        store(out, start + 2 * j + step, second)
        j += step
    for rest in range(j, columns):
        gradient_one = dy[dy_row + rest] * share
        out[start + 2 * rest] = gradient_one
        out[start + 2 * rest + 1] = gradient_one


@jit
def _copy(out, source, start, length, stop):
    i = 0
    while i < length and start + i + lanes(out) <= stop:
        store(out, start + i, load(out, source + i))
        i += lanes(out)
    for rest in range(i, length):
        out[start + rest] = out[source + rest]
