"""Strips of the columns matrix: filled from the input, and added back to its gradient."""

from kernels._jit import jit
from kernels._simd import clear
from kernels._tile import accumulate, copy
from kernels.conv2d.geometry import Window
from kernels.conv2d.rounding import pieces, up

# Scratch of a task, in elements: half of a 512 KiB L2 of float32.
SCRATCH = 1 << 16

# Room behind the rows of a strip: rows a power of two apart would share sets of L1, and
# tiles read a whole register beyond the last column.
MARGIN = 16


def strip_width(positions: int, rows: int, tile_columns: int) -> int:
    """How many positions fit the scratch of a task at `rows` elements each, in whole tiles."""
    fitting = max(2, min(SCRATCH // 2 // rows, 1008) // tile_columns) * tile_columns
    return up(pieces(positions, pieces(positions, fitting)), tile_columns)


@jit
def tap_origin(window, tap):
    """The input row and column that a tap meets under output (0, 0)."""
    window = Window(*window)
    i = tap // window.kernel_w
    j = tap - i * window.kernel_w
    return i * window.dilation_h - window.pad_h, j * window.dilation_w - window.pad_w


@jit
def fill_strip(
    x, image, channel, window, row_from, rows, out_width, position, count, columns, pitch
):
    """Rows [row_from, row_from + rows) of the columns of one image, from `channel` on."""
    window = Window(*window)
    stride = window.stride_h, window.stride_w
    channels, size = x.shape[1], x.shape[2] * x.shape[3]
    area = window.kernel_h * window.kernel_w
    for r in range(rows):
        c = (row_from + r) // area
        origin = tap_origin(window, row_from + r - c * area)
        plane = (image * channels + channel + c) * size
        _fill_row(x, plane, origin, stride, out_width, position, count, columns, r * pitch)


@jit
def _fill_row(x, plane, origin, stride, out_width, position, count, columns, start):
    """One row of columns: the input under one kernel position, `count` outputs from `position`.

    Outside the input is 0.
    """
    (top, left), (stride_h, stride_w) = origin, stride
    height, width = x.shape[2], x.shape[3]
    whole = top == 0 and left == 0 and stride_h == 1 and stride_w == 1 and out_width == width
    if whole and position + count <= height * width:
        copy(x, plane + position, columns, start, count)
        return
    out_row = position // out_width
    out_column = position - out_row * out_width
    done = 0
    while done < count:
        run = min(out_width - out_column, count - done)
        row = out_row * stride_h + top
        to = start + done
        if row < 0 or row >= height:
            clear(columns, to, run)
        elif stride_w == 1:
            column = out_column + left
            before = min(run, max(0, -column))
            inside = min(run, max(before, width - column))
            clear(columns, to, before)
            source = plane + row * width + column + before
            copy(x, source, columns, to + before, inside - before)
            clear(columns, to + inside, run - inside)
        else:
            column = out_column * stride_w + left
            source = plane + row * width
            flat = x.reshape(-1)
            for i in range(run):
                inside_row = 0 <= column < width
                columns[to + i] = flat[source + column] if inside_row else 0.0
                column += stride_w
        done += run
        out_row += 1
        out_column = 0


@jit
def scatter_row(columns, start, origin, stride, out_width, position, count, dx, plane):
    """The transpose of `_fill_row`: add one row of columns where it was read."""
    (top, left), (stride_h, stride_w) = origin, stride
    height, width = dx.shape[2], dx.shape[3]
    out_row = position // out_width
    out_column = position - out_row * out_width
    done = 0
    while done < count:
        run = min(out_width - out_column, count - done)
        row = out_row * stride_h + top
        if 0 <= row < height:
            column = out_column * stride_w + left
            source, to = start + done, plane + row * width + column
            if stride_w == 1:
                before = min(run, max(0, -column))
                inside = min(run, max(before, width - column))
                accumulate(columns, source + before, dx, to + before, inside - before)
            else:
                flat = dx.reshape(-1)
                for i in range(run):
                    if 0 <= column + i * stride_w < width:
                        flat[to + i * stride_w] += columns[source + i]
        done += run
        out_row += 1
        out_column = 0
