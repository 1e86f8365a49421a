"""Convolution without columns: tiles read the padded input where the kernel's taps point.

The rows of input that a strip of output needs are copied once into planes with zeros around
them. An output position lies at a flat place in its plane, and a tap at an offset from there
that is the same for all positions, so two small tables replace the columns matrix: strides and
dilations cost nothing, and no position is computed in vain. Register tiles hold 6 positions
times 2 registers of filters; a last copy turns filters back into planes.

The gradient of x under a stride falls apart into phases: the rows and columns of x that leave
the same remainder see the same taps, without a stride. Each phase is a correlation of its own
over the same planes, written every `stride` columns.

2 N K OH OW (C / groups) kh kw flops; the copies are 1 / K of that, not 1 / K of kh kw.
"""

from kernels import _jit
from kernels._jit import thread_id
from kernels._reduce import add_rectify
from kernels._tile import (
    GATHER_ROWS,
    GATHER_VECTORS,
    gather_columns,
    gather_tile_1,
    gather_tile_2,
    tile_lanes,
)
from kernels.conv2d.columns import clear
from kernels.conv2d.panels import pack_filters, panel_width, place_plane, unpack_rows


@_jit.jit
def _multiply_positions(
    channels, plane, chunk, taps, offset, places, place, positions, across, filters, offsets,
    weight, start, planes, sums,
):  # fmt: skip
    """sums[p, k]: all channels and taps, a chunk of channels after the other.

    Within a chunk and a panel of filters, the filters stay in L1 while positions pass.
    """
    register = tile_lanes(planes)
    columns = GATHER_VECTORS * register
    for channel in range(0, channels, chunk):
        depth = min(chunk, channels - channel) * taps
        for panel in range(0, filters, columns):
            width = panel_width(panel, filters, register)
            b = start + panel * channels * taps + channel * taps * width
            for p in range(0, positions, GATHER_ROWS):
                to = panel * across + p * width
                if width == columns:
                    gather_tile_2(
                        depth, planes, channel * plane, places, place + p, offsets, offset,
                        weight, b, sums, to, channel > 0,
                    )  # fmt: skip
                else:
                    gather_tile_1(
                        depth, planes, channel * plane, places, place + p, offsets, offset,
                        weight, b, sums, to, channel > 0,
                    )  # fmt: skip


@_jit.jit
def _write_phase(sums, across, rows, columns, filters, steps, at, row, column, spare, out_y):
    """Planes of the sums of one phase, a position every `steps` rows and columns.

    at  flat position of the first filter's plane in out_y
    """
    height, width = out_y.shape[2], out_y.shape[3]
    positions = rows * columns
    square = tile_lanes(out_y) * tile_lanes(out_y)
    if steps[0] == 1 and steps[1] == 1:
        unpack_rows(
            sums, across, positions, filters, out_y, at + row * width, height * width, spare
        )
        return
    flat = out_y.reshape(-1)
    unpack_rows(sums, across, positions, filters, spare[square:], 0, positions, spare)
    for k in range(filters):
        for r in range(rows):
            source = square + k * positions + r * columns
            to = at + (k * height + row + r * steps[0]) * width + column
            for q in range(columns):
                flat[to + q * steps[1]] = spare[source + q]


