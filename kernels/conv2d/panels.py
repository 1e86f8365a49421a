"""Panels: matrices cut into strips of a gather tile's columns.

A panel holds rows of 2 registers, one behind the other; the last panel has rows of one register
if that is enough. The panel of columns from k on begins at k * rows.
"""

from kernels._jit import jit
from kernels._tile import GATHER_VECTORS, copy, tile_lanes, transpose_square
from kernels.conv2d.rounding import round_up


@jit
def panel_width(column, columns, register):
    """The length of a row in the panel that begins at `column`."""
    return min(GATHER_VECTORS * register, round_up(columns - column, register))


@jit
def panel_of(column, register):
    """The first column of the panel that a column is in."""
    return column // (GATHER_VECTORS * register) * (GATHER_VECTORS * register)


@jit
def pack_rows(x, source, pitch, positions, columns, panels):
    """panels[p, k] = x[source + k pitch + p]: columns lie `pitch` apart in x."""
    register = tile_lanes(x)
    flat = x.reshape(-1)
    for k in range(0, columns, register):
        panel = panel_of(k, register)
        width = panel_width(panel, columns, register)
        to = panel * positions + k - panel
        if k + register <= columns and positions >= register:
            for p in range(0, positions, register):
                p = min(p, positions - register)
                transpose_square(x, source + k * pitch + p, pitch, panels, to + p * width, width)
            continue
        for p in range(positions):
            for j in range(register):
                inside = k + j < columns
                value = flat[source + (k + j) * pitch + p] if inside else 0.0
                panels[to + p * width + j] = value


@jit
def unpack_rows(panels, rows, positions, columns, out, start, pitch, square):
    """The reverse: out[start + k pitch + p] = panels[p, k], panels of `rows` rows.

    square  scratch, a square of register lanes
    """
    register = tile_lanes(out)
    for k in range(0, columns, register):
        panel = panel_of(k, register)
        width = panel_width(panel, columns, register)
        source = panel * rows + k - panel
        high = min(register, columns - k)
        to = start + k * pitch
        for p in range(0, positions, register):
            if high == register and positions >= register:
                p = min(p, positions - register)
                transpose_square(panels, source + p * width, width, out, to + p, pitch)
                continue
            transpose_square(panels, source + p * width, width, square, 0, register)
            for j in range(high):
                count = min(register, positions - p)
                copy(square, j * register, out, to + j * pitch + p, count)
