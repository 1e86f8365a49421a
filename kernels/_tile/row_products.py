"""Products of rows as they lie with packed panels, in whatever tiles fit best."""

import numpy as np

from kernels._jit import jit
from kernels._simd import lanes
from kernels._tile.rows import (
    ROWS_HIGH,
    ROWS_LOW,
    ROWS_MIDDLE,
    WIDE_PANELS,
    row_tile_high,
    row_tile_low,
    row_tile_middle,
    wide_tile,
)

# So few rows are taken one by one, through many panels at once.
FEW_ROWS = 2

# Rows of a panel that stay in L1 while tiles pass over them: 256 x 16 float32 are 16 KiB.
DEPTH = 256


@jit
def multiply_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add):
    """C = A B, or += where `add`, for `rows` rows and `panels` panels of columns.

    a_place  (start, step of a row, step of k)
    b_place  (start, step of a panel); a panel has `depth` rows of a value's columns
    c_place  (start, step of a row, step of a panel)

    No bit of a row of C depends on the other rows, nor on how many there are.
    """
    # Numba would compile what follows anew for each constant among the arguments.
    a_place = np.int64(a_place[0]), np.int64(a_place[1]), np.int64(a_place[2])
    b_place = np.int64(b_place[0]), np.int64(b_place[1])
    c_place = np.int64(c_place[0]), np.int64(c_place[1]), np.int64(c_place[2])
    _multiply_rows(
        np.int64(rows), np.int64(depth), a, a_place, b, b_place, np.int64(panels), c, c_place,
        np.bool_(add),
    )  # fmt: skip


@jit
def _multiply_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add):
    if rows <= FEW_ROWS and a_place[2] == 1:
        whole = panels // WIDE_PANELS * WIDE_PANELS
        _few_rows(rows, depth, a, a_place, b, b_place, whole, c, c_place, add)
        b_place = b_place[0] + whole * b_place[1], b_place[1]
        c_place = c_place[0] + whole * c_place[2], c_place[1], c_place[2]
        panels -= whole
    _many_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add)


@jit
def _few_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add):
    """Row by row, WIDE_PANELS panels at once."""
    b_start, b_panel = b_place
    c_start, c_row, c_panel = c_place
    for row in range(rows):
        for panel in range(0, panels, WIDE_PANELS):
            to = c_start + row * c_row + panel * c_panel
            wide_tile(
                depth, a, a_place[0] + row * a_place[1], b, (b_start + panel * b_panel, b_panel),
                c, (to, c_panel), add,
            )  # fmt: skip


@jit
def _many_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add):
    a_start, a_row, a_step = a_place
    b_start, b_panel = b_place
    c_start, c_row, c_panel = c_place
    tiles = (rows + ROWS_HIGH - 1) // ROWS_HIGH
    for panel in range(panels):
        for k in range(0, depth, DEPTH):
            terms = min(DEPTH, depth - k)
            b_from = b_start + panel * b_panel + k * lanes(b)
            for tile in range(tiles):
                first, behind = rows * tile // tiles, rows * (tile + 1) // tiles
                last = behind - first - 1
                left = a_start + first * a_row + k * a_step, a_row, a_step, last
                to = c_start + first * c_row + panel * c_panel, c_row
                if last >= ROWS_MIDDLE:
                    row_tile_high(terms, a, left, b, b_from, c, to, add or k > 0)
                elif last >= ROWS_LOW:
                    row_tile_middle(terms, a, left, b, b_from, c, to, add or k > 0)
                else:
                    row_tile_low(terms, a, left, b, b_from, c, to, add or k > 0)
