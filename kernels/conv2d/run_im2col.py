"""How `cpu_im2col` is cut into tasks: scratch is allocated here and the kernels launched."""

import functools

import numpy as np

from kernels import _jit, _memory
from kernels._tile import TILE_ROWS, TILE_VECTORS, panel_columns
from kernels.conv2d import cpu_im2col
from kernels.conv2d.reference import Window

# Scratch of a task, in elements: half of a 512 KiB L2 of float32.
SCRATCH = 1 << 16


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    window: Window,
    groups: int,
    relu: bool,
    y: np.ndarray,
) -> None:
    threads = _jit.thread_rows()
    strip, panels, area, spare = _forward_sizes(weight.shape, groups, y.shape[2:], x.dtype)
    cpu_im2col.forward(
        x=x,
        weight=weight,
        bias=bias,
        window=window,
        groups=groups,
        relu=relu,
        work_cuts=(strip,),
        work_weight=_memory.empty(panels, x.dtype),
        work_columns=_memory.empty((threads, area), x.dtype),
        work_spare=_memory.empty((threads, spare), x.dtype),
        out_y=y,
    )


@functools.lru_cache(maxsize=512)
def _forward_sizes(
    weight_shape: tuple[int, int, int, int], groups: int, grid: tuple[int, int], dtype: np.dtype
) -> tuple[int, int, int, int]:
    """Positions of a strip, then elements of the scratch: weight, columns and spare."""
    filters, channels, kernel_h, kernel_w = weight_shape
    row_length = channels * kernel_h * kernel_w
    columns = panel_columns(dtype)
    depth = min(row_length, cpu_im2col.DEPTH)
    strip = _strip(grid[0] * grid[1], depth, columns)
    return (
        strip,
        groups * row_length * _round_up(filters // groups, TILE_ROWS),
        depth * (strip + cpu_im2col.MARGIN) + columns,
        TILE_ROWS * columns,
    )


def to_input(
    dy: np.ndarray, weight: np.ndarray, window: Window, groups: int, dx: np.ndarray
) -> None:
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    area = weight.shape[2] * weight.shape[3]
    columns = panel_columns(dy.dtype)
    # A chunk of channels: some 100 rows of columns, so that copying dy is soon paid for.
    chunk = max(1, min(channels, 108 // area))
    rows = _round_up(chunk * area, TILE_ROWS)
    strip = _strip(dy.shape[2] * dy.shape[3], max(filters, rows), columns)
    pitch = strip + cpu_im2col.MARGIN
    threads = _jit.thread_rows()
    cpu_im2col.to_input(
        dy=dy,
        weight=weight,
        window=window,
        groups=groups,
        work_cuts=(strip, chunk),
        work_weight=_memory.empty(groups * -(-channels // chunk) * rows * filters, dy.dtype),
        work_dy=_memory.empty((threads, filters * pitch + columns), dy.dtype),
        work_columns=_memory.empty((threads, rows * pitch), dy.dtype),
        work_spare=_memory.empty((threads, TILE_ROWS * columns), dy.dtype),
        out_dx=dx,
    )


def to_weight(
    x: np.ndarray, dy: np.ndarray, window: Window, groups: int, dweight: np.ndarray
) -> None:
    filters, channels = _round_up(dweight.shape[0] // groups, TILE_ROWS), dweight.shape[1]
    area = dweight.shape[2] * dweight.shape[3]
    positions = dy.shape[2] * dy.shape[3]
    chunk = max(1, min(channels, 72 // area))
    rows = _round_up(chunk * area, TILE_VECTORS)
    strip = _strip(positions, max(filters, rows), panel_columns(x.dtype))
    chunks = groups * -(-channels // chunk)
    # 8 tasks keep 2 to 8 threads busy; more parts are more to combine.
    parts = max(1, min(-(-8 // chunks), x.shape[0] * -(-positions // strip)))
    pitch = strip + cpu_im2col.MARGIN
    threads = _jit.thread_rows()
    cpu_im2col.to_weight(
        x=x,
        dy=dy,
        window=window,
        groups=groups,
        work_cuts=(strip, chunk, parts),
        work_dy=_memory.empty((threads, filters * pitch), x.dtype),
        work_columns=_memory.empty((threads, rows * pitch), x.dtype),
        work_partial=_memory.empty((chunks * parts, filters * rows), np.float64),
        out_dweight=dweight,
    )


def _strip(positions: int, rows: int, columns: int) -> int:
    """How many positions fit the scratch of a task at `rows` elements each, in whole tiles."""
    fitting = max(2, min(SCRATCH // 2 // rows, 1008) // columns) * columns
    pieces = -(-positions // fitting)
    return _round_up(-(-positions // pieces), columns)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
