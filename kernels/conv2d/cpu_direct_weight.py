"""The gradient of weight without columns: see `cpu_direct`.

For a tap and a filter it is the sum over output positions of x, at the tap's offset from the
position, times dy. Tiles hold 6 taps times 2 registers of filters, and read x number by number
from padded planes and dy from panels (positions, filters).
"""

from kernels import _jit
from kernels._jit import thread_id
from kernels._tile import GATHER_ROWS, GATHER_VECTORS, gather_tile_1, gather_tile_2, tile_lanes
from kernels.conv2d.columns import clear
from kernels.conv2d.panels import pack_rows, panel_width, place_plane


@_jit.jit
def _add_strip(taps, positions, filters, places, offsets, planes, dy_panels, partial):
    """partial[tap, k] += the strip's sums, taken in float32 and added in float64."""
    register = tile_lanes(planes)
    columns = GATHER_VECTORS * register
    across = (taps + GATHER_ROWS - 1) // GATHER_ROWS * GATHER_ROWS
    for panel in range(0, filters, columns):
        width = panel_width(panel, filters, register)
        b = panel * positions
        for tap in range(0, taps, GATHER_ROWS):
            to = panel * across + tap * width
            if width == columns:
                gather_tile_2(
                    positions, planes, 0, places, tap, offsets, 0, dy_panels, b, partial, to, True
                )
            else:
                gather_tile_1(
                    positions, planes, 0, places, tap, offsets, 0, dy_panels, b, partial, to, True
                )


@_jit.parallel
def _multiply_part(task, x, dy, groups, cuts, places, offsets, work_planes, work_dy, work_partial):
    planes, dy_panels = work_planes[thread_id()], work_dy[thread_id()]
    partial = work_partial[task]
    strip, strips, rows, step, top, left, pitch, plane, chunk, parts, area = cuts
    channels, filters = x.shape[1] // groups, dy.shape[1] // groups
    height, width = dy.shape[2], dy.shape[3]
    chunks = (channels + chunk - 1) // chunk
    group, channel = task // (chunks * parts), task // parts % chunks * chunk
    part = task % parts
    taken = min(chunk, channels - channel)
    units = x.shape[0] * strips
    clear(partial, 0, partial.size)
    for unit in range(units * part // parts, units * (part + 1) // parts):
        image, first = unit // strips, unit % strips * strip
        for c in range(taken):
            source = (image * x.shape[1] + group * channels + channel + c) * x.shape[2]
            place_plane(
                x, source * x.shape[3], first * step - top, rows, left, pitch, planes, c * plane
            )
            clear(planes, c * plane + rows * pitch, plane - rows * pitch)
        clear(planes, taken * plane, planes.size - taken * plane)
        positions = min(strip, height - first) * width
        source = ((image * groups + group) * filters * height + first) * width
        pack_rows(dy, source, height * width, positions, filters, dy_panels)
        _add_strip(taken * area, positions, filters, places, offsets, planes, dy_panels, partial)


def to_weight(
    x, dy, window, groups, work_cuts, work_places, work_offsets, work_planes, work_dy,
    work_partial, out_dweight,
):  # fmt: skip
    """The gradient of weight: over the positions of strips in float32, over strips in float64.

    x             (N, C, H, W)
    dy            (N, K, OH, OW)
    work_cuts     as in `cpu_direct.correlate`, then parts: shares of the strips of all images,
                  combined in order; area: taps of a kernel
    work_places   the taps of a chunk in its planes, up to whole tiles, int64
    work_offsets  the positions of a strip in a plane, int64
    work_planes   (threads, chunk * plane + pitch)
    work_dy       (threads, positions of a strip * filters up to a register)
    work_partial  (groups * chunks * parts, taps of a chunk up to a tile * filters up to a
                  register) float64
    out_dweight   (K, C / groups, kernel height, kernel width)

    Parallel over groups, chunks of channels and parts.
    """
    chunk, parts = work_cuts[8:10]
    chunks = groups * -(-(x.shape[1] // groups) // chunk)
    _multiply_part(
        chunks * parts, x, dy, groups, work_cuts, work_places, work_offsets, work_planes, work_dy,
        work_partial,
    )  # fmt: skip
    _add_parts(dy.shape[1], groups, chunk, parts, work_partial, out_dweight)


@_jit.parallel
def _add_parts(k, groups, chunk, parts, work_partial, out_dweight):
    filters, channels = out_dweight.shape[0] // groups, out_dweight.shape[1]
    area = out_dweight.shape[2] * out_dweight.shape[3]
    chunks = (channels + chunk - 1) // chunk
    register = tile_lanes(out_dweight)
    columns = GATHER_VECTORS * register
    flat = out_dweight.reshape(-1)
    group, column = k // filters, k % filters
    panel = column // columns * columns
    width = panel_width(panel, filters, register)
    for tap in range(channels * area):
        taken = tap // (chunk * area)
        taps = min(chunk, channels - taken * chunk) * area
        across = (taps + GATHER_ROWS - 1) // GATHER_ROWS * GATHER_ROWS
        at = panel * across + (tap - taken * chunk * area) * width + column - panel
        total = 0.0
        for part in range(parts):
            total += work_partial[(group * chunks + taken) * parts + part, at]
        flat[k * channels * area + tap] = total
