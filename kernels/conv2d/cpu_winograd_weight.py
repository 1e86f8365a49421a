"""The gradient of 3 x 3 filters by Winograd's F(4x4, 3x3).

A superblock of tiles is transformed at once, inputs and gradients, a register of channels or
filters at a time; then each of the 36 points multiplies its own two matrices, summing over the
tiles. One matrix of sums for each point serves all superblocks, which follow one another, so
the order of summation is fixed. At the end the 36 sums become 9 taps.
"""

from kernels import _jit
from kernels._jit import thread_id
from kernels._tile import GATHER_ROWS, GATHER_VECTORS, gather_tile_1, gather_tile_2, tile_lanes
from kernels.conv2d.columns import clear
from kernels.conv2d.cpu_winograd import MARGIN, POINTS, TILE, cut_segments, place_rows
from kernels.conv2d.panels import panel_width
from kernels.conv2d.winograd_transforms import (
    transform_gradients,
    transform_inputs,
    transform_weight_gradients,
)

# Tiles multiplied at a time: a panel of inputs and one of gradients stay in L1.
RUN = 160


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
    columns = GATHER_VECTORS * lanes
    padded = (channels + lanes - 1) // lanes * lanes
    step = block * padded + MARGIN
    for c in range(0, channels, lanes):
        for lane in range(min(lanes, channels - c)):
            start = lane * images * plane
            place_rows(x, c + lane, pad, segments, count, 6, planes, start, plane, pitch)
        panel = c // columns * columns
        width = panel_width(panel, channels, lanes)
        to = panel * block + c - panel + behind * width
        for tile in range(tiles):
            transform_inputs(
                planes, places[tile], places, tiles, pitch, inputs, to + tile * width, step
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
    columns = GATHER_VECTORS * lanes
    step = (filters + columns - 1) // columns * columns * block + MARGIN
    for k in range(0, filters, lanes):
        for lane in range(min(lanes, filters - k)):
            start = lane * images * plane
            place_rows(dy, k + lane, (0, 0), segments, count, 4, planes, start, plane, pitch)
        panel = k // columns * columns
        to = panel * block + behind * columns + k - panel
        for tile in range(tiles):
            transform_gradients(
                planes, places[tile], places, tiles, pitch, gradients, to + tile * columns, step
            )


@_jit.parallel
def _transform_share(
    task, x, dy, pad, first, last, block, share, work_places, work_planes, work_inputs,
    work_gradients,
):  # fmt: skip
    """A share of the tiles [first, last) of a superblock, inputs and gradients."""
    places, planes = work_places[thread_id()], work_planes[thread_id()]
    down, across = (dy.shape[2] + TILE - 1) // TILE, (dy.shape[3] + TILE - 1) // TILE
    begin = first + task * share
    end = min(last, begin + share)
    _transform_inputs(
        x, pad, begin, end, begin - first, block, down, across, places, planes, work_inputs
    )
    _transform_gradients(
        dy, begin, end, begin - first, block, down, across, places, planes, work_gradients
    )


@_jit.parallel
def _multiply_point(
    point, tiles, block, channels, filters, add, places, offsets, inputs, gradients, sums
):
    """One point's sums (filters, channels) over the tiles of a superblock."""
    lanes = tile_lanes(inputs)
    columns = GATHER_VECTORS * lanes
    padded_channels = (channels + lanes - 1) // lanes * lanes
    padded_filters = (filters + columns - 1) // columns * columns
    rows = (filters + GATHER_ROWS - 1) // GATHER_ROWS * GATHER_ROWS
    for tile in range(0, tiles, RUN):
        depth = min(RUN, tiles - tile)
        a = point * (block * padded_filters + MARGIN) + tile * columns
        for panel in range(0, channels, columns):
            width = panel_width(panel, channels, lanes)
            b = point * (block * padded_channels + MARGIN) + panel * block + tile * width
            for k in range(0, filters, GATHER_ROWS):
                to = point * (rows * padded_channels + MARGIN) + panel * rows + k * width
                if width == columns:
                    gather_tile_2(
                        depth, gradients, a, places, k, offsets, 0, inputs, b, sums, to,
                        add or tile > 0,
                    )  # fmt: skip
                else:
                    gather_tile_1(
                        depth, gradients, a, places, k, offsets, 0, inputs, b, sums, to,
                        add or tile > 0,
                    )  # fmt: skip


@_jit.parallel
def _finish_filter(k, filters, channels, work_taps, sums, dweight):
    """The 9 taps of one filter from its 36 sums."""
    taps = work_taps[thread_id()]
    lanes = tile_lanes(sums)
    columns = GATHER_VECTORS * lanes
    padded = (channels + lanes - 1) // lanes * lanes
    rows = (filters + GATHER_ROWS - 1) // GATHER_ROWS * GATHER_ROWS
    for c in range(0, channels, lanes):
        panel = c // columns * columns
        start = panel * rows + k * panel_width(panel, channels, lanes) + c - panel
        transform_weight_gradients(sums, start, rows * padded + MARGIN, taps, 0)
        for lane in range(min(lanes, channels - c)):
            for tap in range(9):
                dweight[(k * channels + c + lane) * 9 + tap] = taps[tap * lanes + lane]


def to_weight(
    x, dy, window, groups, work_cuts, work_rows, work_steps, work_places, work_planes,
    work_inputs, work_gradients, work_sums, work_taps, out_dweight,
):  # fmt: skip
    """The gradient of 3 x 3 filters.

    x               (N, C, H, W)
    dy              (N, K, OH, OW)
    window          kernel, stride, padding and dilation, each (height, width)
    groups          1
    work_cuts       block: tiles of a superblock; share: tiles that a task transforms
    work_rows       (K up to a tile's rows,) int64: where a filter's column begins in panels
    work_steps      (RUN,) int64: 0, 1, ... times the columns of a panel
    work_places     (threads, 5 * share + a register) int64
    work_planes     (threads, the padded planes of a register of channels under a share)
    work_inputs     (36 * (block * C up to a register + MARGIN),)
    work_gradients  (36 * (block * K up to a panel's columns + MARGIN),)
    work_sums       (36 * (K up to a tile's rows * C up to a register + MARGIN),)
    work_taps       (threads, 9 registers)
    out_dweight     (K, C, 3, 3)

    Parallel over shares of tiles, then points, then filters.
    """
    block, share = work_cuts
    pad = window[4:6]
    images, filters, height, width = dy.shape
    channels = x.shape[1]
    tiles = images * -(-height // TILE) * -(-width // TILE)
    for first in range(0, tiles, block):
        last = min(tiles, first + block)
        _transform_share(
            -(-(last - first) // share), x, dy, pad, first, last, block, share, work_places,
            work_planes, work_inputs, work_gradients,
        )  # fmt: skip
        _multiply_point(
            POINTS, last - first, block, channels, filters, first > 0, work_rows, work_steps,
            work_inputs, work_gradients, work_sums,
        )  # fmt: skip
    _finish_filter(filters, filters, channels, work_taps, work_sums, out_dweight.reshape(-1))
