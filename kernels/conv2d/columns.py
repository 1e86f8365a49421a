"""Rows of the columns matrix: filled from the input, and added back to its gradient."""

from kernels import _jit
from kernels._tile import accumulate, copy


@_jit.jit
def clear(values, start, count):
    for i in range(start, start + count):
        values[i] = 0.0


@_jit.jit
def fill_row(
    x, plane, height, width, top, left, step_h, step_w, out_width, position, count, work, start
):  # fmt: skip
    """One row of columns: the input under one kernel position, `count` outputs from `position`.

    `top` and `left` are the input row and column under output (0, 0); outside is 0.
    """
    whole = top == 0 and left == 0 and step_h == 1 and step_w == 1 and out_width == width
    if whole and position + count <= height * width:
        copy(x, plane + position, work, start, count)
        return
    out_row = position // out_width
    out_column = position - out_row * out_width
    done = 0
    while done < count:
        run = min(out_width - out_column, count - done)
        row = out_row * step_h + top
        to = start + done
        if row < 0 or row >= height:
            clear(work, to, run)
        elif step_w == 1:
            column = out_column + left
            before = min(run, max(0, -column))
            inside = min(run, max(before, width - column))
            clear(work, to, before)
            copy(x, plane + row * width + column + before, work, to + before, inside - before)
            clear(work, to + inside, run - inside)
        else:
            column = out_column * step_w + left
            source = plane + row * width
            flat = x.reshape(-1)
            for i in range(run):
                inside_row = 0 <= column < width
                work[to + i] = flat[source + column] if inside_row else 0.0
                column += step_w
        done += run
        out_row += 1
        out_column = 0


@_jit.jit
def fill_strip(x, image, channel, window, row_from, rows, out_width, position, count, work, pitch):
    """Rows [row_from, row_from + rows) of the columns of one image, from `channel` on."""
    kernel_h, kernel_w, step_h, step_w, pad_h, pad_w, dilation_h, dilation_w = window
    channels, height, width = x.shape[1], x.shape[2], x.shape[3]
    area = kernel_h * kernel_w
    for r in range(rows):
        c = (row_from + r) // area
        tap = (row_from + r) - c * area
        i = tap // kernel_w
        j = tap - i * kernel_w
        plane = (image * channels + channel + c) * height * width
        top, left = i * dilation_h - pad_h, j * dilation_w - pad_w
        fill_row(
            x, plane, height, width, top, left, step_h, step_w, out_width, position, count,
            work, r * pitch,
        )  # fmt: skip


@_jit.jit
def scatter_row(
    work, start, height, width, top, left, step_h, step_w, out_width, position, count, dx, plane
):  # fmt: skip
    """The transpose of `fill_row`: add one row of columns where it was read."""
    out_row = position // out_width
    out_column = position - out_row * out_width
    done = 0
    while done < count:
        run = min(out_width - out_column, count - done)
        row = out_row * step_h + top
        if 0 <= row < height:
            column = out_column * step_w + left
            source, to = start + done, plane + row * width + column
            if step_w == 1:
                before = min(run, max(0, -column))
                inside = min(run, max(before, width - column))
                accumulate(work, source + before, dx, to + before, inside - before)
            else:
                flat = dx.reshape(-1)
                for i in range(run):
                    if 0 <= column + i * step_w < width:
                        flat[to + i * step_w] += work[source + i]
        done += run
        out_row += 1
        out_column = 0
