"""Matrix products in registers, and the panels they read: README.md draws them."""

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
    "multiply_rows",
    "pack_panel",
    "panel_columns",
    "register_lanes",
    "row_kernel",
    "rows_kernel",
    "tile_lanes",
    "transpose_rows",
    "transpose_square",
]
