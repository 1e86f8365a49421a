"""The matrix product without packing A: for small matrices, and for few columns.

The sum over K is cut where `cpu` cuts it and runs in the same order, so both give the same bits.
"""

from kernels._jit import jit, parallel, thread_id
from kernels._simd import REGISTER_BYTES
from kernels._tasks import share_out
from kernels._tile import TILE_VECTORS, copy, copy_tile_row, tile_lanes, transpose_square
from kernels.matmul.cpu import DEPTH, TASKS
from kernels.matmul.direct_tile import (
    MOST_SUMS,
    ROWS_1,
    ROWS_2,
    ROWS_3,
    ROWS_6,
    direct_tile_1,
    direct_tile_2,
    direct_tile_3,
    direct_tile_6,
)

# Elements of B that stay in L1 while tiles pass over them again and again.
NEAR = 1 << 13

# Multiply-adds below which a launch costs more than it saves: some 10 us of one core.
SERIAL = 1 << 19

# Scratch of a thread, in registers: the sums of a tile, and the widest panel for each of K.
WORK_SUMS, WORK_PANEL = MOST_SUMS, 6


@jit
def _pack_register(b, transpose_b, depth, column, work, start, width):
    """A register of columns of B from `column` on, one row every `width` elements."""
    register = tile_lanes(b)
    stride = b.shape[1]
    if not transpose_b:
        for k in range(depth):
            copy(b, k * stride + column, work, start + k * width, register)
        return
    whole = depth // register * register
    for k in range(0, whole, register):
        transpose_square(b, column * stride + k, stride, work, start + k * width, width)
    for k in range(whole, depth):
        for lane in range(register):
            work[start + k * width + lane] = b[column + lane, k]


@jit
def pack_b(b, transpose_b, depth, column, last, vectors, work, start):
    """`vectors` registers of columns of B, none beyond `last`, as (depth, vectors, register)."""
    register = tile_lanes(b)
    if vectors == TILE_VECTORS and not transpose_b and column + 2 * register <= last:
        for k in range(depth):
            copy_tile_row(b, k * b.shape[1] + column, work, start + k * vectors * register)
        return
    for j in range(vectors):
        at, width = start + j * register, vectors * register
        _pack_register(
            b, transpose_b, depth, min(column + j * register, last), work, at, width
        )  # fmt: skip


@jit
def _multiply(vectors, depth_total, a, a_place, b, b_place, bias, relu, work, c, c_place):
    """`vectors` registers of columns of C, for all the rows of A; the places are the tiles'."""
    a_start, a_row, a_step, last_row = a_place
    b_start, b_step, b_first, b_last = b_place
    c_start, c_row, c_first, c_last = c_place
    step = ROWS_3 if vectors == 3 else ROWS_2 if vectors == 2 else ROWS_1
    if vectors == 6:
        step = ROWS_6
    for row in range(0, last_row + 1, step):
        last = min(step - 1, last_row - row)
        to = c_start + row * c_row, c_row, c_first, c_last
        for k in range(0, depth_total, DEPTH):
            depth = min(DEPTH, depth_total - k)
            stages = k > 0, k + depth == depth_total, bias.size > 0, relu
            left = a_start + row * a_row + k * a_step, a_row, a_step, last
            right = b_start + k * b_step, b_step, b_first, b_last
            if vectors == 3:
                direct_tile_3(depth, a, left, b, right, stages, work, bias, c, to)
            elif vectors == 2:
                direct_tile_2(depth, a, left, b, right, stages, work, bias, c, to)
            elif vectors == 1:
                direct_tile_1(depth, a, left, b, right, stages, work, bias, c, to)
            else:
                direct_tile_6(depth, a, left, b, right, stages, work, bias, c, to)


