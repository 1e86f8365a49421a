"""y, and the gradient of x as dy convolved with the filters transposed and turned around.

A task takes a block of tiles, transforms their 6 x 6 inputs channel by channel, multiplies by the
transformed filters once for each of the 36 points, 16 filters at a time so that the products stay
in L2, and transforms these back at once, with bias and ReLU.
"""

import functools

import numpy as np

from kernels import _memory
from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._simd import clear
from kernels._tile import (
    MR,
    NR_REGISTERS,
    copy,
    micro_kernel,
    panel_columns,
    tile_lanes,
)
from kernels.conv2d.geometry import Pair
from kernels.conv2d.rounding import pieces
from kernels.conv2d.winograd.tiles import (
    MARGIN,
    POINTS,
    TILE,
    cut_segments,
    locate_tiles,
    place_rows,
)
from kernels.conv2d.winograd.transforms import (
    transform_inputs,
    transform_outputs,
    transform_weights,
)

# Filters multiplied before they are transformed back.
FILTER_BLOCK = 16

# Transformed inputs of a block, in bytes, beside its products in L2.
CACHE_BYTES = 300_000

# Channels that registers sum: so few that errors stay below 3 times PyTorch's. With AVX-512
# PyTorch errs by 2.2e-7 whatever the channels, with AVX2 by 2 to 3 times as much where it goes
# forward.
RUN = 32


def forward(x, weight, bias, window, groups, relu, out_y):
    _correlate(x, weight, bias, (window.pad_h, window.pad_w), relu, False, out_y)


def to_input(dy, weight, window, groups, out_dx):
    pad = 2 - window.pad_h, 2 - window.pad_w
    _correlate(dy, weight, np.empty(0, dy.dtype), pad, False, True, out_dx)


def _correlate(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    pad: Pair,
    relu: bool,
    transposed: bool,
    y: np.ndarray,
) -> None:
    """transposed  weight is (C, K, 3, 3) with its taps reversed"""
    channels, filters, dtype = x.shape[1], y.shape[1], x.dtype
    tasks, block, planes, tiles = _block(y.shape, channels, dtype)
    threads, lanes = thread_rows(), panel_columns(dtype) // NR_REGISTERS
    work_filters = _memory.empty(
        pieces(filters, FILTER_BLOCK) * POINTS * (FILTER_BLOCK * channels + MARGIN), dtype
    )
    work_starts = _memory.empty((threads, block), np.int64)
    _transform_filters(
        pieces(filters, lanes), weight.reshape(-1), filters, channels, transposed, work_starts,
        work_filters,
    )  # fmt: skip
    _correlate_block(
        tasks, x, bias, pad, relu, block, work_filters, work_starts,
        _memory.empty((threads, block), np.int64), _memory.empty((threads, block, 4), np.int64),
        _memory.empty((threads, planes), dtype),
        _memory.empty((threads, POINTS * (block * channels + MARGIN)), dtype),
        _memory.empty((threads, POINTS * (FILTER_BLOCK * block + MARGIN)), dtype),
        _memory.empty((threads, tiles), dtype), y,
    )  # fmt: skip


