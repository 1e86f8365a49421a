"""Convolution by im2col, in pieces that stay in cache.

The columns matrix (a row for each channel and kernel position, a column for each output
position) is never built whole. A task fills a strip of it, at most DEPTH rows by `strip`
positions, in scratch of its own that fits L2, and multiplies it at once by register tiles.

2 N K OH OW (C / groups) kh kw flops each way. A filled element serves K / groups
multiply-adds forward, so filling costs about a fifth of the product at 32 filters.
"""

from kernels import _jit
from kernels._jit import thread_id
from kernels._reduce import add_rectify
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    copy,
    dot_tile,
    multiply_block,
    tile_lanes,
)
from kernels.conv2d.columns import clear, fill_strip, scatter_row

# Rows of a columns strip: a panel of DEPTH x 24 float32 is 27 KiB, most of an L1 cache.
DEPTH = 288

# Room behind the rows of a strip: rows a power of two apart would share sets of L1, and
# tiles read a whole register beyond the last column.
MARGIN = 16

# Elements of weight below which packing stays on one thread.
SERIAL = 1 << 14


@_jit.jit
def _pack_filters(weight, first, filters, depth_from, depth, work, start):
    """Row blocks (depth, TILE_ROWS) of `filters` rows of weight, zeros below the last."""
    row_length = weight.shape[1] * weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    for block in range(0, filters, TILE_ROWS):
        to = start + block * depth
        for r in range(depth):
            for i in range(TILE_ROWS):
                inside = block + i < filters
                source = (first + block + i) * row_length + depth_from + r
                work[to + r * TILE_ROWS + i] = flat[source] if inside else 0.0


