"""Planes with zeros around them, and panels: matrices cut into strips of a gather tile's columns.

A panel holds rows of 2 registers, one behind the other; the last panel has rows of one register
if that is enough. The panel of columns from k on begins at k * rows.
"""

from kernels import _jit
from kernels._tile import GATHER_VECTORS, copy, tile_lanes, transpose_square
from kernels.conv2d.columns import clear


@_jit.jit
def panel_width(column, columns, register):
    """The length of a row in the panel that begins at `column`."""
    rest = (columns - column + register - 1) // register * register
    return min(GATHER_VECTORS * register, rest)


@_jit.jit
def place_plane(x, source, first, rows, left, pitch, planes, start):
    """Rows [first, first + rows) of the channel at `source`, zeros where there are none.

    Rows are `pitch` apart and begin with `left` zeros.
    """
    height, width = x.shape[2], x.shape[3]
    for r in range(rows):
        to = start + r * pitch
        if 0 <= first + r < height:
            clear(planes, to, left)
            copy(x, source + (first + r) * width, planes, to + left, width)
            clear(planes, to + left + width, pitch - left - width)
        else:
            clear(planes, to, pitch)


@_jit.jit
def pack_filters(
    weight, group, filters, channels, transposed, taps, tap, count, panel, work, start
):
    """One panel of filters: rows (channels, taps), columns filters from `panel` on.

    taps        the taps' places in a kernel; `count` of them are taken from `tap` on
    transposed  the roles of filters and channels are exchanged in weight
    """
    area = weight.shape[2] * weight.shape[3]
    flat = weight.reshape(-1)
    width = panel_width(panel, filters, tile_lanes(weight))
    for c in range(channels):
        for t in range(count):
            to = start + (c * count + t) * width
            for j in range(width):
                k = panel + j
                if transposed:
                    source = ((group * channels + c) * filters + k) * area + taps[tap + t]
                else:
                    source = ((group * filters + k) * channels + c) * area + taps[tap + t]
                work[to + j] = flat[source] if k < filters else 0.0


@_jit.jit
def pack_rows(x, source, step, positions, columns, panels):
    """panels[p, k] = x[source + k step + p]: columns lie `step` apart in x."""
    register = tile_lanes(x)
    flat = x.reshape(-1)
    for k in range(0, columns, register):
        panel = k // (GATHER_VECTORS * register) * (GATHER_VECTORS * register)
        width = panel_width(panel, columns, register)
        to = panel * positions + k - panel
        if k + register <= columns and positions >= register:
            for p in range(0, positions, register):
                p = min(p, positions - register)
                transpose_square(x, source + k * step + p, step, panels, to + p * width, width)
            continue
        for p in range(positions):
            for j in range(register):
                inside = k + j < columns
                value = flat[source + (k + j) * step + p] if inside else 0.0
                panels[to + p * width + j] = value


@_jit.jit
def unpack_rows(panels, rows, positions, columns, out, start, step, spare):
    """The reverse: out[start + k step + p] = panels[p, k], panels of `rows` rows.

    spare  a square of register lanes
    """
    register = tile_lanes(out)
    for k in range(0, columns, register):
        panel = k // (GATHER_VECTORS * register) * (GATHER_VECTORS * register)
        width = panel_width(panel, columns, register)
        source = panel * rows + k - panel
        high = min(register, columns - k)
        to = start + k * step
        for p in range(0, positions, register):
            if high == register and positions >= register:
                p = min(p, positions - register)
                transpose_square(panels, source + p * width, width, out, to + p, step)
                continue
            transpose_square(panels, source + p * width, width, spare, 0, register)
            for j in range(high):
                count = min(register, positions - p)
                copy(spare, j * register, out, to + j * step + p, count)
