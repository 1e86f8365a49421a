"""The matrix product without packing A.

The sum over K is cut at KC as in `packed` and runs in the same order, so both give the same bits.
"""

from kernels._jit import jit, parallel, thread_id
from kernels._simd import REGISTER_BYTES
from kernels._tasks import share_out
from kernels._tile import KC, clear_columns, pack_panel, tile_lanes
from kernels.matmul.direct.micro import MOST_SUMS, ROWS, direct_kernel
from kernels.matmul.packed.cpu import TASKS
from kernels.matmul.problem import SERIAL

# Elements of B that stay in L1 while micro-tiles pass over them again and again.
NEAR = 1 << 13

# Scratch of a thread, in registers: the sums of a micro-tile, and the widest panel for each of K.
WORK_SUMS, WORK_PANEL = MOST_SUMS, 6


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
    _fill_shares(
        across * down, a, b, bias, transpose_a, transpose_b, relu, across, down, work, out_y
    )


@parallel
def _fill_shares(task, a, b, bias, transpose_a, transpose_b, relu, across, down, work, out_y):
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


@jit
def product_alone(a, b, bias, transpose_a, transpose_b, relu, work, out_y):
    """As `product`, all of it on the thread that calls; work of one thread."""
    (rows, columns), register = out_y.shape, tile_lanes(out_y)
    fill(
        a, b, bias, transpose_a, transpose_b, relu, 0, rows, 0,
        (columns + register - 1) // register, work, out_y,
    )  # fmt: skip


@jit
def group_start(group, across, registers):
    """The first register of a group of panels; the last, which may overlap, goes with another."""
    if group == across:
        return registers
    return min(3 * ((registers + 2) // 3 * group // across), max(0, registers - 2))


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


@jit
def fill(
    a, b, bias, transpose_a, transpose_b, relu, first, last, register_from, register_to, work, out_y
):
    """Rows [first, last) of op(a) op(b) + bias, and of their columns the registers given."""
    register = tile_lanes(out_y)
    columns = out_y.shape[1]
    if columns < register:
        _fill_narrow(a, b, bias, transpose_a, transpose_b, relu, first, last, work, out_y)
        return
    depth = b.shape[1] if transpose_b else b.shape[0]
    a_row, a_step = (1, a.shape[1]) if transpose_a else (a.shape[1], 1)
    rows, end = last - first, columns - register
    left = first * a_row, a_row, a_step, rows - 1
    packed = transpose_b or (rows > 2 * ROWS[2] and b.size > NEAR)
    panel, flat = WORK_SUMS * register, b.reshape(-1)
    at = register_from
    while at < register_to:
        rest = register_to - at
        if rows <= ROWS[6] and rest >= 6:
            registers = 6
        else:
            registers = 2 if rest == 2 or rest == 4 else min(rest, 3)
        column = at * register
        source, right = flat, (0, columns, column, end)
        if packed:
            _pack_b(flat, b.shape[1], transpose_b, depth, column, end, registers, work, panel)
            source, right = work, (panel, registers * register, 0, registers * register)
        to = first * columns, columns, column, end
        _multiply(registers, depth, a, left, source, right, bias, relu, work, out_y, to)
        at += registers


@jit
def _pack_b(b, stride, transpose_b, depth, column, last, registers, work, to):
    """Registers of columns of B, none beyond `last`, as a panel (depth, registers)."""
    register = tile_lanes(b)
    width = registers * register
    apart = stride if transpose_b else 1
    if column + width - register <= last:
        pack_panel(b, column * apart, stride, transpose_b, depth, width, work, to, width)
        return
    for j in range(0, width, register):
        start = min(column + j, last) * apart
        pack_panel(b, start, stride, transpose_b, depth, register, work, to + j, width)


@jit
def _multiply(registers, depth_total, a, a_place, b, b_place, bias, relu, work, c, c_place):
    """`registers` of columns of C, for all the rows of A; the places are the micro-kernel's."""
    a_start, a_row, a_step, last_row = a_place
    b_start, b_step, b_first, b_last = b_place
    c_start, c_row, c_first, c_last = c_place
    high = ROWS[registers]
    for row in range(0, last_row + 1, high):
        last = min(high - 1, last_row - row)
        to = c_start + row * c_row, c_row, c_first, c_last
        for k in range(0, depth_total, KC):
            depth = min(KC, depth_total - k)
            stages = k > 0, k + depth == depth_total, bias.size > 0, relu
            left = a_start + row * a_row + k * a_step, a_row, a_step, last
            right = b_start + k * b_step, b_step, b_first, b_last
            direct_kernel(registers, depth, a, left, b, right, stages, work, bias, c, to)


@jit
def _fill_narrow(a, b, bias, transpose_a, transpose_b, relu, first, last, work, out_y):
    """Rows [first, last) of a result that is narrower than a register."""
    columns = out_y.shape[1]
    register = tile_lanes(out_y)
    panel = WORK_SUMS * register
    depth_total = b.shape[1] if transpose_b else b.shape[0]
    a_row, a_step = (1, a.shape[1]) if transpose_a else (a.shape[1], 1)
    flat, stride = b.reshape(-1), b.shape[1]
    pack_panel(flat, 0, stride, transpose_b, depth_total, columns, work, panel, register)
    clear_columns(depth_total, columns, register, work, panel, register)
    for row in range(first, last, ROWS[1]):
        high = min(ROWS[1], last - row)
        for k in range(0, depth_total, KC):
            depth = min(KC, depth_total - k)
            left = row * a_row + k * a_step, a_row, a_step, high - 1
            right = panel + k * register, register, 0, 0
            stages = k > 0, False, False, False
            direct_kernel(1, depth, a, left, work, right, stages, work, bias, work, right)
        for i in range(high):
            for j in range(columns):
                value = work[i * register + j]
                if bias.size:
                    value += bias[j]
                out_y[row + i, j] = 0.0 if relu and value < 0.0 else value
