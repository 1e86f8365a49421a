"""How `cpu_winograd` is cut into blocks: planned and allocated here, and the kernels launched."""

import functools

import numpy as np

from kernels import _jit, _memory
from kernels._tile import (
    GATHER_ROWS,
    GATHER_VECTORS,
    TILE_ROWS,
    TILE_VECTORS,
    gather_columns,
    panel_columns,
)
from kernels.conv2d import cpu_winograd, cpu_winograd_weight
from kernels.conv2d.cpu_winograd import FILTER_BLOCK, MARGIN, POINTS, TILE
from kernels.conv2d.reference import Window

# Transformed inputs of a block, in bytes, beside its products in L2.
CACHE_BYTES = 300_000

# Transformed inputs and gradients of a superblock: they stay in a shared L3.
SUPERBLOCK_BYTES = 4_000_000

# Fewer do not pay for the transforms.
FEWEST = 16


def applies(window: Window, groups: int, dtype: np.dtype) -> bool:
    """Whether F(4x4, 3x3) computes this convolution, in registers of whole runs of lanes."""
    plain = window[0:4] == (3, 3, 1, 1) and window[6:8] == (1, 1) and groups == 1
    return plain and panel_columns(dtype) // TILE_VECTORS % max(TILE_ROWS, 4) == 0


def pays(channels: int, filters: int, out_shape: tuple[int, ...]) -> bool:
    """Whether there are channels enough, and tiles are mostly filled."""
    height, width = out_shape[2:]
    computed = -(-height // TILE) * -(-width // TILE) * TILE * TILE
    return min(channels, filters) >= FEWEST and computed <= 2 * height * width


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    window: Window,
    relu: bool,
    y: np.ndarray,
    transposed: bool = False,
) -> None:
    channels = x.shape[1]
    images, filters, height, width = y.shape
    down, across = -(-height // TILE), -(-width // TILE)
    columns = panel_columns(x.dtype)
    tiles = images * down * across
    fitting = int(CACHE_BYTES / (POINTS * channels * columns * x.dtype.itemsize))
    block = columns * max(1, min(8, fitting, -(-tiles // (8 * columns))))
    slots = min(images, block // (down * across) + 2)
    threads = _jit.thread_rows()
    plane = (TILE * down + 2) * (TILE * across + 2)
    area = TILE * down * TILE * across
    cpu_winograd.correlate(
        x=x,
        weight=weight,
        bias=bias,
        window=window,
        relu=relu,
        transposed=transposed,
        work_cuts=(block, _run(channels)),
        work_filters=_memory.empty(
            -(-filters // FILTER_BLOCK) * POINTS * (FILTER_BLOCK * channels + MARGIN), x.dtype
        ),
        work_places=_memory.empty((threads, 6 * block), np.int64),
        work_planes=_memory.empty((threads, slots * plane), x.dtype),
        work_inputs=_memory.empty((threads, POINTS * (block * channels + MARGIN)), x.dtype),
        work_products=_memory.empty((threads, POINTS * (FILTER_BLOCK * block + MARGIN)), x.dtype),
        work_tiles=_memory.empty((threads, slots * area + TILE * TILE * across), x.dtype),
        out_y=y,
    )


def _run(channels: int) -> int:
    """How many channels registers sum: so few that errors stay below 3 times PyTorch's.

    With AVX-512 PyTorch errs by 2.2e-7 whatever the channels, with AVX2 by 2 to 3 times as much
    where it goes forward.
    """
    return -(-channels // -(-channels // 32))


def to_input(dy: np.ndarray, weight: np.ndarray, window: Window, dx: np.ndarray) -> None:
    """The gradient of x: dy convolved with the filters transposed and turned around."""
    turned = (*window[0:4], 2 - window[4], 2 - window[5], *window[6:8])
    forward(dy, weight, np.empty(0, dy.dtype), turned, False, dx, transposed=True)


def to_weight(x: np.ndarray, dy: np.ndarray, window: Window, dweight: np.ndarray) -> None:
    images, filters, height, width = dy.shape
    channels = x.shape[1]
    columns = gather_columns(x.dtype)
    lanes = columns // GATHER_VECTORS
    padded_channels = -(-channels // lanes) * lanes
    padded_filters = -(-filters // columns) * columns
    down, across = -(-height // TILE), -(-width // TILE)
    tiles = images * down * across
    fitting = SUPERBLOCK_BYTES // (POINTS * (padded_channels + padded_filters) * x.dtype.itemsize)
    block = max(64, min(512, fitting))
    block = -(-tiles // -(-tiles // block))
    share = max(8, min(64, -(-block // 4)))
    rows, steps = _weight_tables(filters, block, columns)
    slots = min(images, share // (down * across) + 2)
    plane = (TILE * down + 2) * (TILE * across + 2)
    threads = _jit.thread_rows()
    cpu_winograd_weight.to_weight(
        x=x,
        dy=dy,
        window=window,
        groups=1,
        work_cuts=(block, share),
        work_rows=rows,
        work_steps=steps,
        work_places=_memory.empty((threads, 5 * share + lanes), np.int64),
        work_planes=_memory.empty((threads, lanes * slots * plane), x.dtype),
        work_inputs=_memory.empty(POINTS * (block * padded_channels + MARGIN), x.dtype),
        work_gradients=_memory.empty(POINTS * (block * padded_filters + MARGIN), x.dtype),
        work_sums=_memory.empty(POINTS * (rows.size * padded_channels + MARGIN), x.dtype),
        work_taps=_memory.empty((threads, 9 * lanes), x.dtype),
        out_dweight=dweight,
    )


@functools.lru_cache(maxsize=512)
def _weight_tables(filters: int, block: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Where filters begin in panels of a block's tiles, and the steps from tile to tile there."""
    rows = np.arange(-(-filters // GATHER_ROWS) * GATHER_ROWS)
    starts = np.minimum(rows, filters - 1) // columns * columns * block + rows % columns
    return starts, np.arange(cpu_winograd_weight.RUN) * columns
