"""Macro-kernels: micro-kernels over a block of C, edges included."""

from kernels._jit import jit
from kernels._simd import lanes
from kernels._tile.micro import ROWS_HIGH, WIDE_PANELS, micro_kernel, row_kernel, rows_kernel
from kernels._tile.moves import accumulate, copy
from kernels._tile.registers import KC, MR, NR_REGISTERS, tile_lanes

# So few rows are taken one by one, through many panels at once.
FEW_ROWS = 2


@jit
def macro_kernel(
    depth, rows, columns, a, a_start, b, b_start, b_step, b_panel, c, c_start, c_step, add, spare
):
    """C (rows x columns) = A B, or += where `add`.

    a      packed panels (depth, MR), zeros below the last row
    b      panels of 3 registers of columns, `b_panel` apart; rows `b_step` apart; readable
           up to a whole register beyond the last column
    spare  (MR, 3 registers) scratch for micro-tiles that reach over the edge of C
    """
    register = tile_lanes(b)
    width = NR_REGISTERS * register
    for first_column in range(0, columns, width):
        wide = min(width, columns - first_column)
        registers = (wide + register - 1) // register
        b_from = b_start + first_column // width * b_panel
        for first_row in range(0, rows, MR):
            high = min(MR, rows - first_row)
            a_from = a_start + first_row * depth
            c_from = c_start + first_row * c_step + first_column
            if high == MR and wide == registers * register:
                micro_kernel(registers, depth, a, a_from, b, b_from, b_step, c, c_from, c_step, add)
                continue
            micro_kernel(registers, depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            for i in range(high):
                to = c_from + i * c_step
                if add:
                    accumulate(spare, i * width, c, to, wide)
                else:
                    copy(spare, i * width, c, to, wide)


@jit
def multiply_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add):
    """C = A B, or += where `add`, for `rows` rows as they lie and `panels` panels of columns.

    a_place  (start, step of a row, step of k)
    b_place  (start, step of a panel); a panel has `depth` rows of a value's columns
    c_place  (start, step of a row, step of a panel)

    No bit of a row of C depends on the other rows, nor on how many there are.
    """
    whole = 0
    if rows <= FEW_ROWS and a_place[2] == 1:
        whole = panels // WIDE_PANELS * WIDE_PANELS
        _few_rows(rows, depth, a, a_place, b, b_place, whole, c, c_place, add)
    b_start, b_panel = b_place
    c_start, c_row, c_panel = c_place
    _many_rows(
        rows, depth, a, a_place, b, (b_start + whole * b_panel, b_panel), panels - whole,
        c, (c_start + whole * c_panel, c_row, c_panel), add,
    )  # fmt: skip


@jit
def _few_rows(rows, depth, a, a_place, b, b_place, panels, c, c_place, add):
    """Row by row, WIDE_PANELS panels at once."""
    b_start, b_panel = b_place
    c_start, c_row, c_panel = c_place
    for row in range(rows):
        for panel in range(0, panels, WIDE_PANELS):
            to = c_start + row * c_row + panel * c_panel
            row_kernel(
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
        for k in range(0, depth, KC):
            terms = min(KC, depth - k)
            b_from = b_start + panel * b_panel + k * lanes(b)
            for tile in range(tiles):
                first, behind = rows * tile // tiles, rows * (tile + 1) // tiles
                left = a_start + first * a_row + k * a_step, a_row, a_step, behind - first - 1
                to = c_start + first * c_row + panel * c_panel, c_row
                rows_kernel(terms, a, left, b, b_from, c, to, add or k > 0)
