"""Convolution 3 x 3 with stride 1 by Winograd's F(4x4, 3x3): 36 products instead of 144.

The output is cut into tiles of 4 x 4; tiles are numbered through all images. A task takes a
block of tiles, transforms their 6 x 6 inputs channel by channel, multiplies by the transformed
filters once for each of the 36 points, 16 filters at a time so that the products stay in L2,
and transforms these back at once, with bias and ReLU.

A quarter of the direct kernel's multiply-adds is left, N K C (OH OW / 16) 36, and the
transforms, which cost about 1 / K + 1 / C of the direct kernel's. The points' matrices lie 16
elements more than a power of two apart: 36 streams in one set of L1 run 3 times slower.
"""

import numpy as np

from kernels import _jit
from kernels._jit import thread_id
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    copy,
    multiply_tile_3,
    panel_columns,
    tile_lanes,
)
from kernels.conv2d.columns import clear
from kernels.conv2d.winograd_transforms import (
    transform_inputs,
    transform_outputs,
    transform_weights,
)

POINTS = 36
TILE = 4
MARGIN = 16

# Filters multiplied before they are transformed back.
FILTER_BLOCK = 16


@_jit.jit
def cut_segments(first, last, down, across, segments):
    """Cut tiles [first, last) where a row of tiles ends: (image, row, from, to) each."""
    count = 0
    tile = first
    while tile < last:
        image = tile // (down * across)
        row = tile // across - image * down
        column = tile % across
        taken = min(last - tile, across - column)
        segments[4 * count] = image
        segments[4 * count + 1] = row
        segments[4 * count + 2] = column
        segments[4 * count + 3] = column + taken
        count += 1
        tile += taken
    return count


@_jit.jit
def place_rows(x, channel, pad, segments, count, side, planes, start, plane, pitch):
    """Copy the input rows under the tiles of `segments` into a plane for each image.

    side   rows that a tile of 4 needs: 6 of the input, 4 of the gradient
    plane  elements of an image's plane, from the first segment's image on
    """
    channels, height, width = x.shape[1], x.shape[2], x.shape[3]
    done, before = 0, -1
    for s in range(count):
        image, row = segments[4 * s], segments[4 * s + 1]
        if image != before:
            done, before = 0, image
        top = row * TILE - pad[0]
        slot = start + (image - segments[0]) * plane
        for h in range(max(top, done), min(top + side, height)):
            source = ((image * channels + channel) * height + h) * width
            to = slot + (h + pad[0]) * pitch + pad[1]
            copy(x, source, planes, to, min(width, pitch - pad[1]))
        done = max(done, top + side)


@_jit.parallel
def _pack_filters(task, weight, filters, channels, transposed, work_places, work_filters):
    """Transform a register of filters, for every channel."""
    places = work_places[thread_id()]
    lanes = tile_lanes(weight)
    first = task * lanes
    distance = 9 if transposed else channels * 9
    for lane in range(lanes):
        places[lane] = min(lane, filters - 1 - first) * distance
    step = FILTER_BLOCK * channels + MARGIN
    block = first // FILTER_BLOCK
    start = block * POINTS * step + (first - block * FILTER_BLOCK) * channels
    for c in range(channels):
        source = (c * filters + first if transposed else first * channels + c) * 9
        transform_weights(
            weight, source, places, 0, transposed, work_filters, start + c * TILE_ROWS, step,
            channels * TILE_ROWS,
        )  # fmt: skip


@_jit.jit
def _transform_block(x, pad, first, last, down, across, block, places, planes, inputs):
    """The inputs under tiles [first, last), transformed; returns the number of segments."""
    lanes = tile_lanes(x)
    channels = x.shape[1]
    pitch = TILE * across + 2
    plane = (TILE * down + 2) * pitch
    segments = places[2 * block :]
    count = cut_segments(first, last, down, across, segments)
    clear(planes, 0, planes.size)
    for tile in range(block):
        at = min(first + tile, last - 1)
        image = at // (down * across)
        row, column = at // across - image * down, at % across
        places[tile] = (image - segments[0]) * plane + TILE * (row * pitch + column)
    step = block * channels + MARGIN
    width = TILE_VECTORS * lanes
    for c in range(channels):
        place_rows(x, c, pad, segments, count, 6, planes, 0, plane, pitch)
        for tile in range(0, last - first, lanes):
            panel = tile // width
            to = (panel * channels + c) * width + tile - panel * width
            transform_inputs(planes, 0, places, tile, pitch, inputs, to, step)
    return count


@_jit.jit
def _multiply_block(
    filters, channels, run, tiles, block, step_filters, work_filters, start, inputs, products
):  # fmt: skip
    """The 36 products of up to FILTER_BLOCK transformed filters and a block of inputs.

    Registers sum `run` channels at a time: a sum of many float32 in one row errs more.
    """
    width = TILE_VECTORS * tile_lanes(inputs)
    step_inputs = block * channels + MARGIN
    step_products = FILTER_BLOCK * block + MARGIN
    for point in range(POINTS):
        for panel in range(0, tiles, width):
            b = point * step_inputs + panel * channels
            for k in range(0, filters, TILE_ROWS):
                a = start + point * step_filters + k * channels
                to = point * step_products + k * block + panel
                for channel in range(0, channels, run):
                    multiply_tile_3(
                        min(run, channels - channel), work_filters, a + channel * TILE_ROWS,
                        inputs, b + channel * width, width, products, to, block, channel > 0,
                    )  # fmt: skip


