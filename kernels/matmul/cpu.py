"""The matrix product from register tiles: packed, blocked, the same bits on any threads.

B is packed once into panels of 3 registers of columns, DEPTH rows at a time, so that a panel
stays in L1; each task packs its rows of A and fills its own block of the result. The blocks
depend on the shapes alone, and the sum over K runs in the same order in each.
"""

from kernels import _jit
from kernels._jit import prange, thread_id
from kernels._reduce import add_rectify
from kernels._simd import lanes, load, load_first, maximum, store, store_first
from kernels._tile import (
    TILE_ROWS,
    TILE_VECTORS,
    copy,
    multiply_block,
    tile_lanes,
    transpose_rows,
    transpose_square,
)

# Rows of a panel: DEPTH x 24 float32 are 24 KiB, most of an L1 cache.
DEPTH = 256

# Rows of A in a task: BLOCK_ROWS x DEPTH float32 are 96 KiB of L2.
BLOCK_ROWS = 96

# Columns in a task, in panels.
BLOCK_PANELS = 16

# Multiply-adds below which a launch costs more than it saves: some 10 us of one core.
SERIAL = 1 << 19


@_jit.jit
def _pack_b_panel(b, transpose_b, depth_from, depth, column, work_b, start):
    """One panel (depth, 3 registers) of B from `depth_from` and `column` on, zeros beyond."""
    lanes_ = tile_lanes(b)
    width = TILE_VECTORS * lanes_
    if transpose_b:
        columns, depth_total = b.shape
        wide = min(width, columns - column)
        whole_depth = depth // lanes_ * lanes_
        j = 0
        while j + lanes_ <= wide:
            source = (column + j) * depth_total + depth_from
            for k in range(0, whole_depth, lanes_):
                transpose_square(b, source + k, depth_total, work_b, start + k * width + j, width)
            for k in range(whole_depth, depth):
                for lane in range(lanes_):
                    work_b[start + k * width + j + lane] = b[column + j + lane, depth_from + k]
            j += lanes_
        while j < wide:
            for k in range(depth):
                work_b[start + k * width + j] = b[column + j, depth_from + k]
            j += 1
    else:
        columns = b.shape[1]
        wide = min(width, columns - column)
        for k in range(depth):
            copy(b, (depth_from + k) * columns + column, work_b, start + k * width, wide)
    if wide < width:
        for k in range(depth):
            for j in range(wide, width):
                work_b[start + k * width + j] = 0.0


@_jit.jit
def _pack_a_rows(a, transpose_a, row, high, depth_from, depth, work_a, start):
    """One row block (depth, TILE_ROWS) of A from `row` and `depth_from` on, zeros beyond."""
    if transpose_a:
        for k in range(depth):
            to = start + k * TILE_ROWS
            for i in range(high):
                work_a[to + i] = a[depth_from + k, row + i]
        done = depth
    else:
        lanes_ = tile_lanes(a)
        done = 0
        if high == TILE_ROWS:
            depth_total = a.shape[1]
            source = row * depth_total + depth_from
            while done + lanes_ <= depth:
                to = start + done * TILE_ROWS
                transpose_rows(a, source + done, depth_total, work_a, to, TILE_ROWS)
                done += lanes_
        for k in range(done, depth):
            for i in range(high):
                work_a[start + k * TILE_ROWS + i] = a[row + i, depth_from + k]
    for k in range(depth):
        for i in range(high, TILE_ROWS):
            work_a[start + k * TILE_ROWS + i] = 0.0


@_jit.jit
def _add_bias(bias, relu, y, start, column, count):
    """y += bias, rectified where `relu`, on `count` columns of one row."""
    if bias.size == 0:
        if relu:
            add_rectify(y, start, count, 0.0, relu)
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


