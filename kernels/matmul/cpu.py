"""The matrix product from register tiles: packed, blocked, the same bits on any threads.

A is packed once into row blocks of TILE_ROWS, DEPTH columns at a time. A task owns some panels
of columns, each 3 registers wide: it packs DEPTH rows of a panel of B into L1 and multiplies
all its rows of A by it before it goes on, so B is read once from memory. The tasks depend on
the shapes alone, and the sum over K runs in the same order in each.
"""

from kernels._jit import jit, parallel, thread_id
from kernels._reduce import add_rectify
from kernels._simd import lanes, load, load_first, maximum, store, store_first
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    copy,
    copy_tile_column,
    copy_tile_row,
    finish_tile_row,
    multiply_block,
    panel_columns,
    tile_lanes,
    transpose_rows,
    transpose_square,
)

# Rows of a panel: DEPTH x 24 float32 are 24 KiB, most of an L1 cache.
DEPTH = 256

# Rows from which it pays to pack B twice for even shares.
BALANCED = 128

# Tasks to share out: even shares for 2, 4 or 8 threads.
TASKS = 8


@jit
def _panel(panel, columns, register):
    """First column and width of a panel: 4 registers are taken as 2 and 2.

    The sums of a tile of one register would wait for each other.
    """
    width = TILE_VECTORS * register
    column, wide = panel * width, min(width, columns - panel * width)
    beyond = columns % width
    if 0 < beyond <= register < columns - beyond:
        if columns - column == beyond + width:
            wide = 2 * register
        elif columns - column == beyond:
            column, wide = column - register, beyond + register
    return column, wide


@jit
def _pack_b_panel(b, transpose_b, depth_from, depth, column, wide, work_b):
    """`wide` columns of B from `depth_from` and `column` on as (depth, 3 registers), then zeros."""
    register = tile_lanes(b)
    width = TILE_VECTORS * register
    stride = b.shape[1]
    if wide < width:
        for k in range(depth):
            for j in range(wide, width):
                work_b[k * width + j] = 0.0
    if not transpose_b:
        source = depth_from * stride + column
        for k in range(depth):
            if wide == width:
                copy_tile_row(b, source + k * stride, work_b, k * width)
            else:
                copy(b, source + k * stride, work_b, k * width, wide)
        return
    whole = depth // register * register
    j = 0
    while j + register <= wide:
        source = (column + j) * stride + depth_from
        for k in range(0, whole, register):
            transpose_square(b, source + k, stride, work_b, k * width + j, width)
        for k in range(whole, depth):
            for lane in range(register):
                work_b[k * width + j + lane] = b[column + j + lane, depth_from + k]
        j += register
    while j < wide:
        for k in range(depth):
            work_b[k * width + j] = b[column + j, depth_from + k]
        j += 1


@jit
def _pack_a_rows(a, transpose_a, row, depth_from, depth, work_a, start):
    """One row block (depth, TILE_ROWS) of A from `row` and `depth_from` on, zeros beyond."""
    stride = a.shape[1]
    high = min(TILE_ROWS, (a.shape[1] if transpose_a else a.shape[0]) - row)
    done = 0
    if high < TILE_ROWS:
        for k in range(depth):
            for i in range(high, TILE_ROWS):
                work_a[start + k * TILE_ROWS + i] = 0.0
    elif transpose_a:
        source = depth_from * stride + row
        for k in range(depth):
            copy_tile_column(a, source + k * stride, work_a, start + k * TILE_ROWS)
        done = depth
    else:
        register = tile_lanes(a)
        source = row * stride + depth_from
        while done + register <= depth:
            to = start + done * TILE_ROWS
            transpose_rows(a, source + done, stride, work_a, to, TILE_ROWS)
            done += register
    for k in range(done, depth):
        for i in range(high):
            value = a[depth_from + k, row + i] if transpose_a else a[row + i, depth_from + k]
            work_a[start + k * TILE_ROWS + i] = value


@jit
def _add_bias(bias, relu, y, start, column, count):
    """y += bias, rectified where `relu`, on `count` columns of one row."""
    if bias.size == 0:
        if relu:
            add_rectify(y, start, count, 0.0, relu)
        return
    if count == TILE_VECTORS * tile_lanes(y):
        finish_tile_row(bias, column, y, start, relu)
        return
    step = lanes(y)
    j = 0
    while j + step <= count:
        value = load(y, start + j) + load(bias, column + j)
        store(y, start + j, maximum(value, 0.0) if relu else value)
        j += step
    if j < count:
        rest = count - j
        value = load_first(y, start + j, rest, 0.0) + load_first(bias, column + j, rest, 0.0)
        store_first(y, start + j, rest, maximum(value, 0.0) if relu else value)


def product(a, b, bias, transpose_a, transpose_b, relu, work_a, work_b, work_spare, out_y):
    """out_y = op(a) op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a           (M, K), or (K, M) where `transpose_a`
    b           (K, N), or (N, K) where `transpose_b`
    bias        (N,) or (0,)
    work_a      (M up to TILE_ROWS * K,)
    work_b      (threads, DEPTH * 3 registers)
    work_spare  (threads, TILE_ROWS * 3 registers)
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
    panels, blocks = -(-n // panel_columns(out_y.dtype)), -(-m // TILE_ROWS)
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
    """A share of A's row blocks, for all depths."""
    rows, depth_total = (a.shape[1], a.shape[0]) if transpose_a else a.shape
    blocks = (rows + TILE_ROWS - 1) // TILE_ROWS
    shares = min(blocks, TASKS)
    first, last = blocks * share // shares, blocks * (share + 1) // shares
    for depth_from in range(0, depth_total, DEPTH):
        depth = min(DEPTH, depth_total - depth_from)
        for row in range(first * TILE_ROWS, last * TILE_ROWS, TILE_ROWS):
            start = depth_from * blocks * TILE_ROWS + row * depth
            _pack_a_rows(a, transpose_a, row, depth_from, depth, work_a, start)


@parallel
def _fill_columns(
    task, b, transpose_b, bias, relu, add, across, down, work_a, work_b, work_spare, out_y
):  # fmt: skip
    """A share of the rows of C, in a group of its panels."""
    thread = thread_id()
    m, n = out_y.shape
    depth_total = b.shape[1] if transpose_b else b.shape[0]
    register = tile_lanes(out_y)
    width = TILE_VECTORS * register
    panels, blocks = (n + width - 1) // width, (m + TILE_ROWS - 1) // TILE_ROWS
    group, share = task % across, task // across
    row = blocks * share // down * TILE_ROWS
    rows = min(m, blocks * (share + 1) // down * TILE_ROWS) - row
    for panel in range(panels * group // across, panels * (group + 1) // across):
        column, wide = _panel(panel, n, register)
        for depth_from in range(0, depth_total, DEPTH):
            depth = min(DEPTH, depth_total - depth_from)
            _pack_b_panel(b, transpose_b, depth_from, depth, column, wide, work_b[thread])
            multiply_block(
                depth, rows, wide, work_a, depth_from * blocks * TILE_ROWS + row * depth,
                work_b[thread], 0, width, 0, out_y, row * n + column, n, add or depth_from > 0,
                work_spare[thread],
            )  # fmt: skip
        if bias.size or relu:
            for i in range(row, row + rows):
                _add_bias(bias, relu, out_y, i * n + column, column, wide)