@functools.lru_cache(maxsize=512)
def _block(
    shape: tuple[int, int, int, int], channels: int, dtype: np.dtype
) -> tuple[int, int, int, int]:
    """Tasks, tiles of each, and elements of the planes that a block touches, of x and of y."""
    images, _, height, width = shape
    down, across = pieces(height, TILE), pieces(width, TILE)
    columns = panel_columns(dtype)
    tiles = images * down * across
    fitting = int(CACHE_BYTES / (POINTS * channels * columns * dtype.itemsize))
    block = columns * max(1, min(8, fitting, pieces(tiles, 8 * columns)))
    slots = min(images, block // (down * across) + 2)
    planes = slots * (TILE * down + 2) * (TILE * across + 2)
    return (
        pieces(tiles, block),
        block,
        planes,
        slots * TILE * down * TILE * across + TILE * TILE * across,
    )


@parallel
def _transform_filters(task, weight, filters, channels, transposed, work_starts, work_filters):
    """A register of filters, for every channel."""
    starts = work_starts[thread_id()]
    lanes = tile_lanes(weight)
    first = task * lanes
    distance = 9 if transposed else channels * 9
    for lane in range(lanes):
        starts[lane] = min(lane, filters - 1 - first) * distance
    pitch = FILTER_BLOCK * channels + MARGIN
    block = first // FILTER_BLOCK
    start = block * POINTS * pitch + (first - block * FILTER_BLOCK) * channels
    for c in range(channels):
        source = (c * filters + first if transposed else first * channels + c) * 9
        transform_weights(
            weight, source, starts, 0, transposed, work_filters, start + c * MR, pitch,
            channels * MR,
        )  # fmt: skip


@parallel
def _correlate_block(
    task, x, bias, pad, relu, block, work_filters, work_starts, work_targets, work_segments,
    work_planes, work_inputs, work_products, work_tiles, out_y,
):  # fmt: skip
    """work_filters   (blocks of FILTER_BLOCK filters * 36 * (FILTER_BLOCK * C + MARGIN),)
    work_starts, work_targets  (threads, block) int64: where tiles begin in inputs, in outputs
    work_segments  (threads, block, 4) int64
    work_planes    (threads, the padded planes of one channel that a block touches)
    work_inputs    (threads, 36 * (block * C + MARGIN))
    work_products  (threads, 36 * (FILTER_BLOCK * block + MARGIN))
    work_tiles     (threads, output planes that a block touches + a tile of 4 rows)
    """
    thread = thread_id()
    targets, segments = work_targets[thread], work_segments[thread]
    inputs, products, tiles_out = work_inputs[thread], work_products[thread], work_tiles[thread]
    images, filters, height, width = out_y.shape
    channels = x.shape[1]
    down, across = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    first = task * block
    last = min(first + block, images * down * across)
    tiles = last - first
    count = cut_segments(first, last, down, across, segments)
    _transform_block(
        x, pad, first, last, down, across, block, work_starts[thread], segments, count,
        work_planes[thread], inputs,
    )  # fmt: skip
    # Whole blocks of whole tiles are written where they belong, others to a buffer first.
    direct = tiles == block and height % TILE == 0 and width % TILE == 0
    pitch = width if direct else TILE * across
    area = TILE * down * TILE * across
    from_image = 0 if direct else segments[0, 0]
    plane = filters * height * width if direct else area
    locate_tiles(first, last, block, down, across, from_image, plane, pitch, targets)
    for tile in range(tiles, block):
        targets[tile] = tiles_out.size - TILE * pitch
    zero = x.dtype.type(0)
    least = zero if relu else x.dtype.type(-np.inf)
    flat = out_y.reshape(-1)
    for k_from in range(0, filters, FILTER_BLOCK):
        taken = min(FILTER_BLOCK, filters - k_from)
        start = k_from // FILTER_BLOCK * POINTS * (FILTER_BLOCK * channels + MARGIN)
        _multiply_points(taken, channels, tiles, block, work_filters, start, inputs, products)
        for k in range(taken):
            filter_ = k_from + k
            shift = bias[filter_] if bias.size else zero
            from_product = k * block
            if direct:
                base = filter_ * height * width
                _finish_filter(
                    products, from_product, block, tiles, flat, base, targets, pitch, shift, least
                )
                continue
            _finish_filter(
                products, from_product, block, tiles, tiles_out, 0, targets, pitch, shift, least
            )
            for s in range(count):
                image, row = segments[s, 0], segments[s, 1]
                left, right = TILE * segments[s, 2], min(width, TILE * segments[s, 3])
                for h in range(TILE * row, min(height, TILE * row + TILE)):
                    source = (image - from_image) * area + h * pitch + left
                    to = ((image * filters + filter_) * height + h) * width + left
                    copy(tiles_out, source, flat, to, right - left)


@jit
def _transform_block(
    x, pad, first, last, down, across, block, starts, segments, count, planes, inputs
):
    """The inputs under tiles [first, last), transformed."""
    lanes = tile_lanes(x)
    channels = x.shape[1]
    pitch = TILE * across + 2
    plane = (TILE * down + 2) * pitch
    clear(planes, 0, planes.size)
    locate_tiles(first, last, block, down, across, segments[0, 0], plane, pitch, starts)
    width = NR_REGISTERS * lanes
    for c in range(channels):
        place_rows(x, c, pad, segments, count, 6, planes, 0, plane, pitch)
        for tile in range(0, last - first, lanes):
            panel = tile // width
            to = (panel * channels + c) * width + tile - panel * width
            transform_inputs(planes, 0, starts, tile, pitch, inputs, to, block * channels + MARGIN)


@jit
def _multiply_points(filters, channels, tiles, block, work_filters, start, inputs, products):
    """The 36 products of up to FILTER_BLOCK transformed filters and a block of inputs.

    Registers sum RUN channels or fewer: a sum of many float32 in one row errs more.
    """
    width = NR_REGISTERS * tile_lanes(inputs)
    runs = (channels + RUN - 1) // RUN
    run = (channels + runs - 1) // runs
    for point in range(POINTS):
        a_point = start + point * (FILTER_BLOCK * channels + MARGIN)
        b_point = point * (block * channels + MARGIN)
        to_point = point * (FILTER_BLOCK * block + MARGIN)
        for panel in range(0, tiles, width):
            b = b_point + panel * channels
            for k in range(0, filters, MR):
                a = a_point + k * channels
                to = to_point + k * block + panel
                for channel in range(0, channels, run):
                    micro_kernel(
                        NR_REGISTERS, min(run, channels - channel), work_filters, a + channel * MR,
                        inputs, b + channel * width, width, products, to, block, channel > 0,
                    )  # fmt: skip


@jit
def _finish_filter(products, start, block, tiles, out, base, targets, pitch, shift, least):
    between = FILTER_BLOCK * block + MARGIN
    for tile in range(0, tiles, tile_lanes(products)):
        transform_outputs(
            products, start + tile, between, out, base, targets, tile, pitch, shift, least
        )