@jit
def _narrow(a, b, bias, transpose_a, transpose_b, relu, first, last, work, out_y):
    """Rows [first, last) of a result that is narrower than a register."""
    columns = out_y.shape[1]
    register = tile_lanes(out_y)
    panel = WORK_SUMS * register
    depth_total = b.shape[1] if transpose_b else b.shape[0]
    a_row, a_step = (1, a.shape[1]) if transpose_a else (a.shape[1], 1)
    for k in range(depth_total):
        for j in range(columns):
            work[panel + k * register + j] = b[j, k] if transpose_b else b[k, j]
        for j in range(columns, register):
            work[panel + k * register + j] = 0.0
    for row in range(first, last, ROWS_1):
        high = min(ROWS_1, last - row)
        for k in range(0, depth_total, DEPTH):
            depth = min(DEPTH, depth_total - k)
            left = row * a_row + k * a_step, a_row, a_step, high - 1
            right = panel + k * register, register, 0, 0
            stages = k > 0, False, False, False
            direct_tile_1(depth, a, left, work, right, stages, work, bias, work, right)
        for i in range(high):
            for j in range(columns):
                value = work[i * register + j]
                if bias.size:
                    value += bias[j]
                out_y[row + i, j] = 0.0 if relu and value < 0.0 else value


@jit
def fill(
    a, b, bias, transpose_a, transpose_b, relu, first, last, register_from, register_to, work, out_y
):
    """Rows [first, last) of op(a) op(b) + bias, and of their columns the registers given."""
    register = tile_lanes(out_y)
    columns = out_y.shape[1]
    if columns < register:
        _narrow(a, b, bias, transpose_a, transpose_b, relu, first, last, work, out_y)
        return
    depth = b.shape[1] if transpose_b else b.shape[0]
    a_row, a_step = (1, a.shape[1]) if transpose_a else (a.shape[1], 1)
    rows = last - first
    left = first * a_row, a_row, a_step, rows - 1
    end = columns - register
    pack = transpose_b or (rows > 2 * ROWS_2 and b.size > NEAR)
    panel = WORK_SUMS * register
    at = register_from
    while at < register_to:
        rest = register_to - at
        if rows <= ROWS_6 and rest >= 6:
            vectors = 6
        else:
            vectors = 2 if rest == 2 or rest == 4 else min(rest, 3)
        column = at * register
        to = first * columns, columns, column, end
        if pack:
            pack_b(b, transpose_b, depth, column, end, vectors, work, panel)
            right = panel, vectors * register, 0, vectors * register
            _multiply(vectors, depth, a, left, work, right, bias, relu, work, out_y, to)
        else:
            right = 0, columns, column, end
            _multiply(vectors, depth, a, left, b.reshape(-1), right, bias, relu, work, out_y, to)
        at += vectors


@jit
def _sum_columns(dy, start, rows, out_dbias):
    """Four columns at a time, since each addition waits for the one before."""
    columns = out_dbias.size
    for j in range(0, columns - columns % 4, 4):
        first, second, third, fourth = 0.0, 0.0, 0.0, 0.0
        for at in range(start + j, start + j + rows * columns, columns):
            first += dy[at]
            second += dy[at + 1]
            third += dy[at + 2]
            fourth += dy[at + 3]
        out_dbias[j], out_dbias[j + 1] = first, second
        out_dbias[j + 2], out_dbias[j + 3] = third, fourth
    for j in range(columns - columns % 4, columns):
        total = 0.0
        for i in range(rows):
            total += dy[start + i * columns + j]
        out_dbias[j] = total