@_jit.parallel
def _correlate_strip(
    task, x, weight, bias, window, groups, relu, strip, work_weight, work_columns, work_spare,
    out_y,
):  # fmt: skip
    own_columns, own_spare = work_columns[thread_id()], work_spare[thread_id()]
    filters, positions = out_y.shape[1] // groups, out_y.shape[2] * out_y.shape[3]
    row_length = weight.shape[1] * window[0] * window[1]
    padded = (filters + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    strips = (positions + strip - 1) // strip
    pitch = strip + MARGIN
    image, group = task // (strips * groups), task // strips % groups
    position = task % strips * strip
    count = min(strip, positions - position)
    to = (image * groups + group) * filters * positions + position
    width = TILE_VECTORS * tile_lanes(x)
    for depth_from in range(0, row_length, DEPTH):
        depth = min(DEPTH, row_length - depth_from)
        fill_strip(
            x, image, group * weight.shape[1], window, depth_from, depth, out_y.shape[3],
            position, count, own_columns, pitch,
        )  # fmt: skip
        multiply_block(
            depth, filters, count, work_weight, (group * row_length + depth_from) * padded,
            own_columns, 0, pitch, width, out_y, to, positions, depth_from > 0, own_spare,
        )  # fmt: skip
    if bias.size or relu:
        for k in range(filters):
            shift = bias[group * filters + k] if bias.size else bias.dtype.type(0)
            add_rectify(out_y, to + k * positions, count, shift, relu)


@_jit.parallel
def _pack_group(group, weight, filters, work_weight):
    row_length = weight.shape[1] * weight.shape[2] * weight.shape[3]
    padded = (filters + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    for depth_from in range(0, row_length, DEPTH):
        depth = min(DEPTH, row_length - depth_from)
        start = (group * row_length + depth_from) * padded
        _pack_filters(weight, group * filters, filters, depth_from, depth, work_weight, start)


def forward(
    x, weight, bias, window, groups, relu, work_cuts, work_weight, work_columns,
    work_spare, out_y,
):  # fmt: skip
    """Correlate x with the filters of weight, add bias, rectify where `relu`.

    x             (N, C, H, W)
    weight        (K, C / groups, kernel height, kernel width)
    bias          (K,) or (0,)
    window        kernel, stride, padding and dilation, each (height, width)
    work_cuts     strip: output positions in a task, a multiple of the tile's columns
    work_weight   (groups * row length * filters of a group rounded up to TILE_ROWS,)
    work_columns  (threads, min(row length, DEPTH) * (strip + MARGIN) + 3 registers)
    work_spare    (threads, TILE_ROWS * 3 registers)
    out_y         (N, K, OH, OW)

    Parallel over images, groups and strips of positions, each its own part of out_y.
    """
    (strip,) = work_cuts
    images, filters = out_y.shape[0], out_y.shape[1] // groups
    positions = out_y.shape[2] * out_y.shape[3]
    tasks = images * groups * ((positions + strip - 1) // strip)
    _pack_group(groups, weight, filters, work_weight)
    _correlate_strip(
        tasks, x, weight, bias, window, groups, relu, strip, work_weight, work_columns, work_spare,
        out_y,
    )  # fmt: skip


@_jit.parallel
def _pack_transposed(task, weight, filters, chunk, work):
    """Row blocks of a chunk of weight transposed: (filters, TILE_ROWS) for every TILE_ROWS rows."""
    channels, area = weight.shape[1], weight.shape[2] * weight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    padded = (chunk * area + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    group, channel = task // chunks, task % chunks * chunk
    rows = min(chunk, channels - channel) * area
    flat = weight.reshape(-1)
    for block in range(0, rows, TILE_ROWS):
        to = (task * padded + block) * filters
        for k in range(filters):
            source = ((group * filters + k) * channels + channel) * area + block
            for i in range(TILE_ROWS):
                work[to + k * TILE_ROWS + i] = flat[source + i] if block + i < rows else 0.0


@_jit.parallel
def _scatter_chunk(
    task, dy, weight, window, groups, strip, chunk, work_weight, work_dy, work_columns,
    work_spare, out_dx,
):  # fmt: skip
    thread = thread_id()
    own_dy, own_columns, own_spare = work_dy[thread], work_columns[thread], work_spare[thread]
    kernel_h, kernel_w, step_h, step_w, pad_h, pad_w, dilation_h, dilation_w = window
    filters, channels = dy.shape[1] // groups, weight.shape[1]
    height, width = out_dx.shape[2], out_dx.shape[3]
    out_width, positions = dy.shape[3], dy.shape[2] * dy.shape[3]
    area, pitch = kernel_h * kernel_w, strip + MARGIN
    chunks = (channels + chunk - 1) // chunk
    image, group = task // (chunks * groups), task // chunks % groups
    channel = task % chunks * chunk
    taken = min(chunk, channels - channel)
    rows = taken * area
    padded = (chunk * area + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    packed = (group * chunks + task % chunks) * padded * filters
    plane = ((image * groups + group) * channels + channel) * height * width
    flat = out_dx.reshape(-1)
    clear(flat, plane, taken * height * width)
    columns = TILE_VECTORS * tile_lanes(dy)
    for position in range(0, positions, strip):
        count = min(strip, positions - position)
        for k in range(filters):
            source = ((image * groups + group) * filters + k) * positions + position
            copy(dy, source, own_dy, k * pitch, count)
        multiply_block(
            filters, rows, count, work_weight, packed, own_dy, 0, pitch, columns,
            own_columns, 0, pitch, False, own_spare,
        )  # fmt: skip
        for r in range(rows):
            c = r // area
            i = (r - c * area) // kernel_w
            j = r - c * area - i * kernel_w
            scatter_row(
                own_columns, r * pitch, height, width, i * dilation_h - pad_h,
                j * dilation_w - pad_w, step_h, step_w, out_width, position, count,
                out_dx, plane + c * height * width,
            )  # fmt: skip


def to_input(
    dy, weight, window, groups, work_cuts, work_weight, work_dy, work_columns, work_spare,
    out_dx,
):  # fmt: skip
    """The gradient of x: columns = weight' dy, strip by strip, added where they were read.

    dy            (N, K, OH, OW)
    weight        (K, C / groups, kernel height, kernel width)
    work_cuts     strip: output positions at a time; chunk: channels in a task
    work_weight   (groups * chunks * filters of a group * chunk's rows up to TILE_ROWS,)
    work_dy       (threads, filters of a group * (strip + MARGIN) + 3 registers)
    work_columns  (threads, rows of a chunk * (strip + MARGIN))
    work_spare    (threads, TILE_ROWS * 3 registers)
    out_dx        (N, C, H, W)

    Parallel over images, groups and chunks of channels, each its own planes of out_dx.
    """
    strip, chunk = work_cuts
    filters, channels = dy.shape[1] // groups, weight.shape[1]
    chunks = groups * -(-channels // chunk)
    _pack_transposed(chunks, weight, filters, chunk, work_weight)
    _scatter_chunk(
        dy.shape[0] * chunks, dy, weight, window, groups, strip, chunk, work_weight, work_dy,
        work_columns, work_spare, out_dx,
    )  # fmt: skip


@_jit.parallel
def _multiply_part(
    task, x, dy, window, groups, channels, strip, chunk, parts, work_dy, work_columns, work_partial,
):  # fmt: skip
    thread = thread_id()
    own_dy, own_columns, partial = work_dy[thread], work_columns[thread], work_partial[task]
    area, pitch = window[0] * window[1], strip + MARGIN
    filters, positions = dy.shape[1] // groups, dy.shape[2] * dy.shape[3]
    chunks = (channels + chunk - 1) // chunk
    group, channel = task // (chunks * parts), task // parts % chunks * chunk
    part = task % parts
    rows = min(chunk, channels - channel) * area
    across = (chunk * area + TILE_VECTORS - 1) // TILE_VECTORS * TILE_VECTORS
    strips = (positions + strip - 1) // strip
    units = dy.shape[0] * strips
    register = tile_lanes(x)
    clear(partial, 0, partial.size)
    for unit in range(units * part // parts, units * (part + 1) // parts):
        image = unit // strips
        position = unit % strips * strip
        count = min(strip, positions - position)
        length = (count + register - 1) // register * register
        for k in range(filters):
            source = ((image * groups + group) * filters + k) * positions + position
            copy(dy, source, own_dy, k * pitch, count)
            clear(own_dy, k * pitch + count, length - count)
        fill_strip(
            x, image, group * channels + channel, window, 0, rows, dy.shape[3], position,
            count, own_columns, pitch,
        )  # fmt: skip
        for r in range(rows):
            clear(own_columns, r * pitch + count, length - count)
        for k in range(0, filters, TILE_ROWS):
            for r in range(0, rows, TILE_VECTORS):
                dot_tile(
                    length, own_dy, k * pitch, pitch, own_columns, r * pitch, pitch,
                    partial, k * across + r, across,
                )  # fmt: skip


def to_weight(
    x, dy, window, groups, work_cuts, work_dy, work_columns, work_partial, out_dweight
):  # fmt: skip
    """The gradient of weight: dot products of dy and columns over all positions and images.

    x             (N, C, H, W)
    dy            (N, K, OH, OW)
    work_cuts     strip: output positions at a time, summed in float32, strips in float64;
                  chunk: channels in a task; parts: shares of the strips, combined in order
    work_dy       (threads, filters of a group up to TILE_ROWS * (strip + MARGIN))
    work_columns  (threads, rows of a chunk up to 3 * (strip + MARGIN))
    work_partial  (groups * chunks * parts, filters up to TILE_ROWS * rows of a chunk up to 3)
                  float64
    out_dweight   (K, C / groups, kernel height, kernel width)

    Parallel over groups, chunks of channels and parts.
    """
    strip, chunk, parts = work_cuts
    channels = out_dweight.shape[1]
    _multiply_part(
        groups * -(-channels // chunk) * parts, x, dy, window, groups, channels, strip, chunk,
        parts, work_dy, work_columns, work_partial,
    )  # fmt: skip
    _add_parts(dy.shape[1], groups, chunk, parts, work_partial, out_dweight)


@_jit.parallel
def _add_parts(k, groups, chunk, parts, work_partial, out_dweight):
    filters, channels = out_dweight.shape[0] // groups, out_dweight.shape[1]
    area = out_dweight.shape[2] * out_dweight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    across = (chunk * area + TILE_VECTORS - 1) // TILE_VECTORS * TILE_VECTORS
    flat = out_dweight.reshape(-1)
    group = k // filters
    for r in range(channels * area):
        taken = r // (chunk * area)
        at = (k - group * filters) * across + r - taken * chunk * area
        total = 0.0
        for part in range(parts):
            total += work_partial[(group * chunks + taken) * parts + part, at]
        flat[k * channels * area + r] = total
