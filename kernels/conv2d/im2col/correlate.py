"""y: a task is a strip of output positions of one image and group."""

import functools

import numpy as np

from kernels import _memory
from kernels._jit import parallel, thread_id, thread_rows
from kernels._tile import (
    MR,
    NR_REGISTERS,
    clear_columns,
    macro_kernel,
    pack_panel,
    panel_columns,
    tile_lanes,
)
from kernels.conv2d.geometry import Window
from kernels.conv2d.im2col.columns import MARGIN, fill_strip, strip_width
from kernels.conv2d.planes import finish_filters
from kernels.conv2d.rounding import pieces, round_up, up

# Rows of a strip of columns: a panel of DEPTH x 24 float32 is 27 KiB, most of an L1 cache.
DEPTH = 288


def forward(x, weight, bias, window, groups, relu, out_y):
    positions = out_y.shape[2] * out_y.shape[3]
    strip, packed, columns, edge = _sizes(weight.shape, groups, positions, x.dtype)
    threads = thread_rows()
    work_weight = _memory.empty(packed, x.dtype)
    _pack_group(groups, weight, groups, work_weight)
    _correlate_strip(
        x.shape[0] * groups * pieces(positions, strip), x, bias, tuple(window), groups, relu,
        strip, work_weight, _memory.empty((threads, columns), x.dtype),
        _memory.empty((threads, edge), x.dtype), out_y,
    )  # fmt: skip


@functools.lru_cache(maxsize=512)
def _sizes(
    weight_shape: tuple[int, int, int, int], groups: int, positions: int, dtype: np.dtype
) -> tuple[int, int, int, int]:
    """Positions of a strip, then elements of scratch: packed weight, columns, a tile."""
    filters, channels, kernel_h, kernel_w = weight_shape
    row_length = channels * kernel_h * kernel_w
    tile_columns = panel_columns(dtype)
    depth = min(row_length, DEPTH)
    strip = strip_width(positions, depth, tile_columns)
    return (
        strip,
        groups * row_length * up(filters // groups, MR),
        depth * (strip + MARGIN) + tile_columns,
        MR * tile_columns,
    )


@parallel
def _pack_group(group, weight, groups, work_weight):
    """For every DEPTH columns of weight, packed panels (depth, MR), zeros below the last row."""
    filters = weight.shape[0] // groups
    row_length = weight.shape[1] * weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    for depth_from in range(0, row_length, DEPTH):
        depth = min(DEPTH, row_length - depth_from)
        start = (group * row_length + depth_from) * round_up(filters, MR)
        for first in range(0, filters, MR):
            to, high = start + first * depth, min(MR, filters - first)
            source = (group * filters + first) * row_length + depth_from
            pack_panel(flat, source, row_length, True, depth, high, work_weight, to, MR)
            clear_columns(depth, high, MR, work_weight, to, MR)


@parallel
def _correlate_strip(
    task, x, bias, window, groups, relu, strip, work_weight, work_columns, work_edge, out_y
):
    """work_columns  (threads, DEPTH or fewer * (strip + MARGIN) + a tile's columns)
    work_edge     (threads, a tile)
    """
    columns, edge = work_columns[thread_id()], work_edge[thread_id()]
    window = Window(*window)
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    row_length = channels * window.kernel_h * window.kernel_w
    positions = out_y.shape[2] * out_y.shape[3]
    strips = (positions + strip - 1) // strip
    pitch = strip + MARGIN
    image, group = task // (strips * groups), task // strips % groups
    position = task % strips * strip
    count = min(strip, positions - position)
    to = (image * groups + group) * filters * positions + position
    width = NR_REGISTERS * tile_lanes(x)
    for depth_from in range(0, row_length, DEPTH):
        depth = min(DEPTH, row_length - depth_from)
        packed = (group * row_length + depth_from) * round_up(filters, MR)
        fill_strip(
            x, image, group * channels, window, depth_from, depth, out_y.shape[3], position,
            count, columns, pitch,
        )  # fmt: skip
        macro_kernel(
            depth, filters, count, work_weight, packed, columns, 0, pitch, width, out_y, to,
            positions, depth_from > 0, edge,
        )  # fmt: skip
    finish_filters(bias, relu, group * filters, filters, count, positions, out_y, to)
