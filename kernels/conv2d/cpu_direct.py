"""Convolution without columns: tiles read the padded input where the kernel's taps point.

The rows of input that a strip of output needs are copied once into planes of scratch, with
zeros around them and rows `pitch` apart. Output position (p, q) then stands at the flat
position p * pitch + q, and its input under tap (c, i, j) lies at that position plus an offset
that is the same for all: a table of offsets replaces the columns matrix. The positions behind
the end of an output row are computed as well and dropped.

With a stride, planes hold every stride-th row and column (polyphase), so that neighbours in
the output are neighbours in a plane.

2 N K OH OW (C / groups) kh kw flops; the copies are 1 / K of that, not 1 / K of kh kw.
"""

import numpy as np

from kernels import _jit
from kernels._jit import prange, thread_id
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    copy,
    copy_every_second,
    copy_shifted,
    tile_lanes,
    window_dot_tile,
    window_tile_1,
    window_tile_3,
)
from kernels.conv2d.columns import clear

# Channels whose window of a tile stays in L1 along with their filters.
CHUNK = 32


@_jit.jit
def _place_row(x, source, width, phase, step, pad, planes, start, pitch):
    """One row of a plane: input columns phase - pad + step * position, zeros outside."""
    if step == 1:
        inside = min(width, pitch - pad)
        clear(planes, start, pad)
        copy(x, source, planes, start + pad, inside)
        clear(planes, start + pad + inside, pitch - pad - inside)
        return
    # Positions [before, until) lie inside the row.
    column = phase - pad
    before = min(pitch, max(0, (step - 1 - column) // step))
    until = min(pitch, max(before, (width - column + step - 1) // step))
    clear(planes, start, before)
    column += before * step
    if step == 2:
        copy_every_second(x, source + column, planes, start + before, until - before)
    else:
        flat = x.reshape(-1)
        for position in range(until - before):
            planes[start + before + position] = flat[source + column + position * step]
    clear(planes, start + until, pitch - until)


@_jit.jit
def _place_strip(x, plane, step, pad, phases, out_row, rows, pitch, planes, start):
    """The planes of one channel for output rows from `out_row` on.

    plane          flat position of the channel in x
    step, pad      stride and padding, (height, width)
    phases         how many row and column phases the kernel touches
    rows           rows of a plane
    """
    height, width = x.shape[2], x.shape[3]
    for row_phase in range(phases[0]):
        for r in range(rows):
            row = (out_row + r) * step[0] + row_phase - pad[0]
            for phase in range(phases[1]):
                to = start + ((row_phase * phases[1] + phase) * rows + r) * pitch
                if 0 <= row < height:
                    source = plane + row * width
                    _place_row(x, source, width, phase, step[1], pad[1], planes, to, pitch)
                else:
                    clear(planes, to, pitch)


@_jit.jit
def _pack_filters(weight, group, filters, channels, transposed, channel, taken, work, start):
    """Row blocks (taken channels * taps, TILE_ROWS) of the filters, zeros below the last.

    Where `transposed`, the roles of filters and channels change and the taps are reversed.
    """
    area = weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    depth = taken * area
    for block in range(0, filters, TILE_ROWS):
        to = start + block * depth
        for i in range(TILE_ROWS):
            k = block + i
            for c in range(taken):
                if transposed:
                    source = ((group * channels + channel + c) * filters + k) * area + area - 1
                    step = -1
                else:
                    source = ((group * filters + k) * channels + channel + c) * area
                    step = 1
                for tap in range(area):
                    value = flat[source + step * tap] if k < filters else 0.0
                    work[to + (c * area + tap) * TILE_ROWS + i] = value


@_jit.jit
def _strip_task(
    x, bias, step, pad, phases, groups, relu, area, strip, rows, pitch, offsets, task,
    work_weight, work_planes, work_sums, out_y,
):  # fmt: skip
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    out_height, out_width = out_y.shape[2], out_y.shape[3]
    strips = (out_height + strip - 1) // strip
    image, group = task // (strips * groups), task // strips % groups
    out_row = task % strips * strip
    high = min(strip, out_height - out_row)
    plane = phases[0] * phases[1] * rows * pitch
    for c in range(channels):
        source = (image * x.shape[1] + group * channels + c) * x.shape[2] * x.shape[3]
        _place_strip(x, source, step, pad, phases, out_row, rows, pitch, work_planes, c * plane)
    clear(work_planes, channels * plane, pitch)
    register = tile_lanes(x)
    columns = TILE_VECTORS * register
    positions = (high - 1) * pitch + out_width
    across = (positions + columns - 1) // columns * columns
    padded = (filters + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    for position in range(0, positions, columns):
        for channel in range(0, channels, CHUNK):
            depth = min(CHUNK, channels - channel) * area
            at = channel * plane + position
            for block in range(0, filters, TILE_ROWS):
                a = (group * channels + channel) * area * padded + block * depth
                to = block * across + position
                if positions - position <= register:
                    window_tile_1(
                        depth, work_weight, a, work_planes, at, offsets, work_sums, to, across,
                        channel > 0,
                    )  # fmt: skip
                else:
                    window_tile_3(
                        depth, work_weight, a, work_planes, at, offsets, work_sums, to, across,
                        channel > 0,
                    )  # fmt: skip
    zero = x.dtype.type(0)
    least = zero if relu else x.dtype.type(-np.inf)
    for k in range(filters):
        to = ((image * groups + group) * filters + k) * out_height + out_row
        shift = bias[group * filters + k] if bias.size else zero
        for r in range(high):
            source = k * across + r * pitch
            copy_shifted(work_sums, source, out_y, (to + r) * out_width, out_width, shift, least)


@_jit.jit
def _pack_task(weight, channels, filters, transposed, chunks, task, work_weight):
    """The filters of one group and chunk of channels."""
    area = weight.shape[2] * weight.shape[3]
    padded = (filters + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    group, channel = task // chunks, task % chunks * CHUNK
    taken = min(CHUNK, channels - channel)
    start = (group * channels + channel) * area * padded
    _pack_filters(weight, group, filters, channels, transposed, channel, taken, work_weight, start)


@_jit.parallel
def correlate(
    x, weight, bias, window, groups, relu, transposed, work_cuts, work_offsets, work_weight,
    work_planes, work_sums, out_y,
):  # fmt: skip
    """Correlate x with the filters of weight, add bias, rectify where `relu`.

    x             (N, C, H, W)
    weight        (K, C / groups, kernel height, kernel width); where `transposed`,
                  (C, K / groups, ...) with its taps reversed: the gradient of x from dy
    bias          (K,) or (0,)
    window        kernel, stride, padding and dilation, each (height, width)
    work_cuts     strip: output rows in a task; rows of a plane; pitch, their distance;
                  phases: of the stride's rows and columns, those that the kernel touches
    work_offsets  (CHUNK * taps,) int64, where a tap lies in the planes of a chunk
    work_weight   (groups * channels * taps * filters of a group up to TILE_ROWS,)
    work_planes   (threads, channels of a group * plane + margin for a tile)
    work_sums     (threads, filters of a group up to TILE_ROWS * positions up to a tile)
    out_y         (N, K, OH, OW)

    Parallel over images, groups and strips of rows, each its own part of out_y.
    """
    strip, rows, pitch, row_phases, column_phases = work_cuts
    step, pad, phases = window[2:4], window[4:6], (row_phases, column_phases)
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    area = weight.shape[2] * weight.shape[3]
    chunks = (channels + CHUNK - 1) // CHUNK
    strips = (out_y.shape[2] + strip - 1) // strip
    for task in prange(groups * chunks):
        _pack_task(weight, channels, filters, transposed, chunks, task, work_weight)
    for task in prange(x.shape[0] * groups * strips):
        thread = thread_id()
        _strip_task(
            x, bias, step, pad, phases, groups, relu, area, strip, rows, pitch, work_offsets,
            task, work_weight, work_planes[thread], work_sums[thread], out_y,
        )  # fmt: skip


@_jit.jit
def _weight_task(
    x, dy, step, pad, phases, groups, area, strip, rows, pitch, offsets, chunk, parts, task,
    work_planes, work_dy, partial,
):  # fmt: skip
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    out_height, out_width = dy.shape[2], dy.shape[3]
    chunks = (channels + chunk - 1) // chunk
    group, channel = task // (chunks * parts), task // parts % chunks * chunk
    part = task % parts
    taken = min(chunk, channels - channel)
    strips = (out_height + strip - 1) // strip
    units = x.shape[0] * strips
    plane = phases[0] * phases[1] * rows * pitch
    register = tile_lanes(x)
    taps = taken * area
    across = (chunk * area + TILE_VECTORS - 1) // TILE_VECTORS * TILE_VECTORS
    span = (strip * pitch + register - 1) // register * register
    clear(partial, 0, partial.size)
    for unit in range(units * part // parts, units * (part + 1) // parts):
        image, out_row = unit // strips, unit % strips * strip
        high = min(strip, out_height - out_row)
        length = (high * pitch + register - 1) // register * register
        for c in range(taken):
            source = (image * x.shape[1] + group * channels + channel + c) * x.shape[2]
            _place_strip(
                x, source * x.shape[3], step, pad, phases, out_row, rows, pitch, work_planes,
                c * plane,
            )  # fmt: skip
        clear(work_planes, taken * plane, work_planes.size - taken * plane)
        for k in range(filters):
            source = ((image * groups + group) * filters + k) * out_height + out_row
            for r in range(high):
                to = k * span + r * pitch
                copy(dy, (source + r) * out_width, work_dy, to, out_width)
                clear(work_dy, to + out_width, pitch - out_width)
            clear(work_dy, k * span + high * pitch, length - high * pitch)
        for k in range(0, filters, TILE_ROWS):
            for tap in range(0, taps, TILE_VECTORS):
                last = taps - 1
                places = (
                    offsets[tap],
                    offsets[min(tap + 1, last)],
                    offsets[min(tap + 2, last)],
                )
                window_dot_tile(
                    length, work_dy, k * span, span, work_planes, 0, places, partial,
                    k * across + tap, across,
                )  # fmt: skip


@_jit.parallel
def to_weight(
    x, dy, window, groups, work_cuts, work_offsets, work_planes, work_dy, work_partial,
    out_dweight,
):  # fmt: skip
    """The gradient of weight: dot products along the flat positions of strips.

    x             (N, C, H, W)
    dy            (N, K, OH, OW)
    work_cuts     as in `correlate`, and chunk: channels in a task; parts: shares of the strips
                  of all images, combined in order
    work_offsets  (chunk * taps,) int64
    work_planes   (threads, chunk * plane + margin), the margin zeroed here
    work_dy       (threads, filters of a group up to TILE_ROWS * positions up to a register)
    work_partial  (groups * chunks * parts, filters up to TILE_ROWS * taps of a chunk up to 3)
                  float64
    out_dweight   (K, C / groups, kernel height, kernel width)

    A strip is summed in float32 lanes, strips in float64. Parallel over groups, chunks, parts.
    """
    strip, rows, pitch, row_phases, column_phases, chunk, parts = work_cuts
    step, pad, phases = window[2:4], window[4:6], (row_phases, column_phases)
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    area = out_dweight.shape[2] * out_dweight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    across = (chunk * area + TILE_VECTORS - 1) // TILE_VECTORS * TILE_VECTORS
    for task in prange(groups * chunks * parts):
        thread = thread_id()
        _weight_task(
            x, dy, step, pad, phases, groups, area, strip, rows, pitch, work_offsets, chunk,
            parts, task, work_planes[thread], work_dy[thread], work_partial[task],
        )  # fmt: skip
    flat = out_dweight.reshape(-1)
    for k in prange(dy.shape[1]):
        group = k // filters
        for tap in range(channels * area):
            taken = tap // (chunk * area)
            at = (k - group * filters) * across + tap - taken * chunk * area
            total = 0.0
            for part in range(parts):
                total += work_partial[(group * chunks + taken) * parts + part, at]
            flat[k * channels * area + tap] = total
