"""How `cpu_direct` is cut into strips: planned and allocated here, and the kernels launched."""

import functools
from typing import NamedTuple

import numpy as np

from kernels import _jit, _memory
from kernels._tile import TILE_ROWS, TILE_VECTORS, panel_columns
from kernels.conv2d import cpu_direct
from kernels.conv2d.reference import Window

# Planes and sums of a task, in bytes: most of a 512 KiB L2.
CACHE_BYTES = 400_000


class Plan(NamedTuple):
    strip: int  # output rows in a task
    rows: int  # rows of a plane
    pitch: int  # their distance
    phases: tuple[int, int]  # of the stride, as far as the kernel touches them
    plane: int  # elements of all planes of one channel
    margin: int  # readable elements behind the last plane
    offsets: np.ndarray


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    window: Window,
    groups: int,
    relu: bool,
    y: np.ndarray,
    transposed: bool = False,
) -> None:
    channels, filters = x.shape[1] // groups, y.shape[1] // groups
    padded = -(-filters // TILE_ROWS) * TILE_ROWS
    columns = panel_columns(x.dtype)
    plan = _plan(
        x.shape[0] * groups, channels, padded, x.shape[3], y.shape[2], y.shape[3], window,
        columns, min(channels, cpu_direct.CHUNK), x.dtype.itemsize,
    )  # fmt: skip
    across = -(-plan.strip * plan.pitch // columns) * columns
    threads = _jit.thread_rows()
    area = weight.shape[2] * weight.shape[3]
    cpu_direct.correlate(
        x=x,
        weight=weight,
        bias=bias,
        window=window,
        groups=groups,
        relu=relu,
        transposed=transposed,
        work_cuts=(plan.strip, plan.rows, plan.pitch, *plan.phases),
        work_offsets=plan.offsets,
        work_weight=_memory.empty(groups * channels * area * padded, x.dtype),
        work_planes=_memory.empty((threads, channels * plan.plane + plan.margin), x.dtype),
        work_sums=_memory.empty((threads, padded * across), x.dtype),
        out_y=y,
    )


def reaches_input(window: Window, channels: int) -> bool:
    """Whether the gradient of x is a convolution of dy, and its `channels` fill a tile.

    A stride leaves gaps, and so does padding beyond the kernel.
    """
    unstrided = window[2:4] == (1, 1) and min(_full_padding(window)) >= 0
    return unstrided and channels >= TILE_ROWS


def to_input(
    dy: np.ndarray, weight: np.ndarray, window: Window, groups: int, dx: np.ndarray
) -> None:
    """The gradient of x: dy convolved with the filters transposed and turned around."""
    turned = (*window[0:4], *_full_padding(window), *window[6:8])
    bias = np.empty(0, dy.dtype)
    forward(dy, weight, bias, turned, groups, False, dx, transposed=True)


def to_weight(
    x: np.ndarray, dy: np.ndarray, window: Window, groups: int, dweight: np.ndarray
) -> None:
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    padded = -(-filters // TILE_ROWS) * TILE_ROWS
    area = dweight.shape[2] * dweight.shape[3]
    # The planes of a chunk fit L2 beside a strip of dy; each chunk reads dy once more.
    chunk = min(channels, 32)
    plan = _plan(
        x.shape[0], chunk, padded, x.shape[3], dy.shape[2], dy.shape[3], window,
        panel_columns(x.dtype), chunk, x.dtype.itemsize,
    )  # fmt: skip
    chunks = groups * -(-channels // chunk)
    units = x.shape[0] * -(-dy.shape[2] // plan.strip)
    # 8 tasks keep 2 to 8 threads busy; more parts are more to combine.
    parts = max(1, min(-(-8 // chunks), units))
    across = -(-chunk * area // TILE_VECTORS) * TILE_VECTORS
    register = panel_columns(x.dtype) // TILE_VECTORS
    span = -(-plan.strip * plan.pitch // register) * register
    threads = _jit.thread_rows()
    cpu_direct.to_weight(
        x=x,
        dy=dy,
        window=window,
        groups=groups,
        work_cuts=(plan.strip, plan.rows, plan.pitch, *plan.phases, chunk, parts),
        work_offsets=plan.offsets,
        work_planes=_memory.empty((threads, chunk * plan.plane + plan.margin), x.dtype),
        work_dy=_memory.empty((threads, padded * span), x.dtype),
        work_partial=_memory.empty((chunks * parts, padded * across), np.float64),
        out_dweight=dweight,
    )


def _full_padding(window: Window) -> tuple[int, int]:
    kernel, pad, dilation = window[0:2], window[4:6], window[6:8]
    height, width = (dilation[a] * (kernel[a] - 1) - pad[a] for a in (0, 1))
    return height, width


@functools.lru_cache(maxsize=512)
def _plan(
    images: int,
    channels: int,
    filters: int,
    width: int,
    out_height: int,
    out_width: int,
    window: Window,
    columns: int,
    chunk: int,
    itemsize: int,
) -> Plan:
    """The height of strips that costs least: tiles cut off, rows copied twice, cache, tasks."""
    kernel_h, kernel_w, step_h, step_w, _, pad_w, dilation_h, dilation_w = window
    reach_h, reach_w = (kernel_h - 1) * dilation_h, (kernel_w - 1) * dilation_w
    phases = (min(step_h, reach_h + 1), min(step_w, reach_w + 1))
    # Without a stride the zeros right of a row are those left of the next one.
    pitch = max(width + pad_w, out_width) if step_w == 1 else -(-(width + 2 * pad_w) // step_w)
    halo = reach_h // step_h
    best = (float("inf"), 1)
    for strip in range(1, out_height + 1):
        plane = phases[0] * phases[1] * (strip + halo) * pitch
        held = channels * plane + filters * (strip * pitch + columns)
        strips = -(-out_height // strip)
        if strip > 1 and (held * itemsize > CACHE_BYTES or images * strips < 8):
            break
        last = out_height - (strips - 1) * strip
        tiles = (strips - 1) * -(-strip * pitch // columns) + -(-last * pitch // columns)
        # In multiply-adds: a copied element costs as much as 4, a tile's entry as 400.
        cost = tiles * (columns * filters * channels * kernel_h * kernel_w + 400 * filters)
        cost += 4 * channels * plane * strips
        best = min(best, (cost, strip))
    strip = best[1]
    rows = strip + halo
    plane = phases[0] * phases[1] * rows * pitch
    offsets = [
        c * plane
        + ((i * dilation_h % step_h) * phases[1] + j * dilation_w % step_w) * rows * pitch
        + i * dilation_h // step_h * pitch
        + j * dilation_w // step_w
        for c in range(chunk)
        for i in range(kernel_h)
        for j in range(kernel_w)
    ]
    margin = pitch + reach_w + 2 * columns
    return Plan(strip, rows, pitch, phases, plane, margin, np.array(offsets, np.int64))