@jit
def backward_serial(dy, y, a, b, transpose_a, transpose_b, work, out_da, out_db, out_dbias):
    """All gradients of a product in one call; an output without elements is not computed.

    y          (M, N) where it was rectified, else (0, 0)
    work       as in `product` for the longest sum, of one thread, and M N elements behind it
    out_da     like a or (0, 0), out_db like b or (0, 0), out_dbias (N,) or (0,)
    """
    rows, columns = dy.shape
    register = tile_lanes(dy)
    nothing = work[:0]
    masked = work.size - rows * columns
    if y.size:
        flat_dy, flat_y = dy.reshape(-1), y.reshape(-1)
        for i in range(rows * columns):
            work[masked + i] = flat_dy[i] if flat_y[i] > 0.0 else 0.0
        dy = work[masked:].reshape(rows, columns)
    if out_dbias.size:
        _sum_columns(dy.reshape(-1), 0, rows, out_dbias)
    if out_da.size:
        height, width = out_da.shape
        registers = (width + register - 1) // register
        if transpose_a:
            fill(
                b, dy, nothing, transpose_b, True, False, 0, height, 0, registers, work, out_da
            )  # fmt: skip
        else:
            fill(
                dy, b, nothing, False, not transpose_b, False, 0, height, 0, registers, work,
                out_da,
            )  # fmt: skip
    if out_db.size:
        height, width = out_db.shape
        registers = (width + register - 1) // register
        if transpose_b:
            fill(
                dy, a, nothing, True, transpose_a, False, 0, height, 0, registers, work, out_db
            )  # fmt: skip
        else:
            fill(
                a, dy, nothing, not transpose_a, False, False, 0, height, 0, registers, work,
                out_db,
            )  # fmt: skip


@jit
def group_start(group, across, registers):
    """The first register of a group of panels; the last, which may overlap, goes with another."""
    if group == across:
        return registers
    return min(3 * ((registers + 2) // 3 * group // across), max(0, registers - 2))


def product(a, b, bias, transpose_a, transpose_b, relu, work, out_y):
    """out_y = op(a) op(b) + bias, rectified where `relu`; an empty bias adds nothing.

    a      (M, K), or (K, M) where `transpose_a`
    b      (K, N), or (N, K) where `transpose_b`
    bias   (N,) or (0,)
    work   (threads, (WORK_SUMS + WORK_PANEL K) registers)
    out_y  (M, N)

    2 M N K flops; M K + K N + M N elements to and from memory. Parallel over groups of columns,
    and of rows where there are few.
    """
    rows, columns = out_y.shape
    registers = -(-columns * out_y.itemsize // REGISTER_BYTES)
    across = min(-(-registers // 3), TASKS)
    # Every share of rows packs B for itself.
    down = max(1, min(rows // 64, TASKS // across))
    fill_shares(
        across * down, a, b, bias, transpose_a, transpose_b, relu, across, down, work, out_y
    )


@parallel
def fill_shares(task, a, b, bias, transpose_a, transpose_b, relu, across, down, work, out_y):
    """A share of the rows of C, in a group of its columns."""
    rows, columns = out_y.shape
    registers = (columns + tile_lanes(out_y) - 1) // tile_lanes(out_y)
    group, share = task // down, task % down
    first, last = rows * share // down, rows * (share + 1) // down
    fill(
        a, b, bias, transpose_a, transpose_b, relu, first, last,
        group_start(group, across, registers), group_start(group + 1, across, registers),
        work[thread_id() % work.shape[0]], out_y,
    )  # fmt: skip


def product_stacks(a, b, bias, a_items, b_items, transpose_a, transpose_b, relu, work, out_y):
    """As `product` for every item of a stack.

    a                 (A, M, K), or (A, K, M) where `transpose_a`
    b                 (B, K, N), or (B, N, K) where `transpose_b`
    a_items, b_items  (items,) which matrices are multiplied, int64
    out_y             (items, M, N)

    Parallel over the items.
    """
    items, depth = out_y.shape[0], b.shape[2 if transpose_b else 1]
    tasks, span = share_out(items, 1, items if out_y.size * depth <= SERIAL else 1)
    _fill_items(
        tasks, a, b, bias, a_items, b_items, transpose_a, transpose_b, relu, span, work, out_y
    )


@parallel
def _fill_items(
    task, a, b, bias, a_items, b_items, transpose_a, transpose_b, relu, span, work, out_y
):
    items, rows, columns = out_y.shape
    registers = (columns + tile_lanes(out_y) - 1) // tile_lanes(out_y)
    for item in range(task * span, min((task + 1) * span, items)):
        fill(
            a[a_items[item]], b[b_items[item]], bias, transpose_a, transpose_b, relu, 0, rows,
            0, registers, work[thread_id()], out_y[item],
        )  # fmt: skip
