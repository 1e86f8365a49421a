"""Matrix products in registers, and the panels they read: README.md draws them."""

from kernels._tile.aliases import (
    TILE_ROWS,
    TILE_VECTORS,
    multiply_block,
    multiply_tile_1,
    multiply_tile_2,
    multiply_tile_3,
    row_tile_high,
    row_tile_low,
    row_tile_middle,
)
from kernels._tile.dots import dot_tile
from kernels._tile.epilogue import epilogue
from kernels._tile.gather import (
    GATHER_ROWS,
    GATHER_VECTORS,
    gather_columns,
    gather_tile,
)
from kernels._tile.macro import FEW_ROWS, macro_kernel, multiply_rows
from kernels._tile.micro import (
    ROWS_HIGH,
    ROWS_LOW,
    ROWS_MIDDLE,
    WIDE_PANELS,
    micro_kernel,
    row_kernel,
    rows_kernel,
)
from kernels._tile.moves import (
    accumulate,
    copy,
    copy_tile_column,
    copy_tile_row,
    transpose_rows,
    transpose_square,
)
from kernels._tile.pack import clear_columns, pack_panel
from kernels._tile.registers import (
    KC,
    MR,
    NR_REGISTERS,
    panel_columns,
    register_lanes,
    tile_lanes,
)

__all__ = [
    "FEW_ROWS",
    "GATHER_ROWS",
    "GATHER_VECTORS",
    "KC",
    "MR",
    "NR_REGISTERS",
    "ROWS_HIGH",
    "ROWS_LOW",
    "ROWS_MIDDLE",
    "TILE_ROWS",
    "TILE_VECTORS",
    "WIDE_PANELS",
    "accumulate",
    "clear_columns",
    "copy",
    "copy_tile_column",
    "copy_tile_row",
    "dot_tile",
    "epilogue",
    "gather_columns",
    "gather_tile",
    "macro_kernel",
    "micro_kernel",
    "multiply_block",
    "multiply_rows",
    "multiply_tile_1",
    "multiply_tile_2",
    "multiply_tile_3",
    "pack_panel",
    "panel_columns",
    "register_lanes",
    "row_kernel",
    "row_tile_high",
    "row_tile_low",
    "row_tile_middle",
    "rows_kernel",
    "tile_lanes",
    "transpose_rows",
    "transpose_square",
]
