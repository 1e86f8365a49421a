"""Convolution of few channels a group, above all of one: vectors along the rows of planes.

No product of matrices is in it: a filter meets one channel or a handful. A channel's plane is
copied once with zeros around it; each output vector then sums the taps of a kernel over
vectors of that plane. Where columns have a stride, planes hold every stride-th column apart, so
that neighbours in the output are neighbours in a plane.

2 N K OH OW (C / groups) kh kw flops and as many loads as multiply-adds: bound by loads from L1.
"""

from kernels import _jit
from kernels._jit import thread_id
from kernels._simd import (
    fma,
    full,
    lanes,
    load,
    load_first,
    maximum,
    store,
    sum_lanes,
)
from kernels._tile import copy
from kernels.conv2d.columns import clear
from kernels.conv2d.panels import place_plane
from kernels.conv2d.strides import copy_every_second

# Rows computed together.
ROWS = 4


@_jit.jit
def _place_phases(x, source, rows, top, left, step, pitch, planes, start):
    """The plane at `source`, its columns dealt to `step` planes."""
    height, width = x.shape[2], x.shape[3]
    if step == 1:
        place_plane(x, source, -top, rows, left, pitch, planes, start)
        return
    flat = x.reshape(-1)
    clear(planes, start, step * rows * pitch)
    for r in range(height):
        at = source + r * width
        for phase in range(step):
            to = start + (phase * rows + r + top) * pitch
            first = max(0, (left - phase + step - 1) // step)
            column = phase + first * step - left
            count = (width - column + step - 1) // step
            if step == 2:
                copy_every_second(x, at + column, planes, to + first, count)
            else:
                for q in range(count):
                    planes[to + first + q] = flat[at + column + q * step]


@_jit.jit
def _add_taps(planes, start, row, weight, first, taps, offsets, tap, count, totals):
    """For 4 vectors `row` apart: + the sum of weight[first + taps[t]] times what is offsets[t] on.

    Four sums at a time hide the latency of each.
    """
    a, b, c, d = totals
    for t in range(tap, tap + count):
        w, at = weight[first + taps[t]], start + offsets[t]
        a = fma(w, load(planes, at), a)
        b = fma(w, load(planes, at + row), b)
        c = fma(w, load(planes, at + 2 * row), c)
        d = fma(w, load(planes, at + 3 * row), d)
    return a, b, c, d


@_jit.jit
def _write(out, to, row, high, count, totals, spare):
    """The first `count` lanes of the first `high` of 4 vectors, `row` apart.

    By way of `spare` where there are fewer, since masked stores are slow on some processors.
    """
    step = lanes(out)
    a, b, c, d = totals
    if count >= step and high == ROWS:
        store(out, to, a)
        store(out, to + row, b)
        store(out, to + 2 * row, c)
        store(out, to + 3 * row, d)
        return
    store(spare, 0, a)
    store(spare, step, b)
    store(spare, 2 * step, c)
    store(spare, 3 * step, d)
    for i in range(high):
        copy(spare, i * step, out, to + i * row, min(count, step))


@_jit.parallel
def _correlate_group(
    task, x, weight, bias, window, groups, relu, cuts, taps, offsets, work_planes, work_rows, out_y
):
    planes, spare = work_planes[thread_id()], work_rows[thread_id()]
    rows, pitch, plane = cuts
    step_h, step_w, top, left = window[2:6]
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    height, width = out_y.shape[2], out_y.shape[3]
    image, group = task // groups, task % groups
    for c in range(channels):
        source = (image * x.shape[1] + group * channels + c) * x.shape[2] * x.shape[3]
        _place_phases(x, source, rows, top, left, step_w, pitch, planes, c * plane)
    flat, area, step, row = weight.reshape(-1), window[0] * window[1], lanes(x), step_h * pitch
    for k in range(group * filters, (group + 1) * filters):
        shift = bias[k] if bias.size else x.dtype.type(0)
        for r in range(0, height, ROWS):
            to = ((image * out_y.shape[1] + k) * height + r) * width
            for q in range(0, width, step):
                q = min(q, max(0, width - step))
                start = full(x, shift)
                totals = (start, start, start, start)
                for c in range(channels):
                    totals = _add_taps(
                        planes, c * plane + r * row + q, row, flat, (k * channels + c) * area,
                        taps, offsets, 0, area, totals,
                    )  # fmt: skip
                if relu:
                    a, b, c, d = totals
                    totals = (maximum(a, 0.0), maximum(b, 0.0), maximum(c, 0.0), maximum(d, 0.0))
                _write(out_y, to + q, width, min(ROWS, height - r), width - q, totals, spare)


def forward(
    x, weight, bias, window, groups, relu, work_cuts, work_taps, work_offsets, work_planes,
    work_rows, out_y,
):  # fmt: skip
    """Correlate x with the filters of weight, add bias, rectify where `relu`.

    x             (N, C, H, W)
    weight        (K, C / groups, kernel height, kernel width)
    bias          (K,) or (0,)
    window        kernel, stride, padding and dilation, each (height, width)
    work_cuts     rows of a plane, the distance of rows, of the planes of channels
    work_taps     (taps,) int64: 0, 1, ...
    work_offsets  (taps,) int64: where a tap lies from an output position
    work_planes   (threads, channels of a group * plane + a vector)
    work_rows     (threads, ROWS vectors)
    out_y         (N, K, OH, OW)

    Parallel over images and groups.
    """
    _correlate_group(
        x.shape[0] * groups, x, weight, bias, window, groups, relu, work_cuts, work_taps,
        work_offsets, work_planes, work_rows, out_y,
    )  # fmt: skip


@_jit.parallel
def _correlate_phases(
    task, dy, weight, window, groups, cuts, phases, taps, offsets, work_planes, work_rows, out_dx
):
    planes, rows_of_phase = work_planes[thread_id()], work_rows[thread_id()]
    rows, top, left, pitch, plane = cuts
    step_h, step_w = window[2:4]
    channels, filters = out_dx.shape[1] // groups, dy.shape[1] // groups
    height, width = out_dx.shape[2], out_dx.shape[3]
    image, group = task // groups, task % groups
    for k in range(filters):
        source = (image * dy.shape[1] + group * filters + k) * dy.shape[2] * dy.shape[3]
        place_plane(dy, source, -top, rows, left, pitch, planes, k * plane)
    out, flat = out_dx.reshape(-1), weight.reshape(-1)
    area, step = window[0] * window[1], lanes(dy)
    span = rows_of_phase.size // ROWS - step
    spare = rows_of_phase[ROWS * span :]
    for c in range(channels):
        at = (image * out_dx.shape[1] + group * channels + c) * height * width
        for phase in range(phases.shape[0]):
            count, tap, first_row, column, grid_rows, grid_columns = phases[phase]
            for r in range(0, grid_rows, ROWS):
                high = min(ROWS, grid_rows - r)
                to = at + (first_row + r * step_h) * width + column
                for q in range(0, grid_columns, step):
                    q = min(q, max(0, grid_columns - step))
                    zero = full(dy, 0.0)
                    totals = (zero, zero, zero, zero)
                    for k in range(filters):
                        totals = _add_taps(
                            planes, k * plane + r * pitch + q, pitch, flat,
                            ((group * filters + k) * channels + c) * area, taps, offsets, tap,
                            count, totals,
                        )  # fmt: skip
                    if step_w == 1:
                        _write(out, to + q, step_h * width, high, grid_columns - q, totals, spare)
                    else:
                        _write(rows_of_phase, q, span, ROWS, step, totals, spare)
                if step_w > 1:
                    for i in range(high):
                        for q in range(grid_columns):
                            out[to + i * step_h * width + q * step_w] = rows_of_phase[i * span + q]


def to_input(
    dy, weight, window, groups, work_cuts, work_phases, work_taps, work_offsets, work_planes,
    work_rows, out_dx,
):  # fmt: skip
    """The gradient of x, phase by phase: positions that leave the same remainder by the stride.

    dy            (N, K, OH, OW)
    weight        (K, C / groups, kernel height, kernel width)
    work_cuts     rows of a plane; top, left: zeros before them; the distance of rows, of planes
    work_phases   (phases, 6) int64: taps of it and of those before it, its first row and column,
                  its rows and columns
    work_taps     taps of all phases, each a place in the kernel, int64
    work_offsets  where they lie from a position of the phase, int64
    work_planes   (threads, filters of a group * plane + a vector)
    work_rows     (threads, ROWS * (columns of dx + 2 vectors))
    out_dx        (N, C, H, W)

    Parallel over images and groups.
    """
    _correlate_phases(
        dy.shape[0] * groups, dy, weight, window, groups, work_cuts, work_phases, work_taps,
        work_offsets, work_planes, work_rows, out_dx,
    )  # fmt: skip


@_jit.jit
def _dot_rows(dy, source, first, last, planes, at, row_step):
    """The sum of dy times a window of a plane over rows [first, last), in float32 lanes."""
    width, step = dy.shape[3], lanes(dy)
    total = full(dy, 0.0)
    for r in range(first, last):
        a, b = source + r * width, at + r * row_step
        q = 0
        while q + step <= width:
            total = fma(load(dy, a + q), load(planes, b + q), total)
            q += step
        if q < width:
            seen = load_first(planes, b + q, width - q, 0.0)
            total = fma(load_first(dy, a + q, width - q, 0.0), seen, total)
    return sum_lanes(total)


@_jit.parallel
def _multiply_group(
    group, x, dy, window, groups, cuts, offsets, work_planes, work_sums, out_dweight
):
    planes, sums = work_planes[thread_id()], work_sums[thread_id()]
    rows, pitch, plane, run = cuts
    step_h, step_w, top, left = window[2:6]
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    height, width = dy.shape[2], dy.shape[3]
    area = window[0] * window[1]
    clear(sums, 0, sums.size)
    for image in range(x.shape[0]):
        for c in range(channels):
            source = (image * x.shape[1] + group * channels + c) * x.shape[2] * x.shape[3]
            _place_phases(x, source, rows, top, left, step_w, pitch, planes, c * plane)
        for k in range(filters):
            source = (image * dy.shape[1] + group * filters + k) * height * width
            for c in range(channels):
                for tap in range(area):
                    at = c * plane + offsets[tap]
                    for first in range(0, height, run):
                        last = min(height, first + run)
                        sums[(k * channels + c) * area + tap] += _dot_rows(
                            dy, source, first, last, planes, at, step_h * pitch
                        )
    flat = out_dweight.reshape(-1)
    for i in range(filters * channels * area):
        flat[group * filters * channels * area + i] = sums[i]


def to_weight(x, dy, window, groups, work_cuts, work_offsets, work_planes, work_sums, out_dweight):
    """The gradient of weight: dot products of planes, rows in float32, runs of them in float64.

    x             (N, C, H, W)
    dy            (N, K, OH, OW)
    work_cuts     as in `forward`, then run: rows of dy summed in float32
    work_offsets  (taps,) int64, as in `forward`
    work_planes   (threads, channels of a group * plane + a vector)
    work_sums     (threads, filters of a group * channels of a group * taps) float64
    out_dweight   (K, C / groups, kernel height, kernel width)

    Parallel over groups; images one after the other.
    """
    _multiply_group(
        groups, x, dy, window, groups, work_cuts, work_offsets, work_planes, work_sums, out_dweight
    )