@_jit.parallel
def _correlate_strip(
    task, x, bias, groups, relu, cuts, steps, phases, offsets, places, weight, work_planes,
    work_sums, work_spare, out_y,
):  # fmt: skip
    thread = thread_id()
    planes, sums, spare = work_planes[thread], work_sums[thread], work_spare[thread]
    strip, strips, rows, step, top, left, pitch, plane, chunk = cuts
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    height, width = out_y.shape[2], out_y.shape[3]
    image, group = task // (strips * groups), task // strips % groups
    first = task % strips * strip
    for c in range(channels):
        source = (image * x.shape[1] + group * channels + c) * x.shape[2] * x.shape[3]
        place_plane(x, source, first * step - top, rows, left, pitch, planes, c * plane)
        clear(planes, c * plane + rows * pitch, plane - rows * pitch)
    clear(planes, channels * plane, planes.size - channels * plane)
    register = tile_lanes(x)
    padded = (filters + register - 1) // register * register
    at = (image * groups + group) * filters * height * width
    for phase in range(phases.shape[0]):
        taps, tap, row, column, grid_rows, grid_columns, place = phases[phase]
        high = min(strip, grid_rows - first)
        positions = high * grid_columns
        if positions <= 0:
            continue
        start = (groups * tap + group * taps) * channels * padded
        across = (positions + GATHER_ROWS - 1) // GATHER_ROWS * GATHER_ROWS
        if taps == 0:
            clear(sums, 0, across * padded)
        else:
            _multiply_positions(
                channels, plane, chunk, taps, tap * chunk, places, place, positions, across,
                filters, offsets, weight, start, planes, sums,
            )  # fmt: skip
        _write_phase(
            sums, across, high, grid_columns, filters, steps, at, row + first * steps[0], column,
            spare, out_y,
        )  # fmt: skip
    if bias.size or relu:
        for k in range(filters):
            shift = bias[group * filters + k] if bias.size else bias.dtype.type(0)
            to = at + (k * height + first) * width
            add_rectify(out_y, to, min(strip, height - first) * width, shift, relu)


def correlate(
    x, weight, bias, groups, relu, transposed, work_cuts, work_steps, work_phases, work_taps,
    work_offsets, work_places, work_weight, work_planes, work_sums, work_spare, out_y,
):  # fmt: skip
    """Correlate x with the filters of weight, add bias, rectify where `relu`.

    x             (N, C, H, W)
    weight        (K, C / groups, kernel height, kernel width); where `transposed`,
                  (C, K / groups, ...): the gradient of x from dy
    bias          (K,) or (0,); bias and ReLU only without steps
    work_cuts     strip: rows of the grid of output positions in a task; strips: how many; rows
                  of a plane, `step` times as many; top, left: zeros before them; pitch:
                  distance of rows; plane: of planes; chunk: channels at a time
    work_steps    (height, width): how far apart a phase's positions lie in out_y
    work_phases   (phases, 7) int64: taps of it and of those before it, its first row and column,
                  grid rows and columns, its first place in work_places
    work_taps     taps of all phases, each a place in the kernel, int64
    work_offsets  for each phase (chunk, taps): from a position to a tap, int64
    work_places   for each phase the positions of a strip in a plane, up to whole tiles, int64
    work_weight   (taps of all phases * groups * channels * filters up to a register,)
    work_planes   (threads, channels of a group * plane + pitch)
    work_sums     (threads, positions up to a tile and a register * filters up to a register)
    work_spare    (threads, a square of registers, and filters * positions with steps)
    out_y         (N, K, OH, OW)

    Parallel over images, groups and strips of rows, each its own part of out_y.
    """
    channels, filters = x.shape[1] // groups, out_y.shape[1] // groups
    panels = -(-filters // gather_columns(x.dtype))
    _pack_panel(
        work_phases.shape[0] * groups * panels, weight, groups, channels, filters, transposed,
        work_phases, work_taps, work_weight,
    )  # fmt: skip
    _correlate_strip(
        x.shape[0] * groups * work_cuts[1], x, bias, groups, relu, work_cuts, work_steps,
        work_phases, work_offsets, work_places, work_weight, work_planes, work_sums, work_spare,
        out_y,
    )  # fmt: skip


@_jit.parallel
def _pack_panel(task, weight, groups, channels, filters, transposed, phases, taps, work_weight):
    register = tile_lanes(weight)
    columns = GATHER_VECTORS * register
    padded = (filters + register - 1) // register * register
    panels = (filters + columns - 1) // columns
    phase, group = task // (groups * panels), task // panels % groups
    panel = task % panels * columns
    count, tap = phases[phase, 0], phases[phase, 1]
    start = ((groups * tap + group * count) * padded + panel * count) * channels
    pack_filters(
        weight, group, filters, channels, transposed, taps, tap, count, panel, work_weight, start
    )
