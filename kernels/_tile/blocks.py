"""A block of a matrix product from tiles, edges included."""

from kernels import _jit
from kernels._tile.moves import accumulate, copy
from kernels._tile.products import (
    TILE_ROWS,
    TILE_VECTORS,
    multiply_tile_1,
    multiply_tile_2,
    multiply_tile_3,
    tile_lanes,
)


@_jit.jit
def multiply_block(
    depth, rows, columns, a, a_start, b, b_start, b_step, b_panel, c, c_start, c_step, add, spare
):
    """C (rows x columns) = A B, or += where `add`.

    a      row blocks of (depth, TILE_ROWS), zeros below the last row
    b      panels of 3 registers of columns, `b_panel` apart; rows `b_step` apart; readable
           up to a whole register beyond the last column
    spare  (TILE_ROWS, 3 registers) scratch for tiles that reach over the edge of C
    """
    register = tile_lanes(b)
    width = TILE_VECTORS * register
    for first_column in range(0, columns, width):
        wide = min(width, columns - first_column)
        b_from = b_start + first_column // width * b_panel
        for first_row in range(0, rows, TILE_ROWS):
            high = min(TILE_ROWS, rows - first_row)
            a_from = a_start + first_row * depth
            c_from = c_start + first_row * c_step + first_column
            if high == TILE_ROWS and wide == width:
                multiply_tile_3(depth, a, a_from, b, b_from, b_step, c, c_from, c_step, add)
                continue
            if high == TILE_ROWS and wide == 2 * register:
                multiply_tile_2(depth, a, a_from, b, b_from, b_step, c, c_from, c_step, add)
                continue
            if wide > 2 * register:
                multiply_tile_3(depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            elif wide > register:
                multiply_tile_2(depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            else:
                multiply_tile_1(depth, a, a_from, b, b_from, b_step, spare, 0, width, False)
            for i in range(high):
                to = c_from + i * c_step
                if add:
                    accumulate(spare, i * width, c, to, wide)
                else:
                    copy(spare, i * width, c, to, wide)
