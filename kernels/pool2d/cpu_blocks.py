"""Average pooling by windows that lie side by side, without padding, inside the planes.

Every element is in one window at most, so a mean is one pass over x in registers, and its
gradient a fill: both at the speed of memory. A window as wide as its plane is one run of
elements; with one window a plane it is global average pooling.

x, dy, out_y, out_dx  (N, C, H, W) float32 | float64, C-contiguous

Vectors may reach over the end of a row; what they write there is overwritten by later work of
the task.
"""

from kernels._jit import jit, parallel
from kernels._simd import full, lanes, load, load_first, store, sum_lanes
from kernels.pool2d.planes import planes_of
from kernels.pool2d.shuffles import evens, fold_four, interleave, odds

# Elements that a float32 lane adds up before it is emptied into float64.
_RUN = 64

# Columns up to which numbers one by one are faster than vectors, most of whose lanes idle.
_FEW = 4


def are_blocks(kernel_size, stride, padding, sizes):
    height, width, rows, columns = sizes
    kernel_h, kernel_w = kernel_size
    inside = rows * kernel_h <= height and columns * kernel_w <= width
    return inside and kernel_size == stride and padding == (0, 0)


def sums_in_registers(kernel_size, sizes):
    """Whether `forward` is for these blocks: runs of elements, or pairs in a few rows."""
    (kernel_h, kernel_w), (_, width, _, _) = kernel_size, sizes
    return kernel_w == width or (kernel_w == 2 and 2 * kernel_h <= _RUN)


@parallel
def forward(task, x, group, kernel_size, sizes, share, out_y):
    """An addition an element, bound by reading x."""
    first_plane, stop_plane = planes_of(task, group, x)
    (kernel_h, kernel_w), (height, width, rows, columns) = kernel_size, sizes
    cells, y = x.reshape(-1), out_y.reshape(-1)
    if kernel_size == (2, 2) and columns <= _FEW:
        _sum_squares(cells, first_plane, stop_plane, sizes, share, y)
    elif kernel_w != width:
        _sum_pairs(cells, first_plane, stop_plane, kernel_h, sizes, share, y)
    elif rows * kernel_h == height:
        _mean_of_runs(cells, first_plane * rows, stop_plane * rows, kernel_size, share, y)
    else:
        length = kernel_h * width
        for plane in range(first_plane, stop_plane):
            for i in range(rows):
                start = plane * height * width + i * length
                y[plane * rows + i] = _sum_run(cells, start, length) * share


