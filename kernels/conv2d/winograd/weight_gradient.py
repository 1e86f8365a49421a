"""The gradient of 3 x 3 filters.

A superblock of tiles is transformed at once, inputs and gradients, a register of channels or
filters at a time; then each of the 36 points multiplies its own two matrices, summing over the
tiles. One matrix of sums for each point serves all superblocks, which follow one another, so
the order of summation is fixed. At the end the 36 sums become 9 taps.

Tasks are shares of a superblock's tiles, then points, then filters.
"""

import functools

import numpy as np

from kernels import _memory
from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._simd import clear
from kernels._tile import (
    GATHER_ROWS,
    GATHER_VECTORS,
    gather_columns,
    gather_tile,
    tile_lanes,
)
from kernels.conv2d.panels import panel_of, panel_width
from kernels.conv2d.phases import table_of
from kernels.conv2d.rounding import pieces, round_up, up
from kernels.conv2d.winograd.tiles import (
    MARGIN,
    POINTS,
    TILE,
    cut_segments,
    locate_tiles,
    place_rows,
)
from kernels.conv2d.winograd.transforms import (
    transform_gradients,
    transform_inputs,
    transform_weight_gradients,
)

# Tiles multiplied at a time: a panel of inputs and one of gradients stay in L1.
RUN = 160

# Transformed inputs and gradients of a superblock: they stay in a shared L3.
SUPERBLOCK_BYTES = 4_000_000


def to_weight(x, dy, window, groups, out_dweight):
    (filters, channels), dtype = out_dweight.shape[:2], x.dtype
    columns = gather_columns(dtype)
    lanes = columns // GATHER_VECTORS
    padded_channels, padded_filters = up(channels, lanes), up(filters, columns)
    tiles, block, share, slots = _superblock(
        dy.shape, (padded_channels + padded_filters) * dtype.itemsize
    )
    plane = (up(dy.shape[2], TILE) + 2) * (up(dy.shape[3], TILE) + 2)
    starts, tile_offsets = _tables(filters, block, columns)
    threads = thread_rows()
    scratch = (
        _memory.empty((threads, share), np.int64),
        _memory.empty((threads, lanes), np.int64),
        _memory.empty((threads, share, 4), np.int64),
        _memory.empty((threads, lanes * slots * plane), dtype),
    )
    work_inputs = _memory.empty(POINTS * (block * padded_channels + MARGIN), dtype)
    work_gradients = _memory.empty(POINTS * (block * padded_filters + MARGIN), dtype)
    work_sums = _memory.empty(POINTS * (starts.size * padded_channels + MARGIN), dtype)
    pad = window.pad_h, window.pad_w
    for first in range(0, tiles, block):
        last = min(tiles, first + block)
        _transform_share(
            pieces(last - first, share), x, dy, pad, first, last, block, share, *scratch,
            work_inputs, work_gradients,
        )  # fmt: skip
        _multiply_point(
            POINTS, last - first, block, channels, filters, first > 0, starts, tile_offsets,
            work_inputs, work_gradients, work_sums,
        )  # fmt: skip
    work_taps = _memory.empty((threads, 9 * lanes), dtype)
    _finish_filter(filters, filters, channels, work_sums, work_taps, out_dweight.reshape(-1))


