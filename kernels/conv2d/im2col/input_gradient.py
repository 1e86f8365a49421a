"""The gradient of x: columns = weight' dy, strip by strip, added where they were read.

A task is a chunk of channels of one image, whose planes no other task writes.
"""

import functools

import numpy as np

from kernels import _memory
from kernels._jit import parallel, thread_id, thread_rows
from kernels._simd import clear
from kernels._tile import (
    MR,
    NR_REGISTERS,
    clear_columns,
    copy,
    macro_kernel,
    pack_panel,
    panel_columns,
    tile_lanes,
)
from kernels.conv2d.geometry import Window
from kernels.conv2d.im2col.columns import MARGIN, scatter_row, strip_width, tap_origin
from kernels.conv2d.rounding import pieces, round_up, up

# Rows of columns in a task: so that copying dy is soon paid for.
MOST_ROWS = 108


def to_input(dy, weight, window, groups, out_dx):
    positions = dy.shape[2] * dy.shape[3]
    chunk, strip, rows = _sizes(weight.shape, groups, positions, dy.dtype)
    filters, pitch = weight.shape[0] // groups, strip + MARGIN
    chunks = groups * pieces(weight.shape[1], chunk)
    threads, tile_columns = thread_rows(), panel_columns(dy.dtype)
    work_weight = _memory.empty(chunks * rows * filters, dy.dtype)
    _pack_chunk(chunks, weight, groups, chunk, work_weight)
    _scatter_chunk(
        dy.shape[0] * chunks, dy, tuple(window), groups, chunk, strip, work_weight,
        _memory.empty((threads, filters * pitch + tile_columns), dy.dtype),
        _memory.empty((threads, rows * pitch), dy.dtype),
        _memory.empty((threads, MR * tile_columns), dy.dtype), out_dx,
    )  # fmt: skip


@functools.lru_cache(maxsize=512)
def _sizes(
    weight_shape: tuple[int, int, int, int], groups: int, positions: int, dtype: np.dtype
) -> tuple[int, int, int]:
    """Channels of a chunk, positions of a strip, rows of a chunk's columns in whole tiles."""
    filters, channels, kernel_h, kernel_w = weight_shape
    chunk = max(1, min(channels, MOST_ROWS // (kernel_h * kernel_w)))
    rows = up(chunk * kernel_h * kernel_w, MR)
    strip = strip_width(positions, max(filters // groups, rows), panel_columns(dtype))
    return chunk, strip, rows


@parallel
def _pack_chunk(task, weight, groups, chunk, work_weight):
    """A chunk of weight transposed: a packed panel (filters, MR) for every MR rows of columns."""
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    area = weight.shape[2] * weight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    group, channel = task // chunks, task % chunks * chunk
    rows = min(chunk, channels - channel) * area
    start = task * round_up(chunk * area, MR) * filters
    flat = weight.reshape(-1)
    for first in range(0, rows, MR):
        to, high = start + first * filters, min(MR, rows - first)
        source = (group * filters * channels + channel) * area + first
        pack_panel(flat, source, channels * area, False, filters, high, work_weight, to, MR)
        clear_columns(filters, high, MR, work_weight, to, MR)


@parallel
def _scatter_chunk(
    task, dy, window, groups, chunk, strip, work_weight, work_dy, work_columns, work_edge, out_dx
):
    """work_dy       (threads, filters of a group * (strip + MARGIN) + a tile's columns)
    work_columns  (threads, rows of a chunk * (strip + MARGIN))
    work_edge     (threads, a tile)
    """
    thread = thread_id()
    own_dy, columns, edge = work_dy[thread], work_columns[thread], work_edge[thread]
    window = Window(*window)
    area, stride = window.kernel_h * window.kernel_w, (window.stride_h, window.stride_w)
    filters, channels = dy.shape[1] // groups, out_dx.shape[1] // groups
    size, positions = out_dx.shape[2] * out_dx.shape[3], dy.shape[2] * dy.shape[3]
    chunks, pitch = (channels + chunk - 1) // chunk, strip + MARGIN
    image, group = task // (chunks * groups), task // chunks % groups
    channel = task % chunks * chunk
    taken = min(chunk, channels - channel)
    packed = (group * chunks + task % chunks) * round_up(chunk * area, MR) * filters
    plane = ((image * groups + group) * channels + channel) * size
    clear(out_dx.reshape(-1), plane, taken * size)
    width = NR_REGISTERS * tile_lanes(dy)
    for position in range(0, positions, strip):
        count = min(strip, positions - position)
        for k in range(filters):
            source = ((image * groups + group) * filters + k) * positions + position
            copy(dy, source, own_dy, k * pitch, count)
        macro_kernel(
            filters, taken * area, count, work_weight, packed, own_dy, 0, pitch, width,
            columns, 0, pitch, False, edge,
        )  # fmt: skip
        for r in range(taken * area):
            c = r // area
            scatter_row(
                columns, r * pitch, tap_origin(window, r - c * area), stride, dy.shape[3],
                position, count, out_dx, plane + c * size,
            )  # fmt: skip
