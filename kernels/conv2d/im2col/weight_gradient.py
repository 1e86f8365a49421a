"""The gradient of weight: dot products of dy and columns, in float32 over the positions of a strip.

A task is a chunk of channels and a part of the strips of all images, summed in float64; parts are
added in their order.
"""

import functools

import numpy as np

from kernels import _memory
from kernels._jit import parallel, thread_id, thread_rows
from kernels._simd import clear
from kernels._tile import MR, NR_REGISTERS, copy, dot_tile, panel_columns, tile_lanes
from kernels.conv2d.geometry import Window
from kernels.conv2d.im2col.columns import MARGIN, fill_strip, strip_width
from kernels.conv2d.rounding import pieces, round_up, up

# Rows of columns in a task.
MOST_ROWS = 72


def to_weight(x, dy, window, groups, out_dweight):
    positions = dy.shape[2] * dy.shape[3]
    chunk, strip, filters, rows = _sizes(out_dweight.shape, groups, positions, x.dtype)
    chunks = groups * pieces(out_dweight.shape[1], chunk)
    # 8 tasks keep 2 to 8 threads busy; more parts are more to combine.
    parts = max(1, min(pieces(8, chunks), x.shape[0] * pieces(positions, strip)))
    threads, pitch = thread_rows(), strip + MARGIN
    work_partial = _memory.empty((chunks * parts, filters * rows), np.float64)
    _multiply_part(
        chunks * parts, x, dy, tuple(window), groups, chunk, strip, parts,
        _memory.empty((threads, filters * pitch), x.dtype),
        _memory.empty((threads, rows * pitch), x.dtype), work_partial,
    )  # fmt: skip
    _add_parts(dy.shape[1], groups, chunk, parts, work_partial, out_dweight)


@functools.lru_cache(maxsize=512)
def _sizes(
    weight_shape: tuple[int, int, int, int], groups: int, positions: int, dtype: np.dtype
) -> tuple[int, int, int, int]:
    """Channels of a chunk, positions of a strip, filters of a group and rows in whole tiles."""
    filters, channels, kernel_h, kernel_w = weight_shape
    area, filters = kernel_h * kernel_w, up(filters // groups, MR)
    chunk = max(1, min(channels, MOST_ROWS // area))
    rows = up(chunk * area, NR_REGISTERS)
    strip = strip_width(positions, max(filters, rows), panel_columns(dtype))
    return chunk, strip, filters, rows


@parallel
def _multiply_part(
    task, x, dy, window, groups, chunk, strip, parts, work_dy, work_columns, work_partial
):
    """work_dy       (threads, filters of a group up to MR * (strip + MARGIN))
    work_columns  (threads, rows of a chunk up to 3 * (strip + MARGIN))
    work_partial  (tasks, filters up to MR * rows of a chunk up to 3) float64
    """
    thread = thread_id()
    own_dy, columns, partial = work_dy[thread], work_columns[thread], work_partial[task]
    kernel = Window(*window)
    area, pitch = kernel.kernel_h * kernel.kernel_w, strip + MARGIN
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    positions = dy.shape[2] * dy.shape[3]
    chunks = (channels + chunk - 1) // chunk
    group, channel = task // (chunks * parts), task // parts % chunks * chunk
    part = task % parts
    rows = min(chunk, channels - channel) * area
    across = round_up(chunk * area, NR_REGISTERS)
    strips = (positions + strip - 1) // strip
    units = dy.shape[0] * strips
    clear(partial, 0, partial.size)
    for unit in range(units * part // parts, units * (part + 1) // parts):
        image = unit // strips
        position = unit % strips * strip
        count = min(strip, positions - position)
        length = round_up(count, tile_lanes(x))
        for k in range(filters):
            source = ((image * groups + group) * filters + k) * positions + position
            copy(dy, source, own_dy, k * pitch, count)
            clear(own_dy, k * pitch + count, length - count)
        fill_strip(
            x, image, group * channels + channel, window, 0, rows, dy.shape[3], position,
            count, columns, pitch,
        )  # fmt: skip
        for r in range(rows):
            clear(columns, r * pitch + count, length - count)
        for k in range(0, filters, MR):
            for r in range(0, rows, NR_REGISTERS):
                dot_tile(
                    length, own_dy, k * pitch, pitch, columns, r * pitch, pitch, partial,
                    k * across + r, across,
                )  # fmt: skip


@parallel
def _add_parts(k, groups, chunk, parts, work_partial, out_dweight):
    """The gradient of filter k."""
    filters, channels = out_dweight.shape[0] // groups, out_dweight.shape[1]
    area = out_dweight.shape[2] * out_dweight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    across = round_up(chunk * area, NR_REGISTERS)
    flat = out_dweight.reshape(-1)
    group = k // filters
    for r in range(channels * area):
        taken = r // (chunk * area)
        at = (k - group * filters) * across + r - taken * chunk * area
        total = 0.0
        for part in range(parts):
            total += work_partial[(group * chunks + taken) * parts + part, at]
        flat[k * channels * area + r] = total
