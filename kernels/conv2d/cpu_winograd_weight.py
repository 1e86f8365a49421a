"""The gradient of 3 x 3 filters by Winograd's F(4x4, 3x3).

A superblock of tiles is transformed at once, inputs and gradients, a register of channels or
filters at a time; then each of the 36 points multiplies its own two matrices, summing over the
tiles. One matrix of sums for each point serves all superblocks, which follow one another, so
the order of summation is fixed. At the end the 36 sums become 9 taps.
"""

import numpy as np

from kernels import _jit
from kernels._jit import prange, thread_id
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    multiply_tile_1,
    multiply_tile_2,
    multiply_tile_3,
    tile_lanes,
)
from kernels.conv2d.columns import clear
from kernels.conv2d.cpu_winograd import MARGIN, POINTS, TILE, cut_segments, place_rows
from kernels.conv2d.winograd_transforms import (
    transform_gradients,
    transform_inputs,
    transform_weight_gradients,
)


@_jit.jit
def _locate(first, last, down, across, side, pitch, plane, places):
    """Where each tile of [first, last) begins in the planes; `side` columns apart."""
    from_image = first // (down * across)
    for tile in range(first, last):
        image = tile // (down * across)
        row, column = tile // across - image * down, tile % across
        places[tile - first] = (image - from_image) * plane + side * (row * pitch + column)


@_jit.jit
def _transform_inputs(x, pad, first, last, behind, block, down, across, places, planes, inputs):
    """The inputs under tiles [first, last), `behind` the first of the superblock."""
    lanes = tile_lanes(x)
    channels = x.shape[1]
    pitch = TILE * across + 2
    plane = (TILE * down + 2) * pitch
    tiles = last - first
    segments = places[tiles + lanes :]
    count = cut_segments(first, last, down, across, segments)
    _locate(first, last, down, across, TILE, pitch, plane, places)
    images = (last - 1) // (down * across) - first // (down * across) + 1
    clear(planes, 0, lanes * images * plane)
    for lane in range(lanes):
        places[tiles + lane] = lane * images * plane
    width = TILE_VECTORS * lanes
    padded = (channels + width - 1) // width * width
    step = block * padded + MARGIN
    for c in range(0, channels, lanes):
        for lane in range(min(lanes, channels - c)):
            start = lane * images * plane
            place_rows(x, c + lane, pad, segments, count, 6, planes, start, plane, pitch)
        to = c // width * width * block + c % width + behind * width
        for tile in range(tiles):
            transform_inputs(
                planes, places[tile], places, tiles, pitch, inputs, to + tile * width, step, 0
            )


@_jit.jit
def _transform_gradients(dy, first, last, behind, block, down, across, places, planes, gradients):
    """As `_transform_inputs`, of dy, for the filters."""
    lanes = tile_lanes(dy)
    filters = dy.shape[1]
    pitch = TILE * across
    plane = TILE * down * pitch
    tiles = last - first
    segments = places[tiles + lanes :]
    count = cut_segments(first, last, down, across, segments)
    _locate(first, last, down, across, TILE, pitch, plane, places)
    images = (last - 1) // (down * across) - first // (down * across) + 1
    clear(planes, 0, lanes * images * plane)
    for lane in range(lanes):
        places[tiles + lane] = lane * images * plane
    padded = (filters + lanes - 1) // lanes * lanes
    step = block * padded + MARGIN
    for k in range(0, filters, lanes):
        for lane in range(min(lanes, filters - k)):
            start = lane * images * plane
            place_rows(dy, k + lane, (0, 0), segments, count, 4, planes, start, plane, pitch)
        to = k * block + behind * TILE_ROWS
        for tile in range(tiles):
            transform_gradients(
                planes, places[tile], places, tiles, pitch, gradients, to + tile * TILE_ROWS,
                step, block * TILE_ROWS,
            )  # fmt: skip


@_jit.jit
def _multiply_point(point, tiles, block, channels, filters, add, inputs, gradients, sums):
    """One point's sums (filters, channels) over the tiles of a superblock."""
    lanes = tile_lanes(inputs)
    width = TILE_VECTORS * lanes
    across = (channels + width - 1) // width * width
    padded = (filters + lanes - 1) // lanes * lanes
    for c in range(0, channels, width):
        b = point * (block * across + MARGIN) + c * block
        for k in range(0, filters, TILE_ROWS):
            a = point * (block * padded + MARGIN) + k * block
            to = point * (padded * across + MARGIN) + k * across + c
            if channels - c > 2 * lanes:
                multiply_tile_3(tiles, gradients, a, inputs, b, width, sums, to, across, add)
            elif channels - c > lanes:
                multiply_tile_2(tiles, gradients, a, inputs, b, width, sums, to, across, add)
            else:
                multiply_tile_1(tiles, gradients, a, inputs, b, width, sums, to, across, add)


@_jit.jit
def _finish_filter(k, channels, padded, taps, sums, dweight):
    """The 9 taps of one filter from its 36 sums."""
    lanes = tile_lanes(sums)
    width = TILE_VECTORS * lanes
    across = (channels + width - 1) // width * width
    for c in range(0, channels, lanes):
        start = k * across + c
        transform_weight_gradients(sums, start, padded * across + MARGIN, taps, 0)
        for lane in range(min(lanes, channels - c)):
            for tap in range(9):
                dweight[(k * channels + c + lane) * 9 + tap] = taps[tap * lanes + lane]


@_jit.parallel
def to_weight(
    x, dy, window, groups, work_cuts, work_places, work_planes, work_inputs, work_gradients,
    work_sums, work_taps, out_dweight,
):  # fmt: skip
    """The gradient of 3 x 3 filters.

    x               (N, C, H, W)
    dy              (N, K, OH, OW)
    window          kernel, stride, padding and dilation, each (height, width)
    groups          1
    work_cuts       block: tiles of a superblock; share: tiles that a task transforms
    work_places     (threads, 5 * share + a register) int64
    work_planes     (threads, the padded planes of a register of channels under a share)
    work_inputs     (36 * (block * C up to a tile's columns + MARGIN),)
    work_gradients  (36 * (block * K up to a register + MARGIN),)
    work_sums       (36 * (K up to a register * C up to a tile's columns + MARGIN),)
    work_taps       (threads, 9 registers)
    out_dweight     (K, C, 3, 3)

    Parallel over shares of tiles, then points, then filters.
    """
    block, share = work_cuts
    pad = window[4:6]
    images, filters, height, width = dy.shape
    channels = x.shape[1]
    down, across = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    tiles = images * down * across
    lanes = tile_lanes(x)
    padded = (filters + lanes - 1) // lanes * lanes
    for first in range(0, tiles, block):
        last = min(tiles, first + block)
        for index in prange((last - first + share - 1) // share):
            task, thread = np.int64(index), thread_id()
            begin = first + task * share
            end = min(last, begin + share)
            _transform_inputs(
                x, pad, begin, end, begin - first, block, down, across, work_places[thread],
                work_planes[thread], work_inputs,
            )  # fmt: skip
            _transform_gradients(
                dy, begin, end, begin - first, block, down, across, work_places[thread],
                work_planes[thread], work_gradients,
            )  # fmt: skip
        for index in prange(POINTS):
            point = np.int64(index)
            _multiply_point(
                point, last - first, block, channels, filters, first > 0, work_inputs,
                work_gradients, work_sums,
            )  # fmt: skip
    flat = out_dweight.reshape(-1)
    for index in prange(filters):
        k = np.int64(index)
        _finish_filter(k, channels, padded, work_taps[thread_id()], work_sums, flat)
