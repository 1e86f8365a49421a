"""Matrix products in registers, and the copies that prepare for them."""

from kernels._tile.blocks import multiply_block
from kernels._tile.dots import dot_tile
from kernels._tile.gather import (
    GATHER_ROWS,
    GATHER_VECTORS,
    gather_columns,
    gather_tile,
)
from kernels._tile.moves import (
    accumulate,
    copy,
    copy_tile_column,
    copy_tile_row,
    finish_tile_row,
    transpose_rows,
    transpose_square,
)
from kernels._tile.products import (
    TILE_ROWS,
    TILE_VECTORS,
    multiply_tile_1,
    multiply_tile_2,
    multiply_tile_3,
    panel_columns,
    register_lanes,
    tile_lanes,
)
from kernels._tile.row_products import FEW_ROWS, multiply_rows
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

__all__ = [
    "FEW_ROWS",
    "GATHER_ROWS",
    "GATHER_VECTORS",
    "ROWS_HIGH",
    "ROWS_LOW",
    "ROWS_MIDDLE",
    "TILE_ROWS",
    "TILE_VECTORS",
    "WIDE_PANELS",
    "accumulate",
    "copy",
    "copy_tile_column",
    "copy_tile_row",
    "dot_tile",
    "finish_tile_row",
    "gather_columns",
    "gather_tile",
    "multiply_block",
    "multiply_tile_1",
    "multiply_tile_2",
    "multiply_tile_3",
    "multiply_rows",
    "panel_columns",
    "register_lanes",
    "row_tile_high",
    "row_tile_low",
    "row_tile_middle",
    "tile_lanes",
    "transpose_rows",
    "transpose_square",
    "wide_tile",
]