@_jit.jit
def _finish_filter(products, start, block, tiles, out, base, places, pitch, shift, least):
    step = FILTER_BLOCK * block + MARGIN
    for tile in range(0, tiles, tile_lanes(products)):
        transform_outputs(
            products, start + tile, step, out, base, places, block + tile, pitch, shift, least
        )


@_jit.parallel
def _correlate_block(
    task, x, bias, pad, relu, block, run, filters_packed, work_places, work_planes, work_inputs,
    work_products, work_tiles, out_y,
):  # fmt: skip
    thread = thread_id()
    places, planes, inputs = work_places[thread], work_planes[thread], work_inputs[thread]
    products, tiles_out = work_products[thread], work_tiles[thread]
    images, filters, height, width = out_y.shape
    channels = x.shape[1]
    down, across = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    first = task * block
    last = min(first + block, images * down * across)
    tiles = last - first
    segments = places[2 * block :]
    count = _transform_block(x, pad, first, last, down, across, block, places, planes, inputs)
    # Whole blocks of whole tiles are written where they belong, others to a buffer first.
    direct = tiles == block and height % TILE == 0 and width % TILE == 0
    pitch = width if direct else TILE * across
    area = TILE * down * TILE * across
    for tile in range(block):
        at = min(first + tile, last - 1)
        image = at // (down * across)
        row, column = at // across - image * down, at % across
        within = TILE * (row * pitch + column)
        if direct:
            places[block + tile] = image * filters * height * width + within
        elif tile < tiles:
            places[block + tile] = (image - segments[0]) * area + within
        else:
            places[block + tile] = tiles_out.size - TILE * pitch
    zero = x.dtype.type(0)
    least = zero if relu else x.dtype.type(-np.inf)
    flat = out_y.reshape(-1)
    step_filters = FILTER_BLOCK * channels + MARGIN
    for k_from in range(0, filters, FILTER_BLOCK):
        taken = min(FILTER_BLOCK, filters - k_from)
        start = k_from // FILTER_BLOCK * POINTS * step_filters
        _multiply_block(
            taken, channels, run, tiles, block, step_filters, filters_packed, start, inputs,
            products,
        )  # fmt: skip
        for k in range(taken):
            filter_ = k_from + k
            shift = bias[filter_] if bias.size else zero
            if direct:
                base = filter_ * height * width
                _finish_filter(
                    products, k * block, block, tiles, flat, base, places, pitch, shift, least
                )
                continue
            _finish_filter(
                products, k * block, block, tiles, tiles_out, 0, places, pitch, shift, least
            )
            for s in range(count):
                image, row = segments[4 * s], segments[4 * s + 1]
                left, right = TILE * segments[4 * s + 2], min(width, TILE * segments[4 * s + 3])
                for h in range(TILE * row, min(height, TILE * row + TILE)):
                    source = (image - segments[0]) * area + h * pitch + left
                    to = ((image * filters + filter_) * height + h) * width + left
                    copy(tiles_out, source, flat, to, right - left)


def correlate(
    x, weight, bias, window, relu, transposed, work_cuts, work_filters, work_places,
    work_planes, work_inputs, work_products, work_tiles, out_y,
):  # fmt: skip
    """Correlate x with the 3 x 3 filters of weight, add bias, rectify where `relu`.

    x              (N, C, H, W)
    weight         (K, C, 3, 3); where `transposed`, (C, K, 3, 3) with its taps reversed
    bias           (K,) or (0,)
    window         kernel, stride, padding and dilation, each (height, width)
    work_cuts      block: tiles in a task, a multiple of a tile's columns; run: channels that
                   registers sum before they are added up
    work_filters   (blocks of FILTER_BLOCK filters * 36 * (FILTER_BLOCK * C + MARGIN),)
    work_places    (threads, 6 * block) int64
    work_planes    (threads, the padded planes of one channel that a block touches)
    work_inputs    (threads, 36 * (block * C + MARGIN))
    work_products  (threads, 36 * (FILTER_BLOCK * block + MARGIN))
    work_tiles     (threads, output planes that a block touches + a tile of 4 rows)
    out_y          (N, K, OH, OW)

    Parallel over blocks of tiles, each its own part of out_y.
    """
    block, run = work_cuts
    pad = window[4:6]
    images, filters, height, width = out_y.shape
    tiles = images * ((height + TILE - 1) // TILE) * ((width + TILE - 1) // TILE)
    lanes = panel_columns(x.dtype) // TILE_VECTORS
    _pack_filters(
        -(-filters // lanes), weight.reshape(-1), filters, x.shape[1], transposed, work_places,
        work_filters,
    )  # fmt: skip
    _correlate_block(
        -(-tiles // block), x, bias, pad, relu, block, run, work_filters, work_places, work_planes,
        work_inputs, work_products, work_tiles, out_y,
    )  # fmt: skip