@_jit.jit
def _fill_block(
    a, transpose_a, row, rows, column, columns, depth_total, panels, bias, relu,
    work_a, work_b, work_spare, out_y,
):  # fmt: skip
    """The block of the result from (`row`, `column`) on."""
    width = TILE_VECTORS * tile_lanes(out_y)
    stride = out_y.shape[1]
    to = row * stride + column
    for depth_from in range(0, depth_total, DEPTH):
        depth = min(DEPTH, depth_total - depth_from)
        for i in range(0, rows, TILE_ROWS):
            high = min(TILE_ROWS, rows - i)
            _pack_a_rows(a, transpose_a, row + i, high, depth_from, depth, work_a, i * depth)
        panel = depth_from * panels * width + column // width * depth * width
        multiply_block(
            depth, rows, columns, work_a, 0, work_b, panel, width, depth * width,
            out_y, to, stride, depth_from > 0, work_spare,
        )  # fmt: skip
    if bias.size or relu:
        for i in range(rows):
            _add_bias(bias, relu, out_y, to + i * stride, column, columns)


@_jit.jit
def _pack_b_task(b, transpose_b, depth_total, panels, task, work_b):
    width = TILE_VECTORS * tile_lanes(b)
    depth_from = task // panels * DEPTH
    panel = task % panels
    depth = min(DEPTH, depth_total - depth_from)
    start = depth_from * panels * width + panel * depth * width
    _pack_b_panel(b, transpose_b, depth_from, depth, panel * width, work_b, start)


@_jit.jit
def _block_task(
    a, transpose_a, depth_total, panels, block_columns, task, bias, relu,
    work_a, work_b, work_spare, out_y,
):  # fmt: skip
    m, n = out_y.shape
    across = (n + block_columns - 1) // block_columns
    row = task // across * BLOCK_ROWS
    column = task % across * block_columns
    rows, columns = min(BLOCK_ROWS, m - row), min(block_columns, n - column)
    _fill_block(
        a, transpose_a, row, rows, column, columns, depth_total, panels, bias, relu,
        work_a, work_b, work_spare, out_y,
    )  # fmt: skip


@_jit.parallel
def product(
    a, b, bias, transpose_a, transpose_b, relu, work_a, work_b, work_spare, out_y
):  # fmt: skip
    """out_y = op(a) op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a           (M, K), or (K, M) where `transpose_a`
    b           (K, N), or (N, K) where `transpose_b`
    bias        (N,) or (0,)
    work_a      (threads, BLOCK_ROWS * DEPTH)
    work_b      (K * N rounded up to whole panels,)
    work_spare  (threads, TILE_ROWS * 3 registers)
    out_y       (M, N)

    2 M N K flops; reads each operand once into packed form. Parallel over blocks of out_y.
    """
    m, n = out_y.shape
    depth_total = a.shape[0] if transpose_a else a.shape[1]
    width = TILE_VECTORS * tile_lanes(out_y)
    panels = (n + width - 1) // width
    packs = (depth_total + DEPTH - 1) // DEPTH * panels
    down = (m + BLOCK_ROWS - 1) // BLOCK_ROWS
    # Few rows are shared out by columns: 8 blocks keep 2 to 8 threads busy.
    block_panels = max(1, min(BLOCK_PANELS, panels * down // 8))
    block_columns = block_panels * width
    blocks = down * ((n + block_columns - 1) // block_columns)
    for task in prange(packs):
        _pack_b_task(b, transpose_b, depth_total, panels, task, work_b)
    for task in prange(blocks):
        thread = thread_id()
        _block_task(
            a, transpose_a, depth_total, panels, block_columns, task, bias, relu,
            work_a[thread], work_b, work_spare[thread], out_y,
        )  # fmt: skip


@_jit.jit
def product_serial(a, b, bias, transpose_a, transpose_b, relu, work_a, work_b, work_spare, out_y):
    """As `product` on one thread, for work that a launch would take longer than.

    work_a, work_spare  as in `product`, of one thread
    """
    m, n = out_y.shape
    depth_total = a.shape[0] if transpose_a else a.shape[1]
    width = TILE_VECTORS * tile_lanes(out_y)
    panels = (n + width - 1) // width
    for task in range((depth_total + DEPTH - 1) // DEPTH * panels):
        _pack_b_task(b, transpose_b, depth_total, panels, task, work_b)
    for row in range(0, m, BLOCK_ROWS):
        rows = min(BLOCK_ROWS, m - row)
        _fill_block(
            a, transpose_a, row, rows, 0, n, depth_total, panels, bias, relu, work_a, work_b,
            work_spare, out_y,
        )  # fmt: skip
