"""The gradient of weight: over the positions of strips in float32, over strips in float64.

For a tap and a filter it is the sum over output positions of x, at the tap's offset from the
position, times dy. Tiles hold 6 taps times 2 registers of filters, and read x number by number
from padded planes and dy from panels (positions, filters).

A task is a chunk of channels and a part of the strips of all images; parts are added in order.
"""

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
from kernels.conv2d.direct.plan import plan_to_weight
from kernels.conv2d.direct.strips import Strips, place_planes
from kernels.conv2d.panels import pack_rows, panel_of, panel_width
from kernels.conv2d.rounding import pieces, round_up, up


def to_weight(x, dy, window, groups, out_dweight):
    channels = x.shape[1] // groups
    filters = up(dy.shape[1] // groups, gather_columns(x.dtype) // GATHER_VECTORS)
    plan = plan_to_weight(
        x.shape[0], channels, filters, x.shape[2:], dy.shape[2:], window, x.dtype.itemsize
    )
    strips, area = plan.strips, plan.taps.size
    chunks = groups * pieces(channels, strips.chunk)
    # 8 tasks keep 2 to 8 threads busy; more parts are more to combine.
    parts = max(1, min(pieces(8, chunks), x.shape[0] * strips.per_image))
    threads, taps = thread_rows(), up(strips.chunk * area, GATHER_ROWS)
    work_partial = _memory.empty((chunks * parts, taps * filters), np.float64)
    _multiply_part(
        chunks * parts, x, dy, groups, tuple(strips), parts, area, plan.offsets, plan.positions,
        _memory.empty((threads, strips.planes_size(strips.chunk)), x.dtype),
        _memory.empty((threads, plan.most * filters), x.dtype), work_partial,
    )  # fmt: skip
    _add_parts(dy.shape[1], groups, strips.chunk, parts, work_partial, out_dweight)


@parallel
def _multiply_part(
    task, x, dy, groups, strips, parts, area, plan_offsets, plan_positions, work_planes, work_dy,
    work_partial,
):  # fmt: skip
    """work_planes   (threads, the planes of a chunk)
    work_dy       (threads, positions of a strip * filters up to a register)
    work_partial  (tasks, taps of a chunk up to a tile * filters up to a register) float64
    """
    planes, panels = work_planes[thread_id()], work_dy[thread_id()]
    partial = work_partial[task]
    strips = Strips(*strips)
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    height, width = dy.shape[2], dy.shape[3]
    chunks = (channels + strips.chunk - 1) // strips.chunk
    group, channel = task // (chunks * parts), task // parts % chunks * strips.chunk
    part = task % parts
    taken = min(strips.chunk, channels - channel)
    units = x.shape[0] * strips.per_image
    clear(partial, 0, partial.size)
    for unit in range(units * part // parts, units * (part + 1) // parts):
        image, first = unit // strips.per_image, unit % strips.per_image * strips.height
        from_channel = image * x.shape[1] + group * channels + channel
        place_planes(x, from_channel, taken, first, strips, planes)
        positions = min(strips.height, height - first) * width
        source = ((image * groups + group) * filters * height + first) * width
        pack_rows(dy, source, height * width, positions, filters, panels)
        _add_strip(
            taken * area, positions, filters, plan_offsets, plan_positions, planes, panels, partial
        )


@jit
def _add_strip(taps, positions, filters, plan_offsets, plan_positions, planes, panels, partial):
    """partial[tap, k] += the strip's sums, taken in float32 and added in float64."""
    register = tile_lanes(planes)
    columns = GATHER_VECTORS * register
    across = round_up(taps, GATHER_ROWS)
    for panel in range(0, filters, columns):
        width = panel_width(panel, filters, register)
        for tap in range(0, taps, GATHER_ROWS):
            gather_tile(
                width // register, positions, planes, 0, plan_offsets, tap, plan_positions, 0,
                panels, panel * positions, partial, panel * across + tap * width, True,
            )  # fmt: skip


@parallel
def _add_parts(k, groups, chunk, parts, work_partial, out_dweight):
    """The gradient of filter k."""
    filters, channels = out_dweight.shape[0] // groups, out_dweight.shape[1]
    area = out_dweight.shape[2] * out_dweight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    register = tile_lanes(out_dweight)
    flat = out_dweight.reshape(-1)
    group, column = k // filters, k % filters
    panel = panel_of(column, register)
    width = panel_width(panel, filters, register)
    for tap in range(channels * area):
        taken = tap // (chunk * area)
        taps = min(chunk, channels - taken * chunk) * area
        at = panel * round_up(taps, GATHER_ROWS) + column - panel
        at += (tap - taken * chunk * area) * width
        total = 0.0
        for part in range(parts):
            total += work_partial[(group * chunks + taken) * parts + part, at]
        flat[k * channels * area + tap] = total
