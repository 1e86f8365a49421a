"""The matrix product from packed panels, the same bits on any threads.

A is packed once into panels of MR rows, KC columns at a time. A task owns some panels of columns:
it packs KC rows of a panel of B into L1 and multiplies all its rows of A by it before it goes on,
so B is read once from memory. The tasks depend on the shapes alone, and the sum over K runs in the
same order in each.
"""

from kernels._jit import jit, parallel, thread_id
from kernels._tile import (
    KC,
    MR,
    NR_REGISTERS,
    clear_columns,
    epilogue,
    macro_kernel,
    pack_panel,
    panel_columns,
    tile_lanes,
)

# Rows from which it pays to pack B twice for even shares.
BALANCED = 128

# Tasks to share out: even shares for 2, 4 or 8 threads.
TASKS = 8


def product(a, b, bias, transpose_a, transpose_b, relu, work_a, work_b, work_spare, out_y):
    """out_y = op(a) op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a           (M, K), or (K, M) where `transpose_a`
    b           (K, N), or (N, K) where `transpose_b`
    bias        (N,) or (0,)
    work_a      (M up to MR * K,)
    work_b      (threads, KC * 3 registers)
    work_spare  (threads, MR * 3 registers)
    out_y       (M, N)

    2 M N K flops; M K + K N + M N elements to and from memory. Parallel over groups of panels,
    and of rows where there are few panels.
    """
    _multiply(
        a, b, bias, transpose_a, transpose_b, relu, False, work_a, work_b, work_spare, out_y
    )  # fmt: skip


def accumulate(a, b, transpose_a, transpose_b, work_a, work_b, work_spare, inout_y):
    """inout_y += op(a) op(b); as `product`."""
    nothing = work_b[0, :0]
    _multiply(
        a, b, nothing, transpose_a, transpose_b, False, True, work_a, work_b, work_spare, inout_y
    )  # fmt: skip


def _multiply(
    a, b, bias, transpose_a, transpose_b, relu, add, work_a, work_b, work_spare, out_y
):  # fmt: skip
    m, n = out_y.shape
    panels, blocks = -(-n // panel_columns(out_y.dtype)), -(-m // MR)
    across = min(panels, TASKS)
    # Panels differ in width, rows do not.
    down = min(blocks, TASKS // across)
    if across < TASKS and m >= BALANCED:
        down = max(down, 2)
    _pack_a(min(blocks, TASKS), a, transpose_a, work_a)
    _fill_columns(
        across * down, b, transpose_b, bias, relu, add, across, down, work_a, work_b, work_spare,
        out_y,
    )  # fmt: skip


@parallel
def _pack_a(share, a, transpose_a, work_a):
    """A share of A's panels of rows, zeros below the last row, for all depths."""
    rows, depth_total = (a.shape[1], a.shape[0]) if transpose_a else a.shape
    stride, flat = a.shape[1], a.reshape(-1)
    blocks = (rows + MR - 1) // MR
    shares = min(blocks, TASKS)
    first, last = blocks * share // shares, blocks * (share + 1) // shares
    for k in range(0, depth_total, KC):
        depth = min(KC, depth_total - k)
        for row in range(first * MR, last * MR, MR):
            high, to = min(MR, rows - row), k * blocks * MR + row * depth
            start = k * stride + row if transpose_a else row * stride + k
            pack_panel(flat, start, stride, not transpose_a, depth, high, work_a, to, MR)
            clear_columns(depth, high, MR, work_a, to, MR)


@parallel
def _fill_columns(
    task, b, transpose_b, bias, relu, add, across, down, work_a, work_b, work_spare, out_y
):  # fmt: skip
    """A share of the rows of C, in a group of its panels."""
    thread = thread_id()
    m, n = out_y.shape
    depth_total = b.shape[1] if transpose_b else b.shape[0]
    stride, flat = b.shape[1], b.reshape(-1)
    register = tile_lanes(out_y)
    width = NR_REGISTERS * register
    panels, blocks = (n + width - 1) // width, (m + MR - 1) // MR
    group, share = task % across, task // across
    row = blocks * share // down * MR
    rows = min(m, blocks * (share + 1) // down * MR) - row
    for panel in range(panels * group // across, panels * (group + 1) // across):
        column, wide = _panel(panel, n, register)
        for k in range(0, depth_total, KC):
            depth = min(KC, depth_total - k)
            start = column * stride + k if transpose_b else k * stride + column
            pack_panel(flat, start, stride, transpose_b, depth, wide, work_b[thread], 0, width)
            clear_columns(depth, wide, width, work_b[thread], 0, width)
            macro_kernel(
                depth, rows, wide, work_a, k * blocks * MR + row * depth, work_b[thread], 0, width,
                0, out_y, row * n + column, n, add or k > 0, work_spare[thread],
            )  # fmt: skip
        epilogue(bias, relu, rows, wide, out_y, row * n + column, n, column)


@jit
def _panel(panel, columns, register):
    """First column and width of a panel: 4 registers are taken as 2 and 2.

    The sums of a micro-tile of one register would wait for each other.
    """
    width = NR_REGISTERS * register
    column, wide = panel * width, min(width, columns - panel * width)
    beyond = columns % width
    if 0 < beyond <= register < columns - beyond:
        if columns - column == beyond + width:
            wide = 2 * register
        elif columns - column == beyond:
            column, wide = column - register, beyond + register
    return column, wide