@jit
def _mean_of_runs(x, run, stop, kernel_size, share, out_y):
    """Runs that follow one another, short ones four at a time."""
    lane_count, length = lanes(x), kernel_size[0] * kernel_size[1]
    tail = length % lane_count
    whole = length - tail
    while whole <= _RUN * lane_count and run + 4 <= stop:
        at = run * length
        a, b, c, d = full(x, 0.0), full(x, 0.0), full(x, 0.0), full(x, 0.0)
        for _ in range(whole // lane_count):
            a += load(x, at)
            b += load(x, at + length)
            c += load(x, at + 2 * length)
            d += load(x, at + 3 * length)
            at += lane_count
        if tail:
            a += load_first(x, at, tail, 0.0)
            b += load_first(x, at + length, tail, 0.0)
            c += load_first(x, at + 2 * length, tail, 0.0)
            d += load_first(x, at + 3 * length, tail, 0.0)
        store(out_y, run, fold_four(a, b, c, d) * share)
        run += 4
    for rest in range(run, stop):
        out_y[rest] = _sum_run(x, rest * length, length) * share


@jit
def _sum_run(x, start, length):
    lane_count = lanes(x)
    tail = length % lane_count
    total = sum_lanes(load_first(x, start + length - tail, tail, 0.0)) if tail else 0.0
    for first in range(0, length - tail, _RUN * lane_count):
        partial = full(x, 0.0)
        stop = min(length - tail, first + _RUN * lane_count)
        for i in range(start + first, start + stop, lane_count):
            partial += load(x, i)
        total += sum_lanes(partial)
    return total


@jit
def _sum_squares(x, first_plane, stop_plane, sizes, share, out_y):
    height, width, rows, columns = sizes
    y_at = first_plane * rows * columns
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            top = (plane * height + 2 * i) * width
            bottom = top + width
            for j in range(columns):
                cell = 2 * j
                upper = x[top + cell] + x[top + cell + 1]
                out_y[y_at + j] = (upper + (x[bottom + cell] + x[bottom + cell + 1])) * share
            y_at += columns


@jit
def _sum_pairs(x, first_plane, stop_plane, kernel_height, sizes, share, out_y):
    height, width, rows, columns = sizes
    lane_count = lanes(x)
    y_stop = stop_plane * rows * columns
    for plane in range(first_plane, stop_plane):
        for i in range(rows):
            y_row = (plane * rows + i) * columns
            top = (plane * height + i * kernel_height) * width
            bottom = top + (kernel_height - 1) * width
            j = 0
            while j < columns and y_row + j + lane_count <= y_stop:
                if bottom + 2 * (j + lane_count) > x.size:
                    break
                total = full(x, 0.0)
                for row in range(top, bottom + width, width):
                    a, b = load(x, row + 2 * j), load(x, row + 2 * j + lane_count)
                    total += evens(a, b) + odds(a, b)
                store(out_y, y_row + j, total * share)
                j += lane_count
            for rest in range(j, columns):
                total_one = 0.0
                at = top + 2 * rest
                for _ in range(kernel_height):
                    total_one += x[at] + x[at + 1]
                    at += width
                out_y[y_row + rest] = total_one * share


@parallel
def backward(task, dy, group, kernel_size, sizes, share, out_dx):
    """Bound by writing dx."""
    first_plane, stop_plane = planes_of(task, group, dy)
    (kernel_h, kernel_w), (height, width, rows, columns) = kernel_size, sizes
    gradients, dx = dy.reshape(-1), out_dx.reshape(-1)
    if kernel_size == (2, 2) and columns <= _FEW and (2 * rows, 2 * columns) == (height, width):
        _fill_squares(gradients, first_plane * rows, stop_plane * rows, columns, share, dx)
        return
    dx_stop = stop_plane * height * width
    covered = rows * kernel_h * width
    for plane in range(first_plane, stop_plane):
        dx_plane = plane * height * width
        for i in range(rows):
            dy_row = (plane * rows + i) * columns
            band = dx_plane + i * kernel_h * width
            if kernel_w == width:
                _fill(dx, band, kernel_h * width, gradients[dy_row] * share, dx_stop)
            elif kernel_w == 2:
                row = band
                for _ in range(kernel_h):
                    _fill_pairs(gradients, dy_row, columns, share, row, dx, dx_stop)
                    _fill(dx, row + 2 * columns, width - 2 * columns, 0.0, dx_stop)
                    row += width
            else:
                at = band
                for j in range(columns):
                    gradient = gradients[dy_row + j] * share
                    for _ in range(kernel_w):
                        dx[at] = gradient
                        at += 1
                _fill(dx, at, band + width - at, 0.0, dx_stop)
                for row in range(1, kernel_h):
                    _copy(dx, band, band + row * width, width, dx_stop)
        _fill(dx, dx_plane + covered, height * width - covered, 0.0, dx_stop)


@jit
def _fill_squares(dy, first_row, stop_row, columns, share, out_dx):
    for row in range(first_row, stop_row):
        top = 4 * row * columns
        bottom = top + 2 * columns
        for j in range(columns):
            gradient = dy[row * columns + j] * share
            out_dx[top + 2 * j] = gradient
            out_dx[top + 2 * j + 1] = gradient
            out_dx[bottom + 2 * j] = gradient
            out_dx[bottom + 2 * j + 1] = gradient


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
    lane_count = lanes(dy)
    last = min((stop - start) // 2, dy.size - dy_row) - lane_count
    j = 0
    while j < columns and j <= last:
        gradient = load(dy, dy_row + j) * share
        first, second = interleave(gradient, gradient)
        store(out, start + 2 * j, first)
        store(out, start + 2 * j + lane_count, second)
        j += lane_count
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