@functools.lru_cache(maxsize=512)
def _superblock(shape: tuple[int, int, int, int], tile_bytes: int) -> tuple[int, int, int, int]:
    """Tiles of all, of a superblock, of a task's share; images that a share touches."""
    images, _, height, width = shape
    plane_tiles = pieces(height, TILE) * pieces(width, TILE)
    tiles = images * plane_tiles
    block = max(64, min(512, SUPERBLOCK_BYTES // (POINTS * tile_bytes)))
    block = pieces(tiles, pieces(tiles, block))
    share = max(8, min(64, pieces(block, 4)))
    return tiles, block, share, min(images, share // plane_tiles + 2)


@functools.lru_cache(maxsize=512)
def _tables(filters: int, block: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Where filters begin in panels of a block's tiles, and how far tiles lie from there."""
    rows = np.arange(up(filters, GATHER_ROWS))
    starts = np.minimum(rows, filters - 1) // columns * columns * block + rows % columns
    return table_of(starts), table_of(np.arange(RUN) * columns)


@parallel
def _transform_share(
    task, x, dy, pad, first, last, block, share, work_starts, work_lanes, work_segments,
    work_planes, work_inputs, work_gradients,
):  # fmt: skip
    """A share of the tiles [first, last) of a superblock, inputs and gradients.

    work_starts     (threads, share) int64: where tiles begin in planes
    work_lanes      (threads, a register) int64: where the planes of a lane's channel begin
    work_segments   (threads, share, 4) int64
    work_planes     (threads, the padded planes of a register of channels under a share)
    work_inputs     (36 * (block * C up to a register + MARGIN),)
    work_gradients  (36 * (block * K up to a panel's columns + MARGIN),)
    """
    thread = thread_id()
    scratch = work_starts[thread], work_lanes[thread], work_segments[thread], work_planes[thread]
    grid = (dy.shape[2] + TILE - 1) // TILE, (dy.shape[3] + TILE - 1) // TILE
    begin = first + task * share
    end, behind = min(last, begin + share), begin - first
    lanes = tile_lanes(x)
    _transform_tiles(x, pad, 6, lanes, begin, end, behind, block, grid, scratch, work_inputs)
    columns = GATHER_VECTORS * lanes
    _transform_tiles(
        dy, (0, 0), 4, columns, begin, end, behind, block, grid, scratch, work_gradients
    )


@jit
def _transform_tiles(x, pad, side, multiple, first, last, behind, block, grid, scratch, out):
    """The patches under tiles [first, last), `behind` the first of the superblock.

    side      of a patch: 6 of inputs, 4 of gradients
    multiple  channels are filled up to such a multiple
    """
    starts, lane_starts, segments, planes = scratch
    (down, across), lanes, channels = grid, tile_lanes(x), x.shape[1]
    pitch = TILE * across + side - TILE
    plane = (TILE * down + side - TILE) * pitch
    count = cut_segments(first, last, down, across, segments)
    locate_tiles(first, last, last - first, down, across, segments[0, 0], plane, pitch, starts)
    images = segments[count - 1, 0] - segments[0, 0] + 1
    clear(planes, 0, lanes * images * plane)
    for lane in range(lanes):
        lane_starts[lane] = lane * images * plane
    between = block * round_up(channels, multiple) + MARGIN
    for c in range(0, channels, lanes):
        for lane in range(min(lanes, channels - c)):
            place_rows(
                x, c + lane, pad, segments, count, side, planes, lane_starts[lane], plane, pitch
            )
        panel = panel_of(c, lanes)
        width = min(GATHER_VECTORS * lanes, round_up(channels - panel, multiple))
        to = panel * block + c - panel + behind * width
        if side == 4:
            for tile in range(last - first):
                at = to + tile * width
                transform_gradients(planes, starts[tile], lane_starts, 0, pitch, out, at, between)
        else:
            for tile in range(last - first):
                at = to + tile * width
                transform_inputs(planes, starts[tile], lane_starts, 0, pitch, out, at, between)


@parallel
def _multiply_point(
    point, tiles, block, channels, filters, add, plan_starts, plan_tiles, work_inputs,
    work_gradients, work_sums,
):  # fmt: skip
    """One point's sums (filters, channels) over the tiles of a superblock.

    plan_starts  (K up to a tile's rows,) int64: where a filter's column begins in panels
    plan_tiles   (RUN,) int64: how far from there tiles lie
    work_sums    (36 * (K up to a tile's rows * C up to a register + MARGIN),)
    """
    lanes = tile_lanes(work_inputs)
    columns = GATHER_VECTORS * lanes
    rows, padded = plan_starts.size, round_up(channels, lanes)
    for tile in range(0, tiles, RUN):
        depth = min(RUN, tiles - tile)
        a = point * (block * round_up(filters, columns) + MARGIN) + tile * columns
        for panel in range(0, channels, columns):
            width = panel_width(panel, channels, lanes)
            b = point * (block * padded + MARGIN) + panel * block + tile * width
            to = point * (rows * padded + MARGIN) + panel * rows
            for k in range(0, filters, GATHER_ROWS):
                gather_tile(
                    width // lanes, depth, work_gradients, a, plan_starts, k, plan_tiles, 0,
                    work_inputs, b, work_sums, to + k * width, add or tile > 0,
                )  # fmt: skip


@parallel
def _finish_filter(k, filters, channels, work_sums, work_taps, out_dweight):
    """The 9 taps of one filter from its 36 sums; work_taps (threads, 9 registers)."""
    taps = work_taps[thread_id()]
    lanes = tile_lanes(work_sums)
    rows, padded = round_up(filters, GATHER_ROWS), round_up(channels, lanes)
    for c in range(0, channels, lanes):
        panel = panel_of(c, lanes)
        start = panel * rows + k * panel_width(panel, channels, lanes) + c - panel
        transform_weight_gradients(work_sums, start, rows * padded + MARGIN, taps, 0)
        for lane in range(min(lanes, channels - c)):
            for tap in range(9):
                out_dweight[(k * channels + c + lane) * 9 + tap] = taps[tap * lanes + lane]
