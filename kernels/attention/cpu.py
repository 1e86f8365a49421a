"""Attention; arguments are those of the reference, arrays of four axes whose last is contiguous.

Forward makes 2 L S (E + Ev) operations a head, backward 2 L S (3 E + 2 Ev), the scores' and their
gradients' product once more among them; each pass takes L S exponentials, some 1.5 cycles each
where a core makes 16 multiply-adds in one: at E = 32 about a fifth of the time. In memory move
only the inputs and outputs, so arithmetic is the bound.

Tasks are blocks of queries of one head, then backward heads, or where these are few blocks of
queries and blocks of keys; all of them are independent outputs, and the blocks depend on shapes
alone. Vaswani et al. 2017; Dao et al. 2022 for the blocks.
"""

import numpy as np

from kernels._jit import parallel, thread_id
from kernels._simd import VALUE_BYTES

from . import cpu_backward, cpu_forward
from .blocks import KEYS, ROWS
from .cpu_backward import backward_task
from .cpu_forward import forward_task

# With fewer heads than these, the backward pass divides heads into blocks of KEYS queries, which
# give dq, and blocks of KEYS keys, which give dk and dv: two of seven products are made twice.
HEADS = 8

# Most queries of a task of forward: its keys and values are packed for these.
MOST_ROWS = 256

# Few tasks of so few multiply-adds are one run on this thread: a launch costs more than it saves.
SERIAL_TASKS, SERIAL = 4, 1 << 18


def forward(query, key, value, mask, key_lengths, causal, scale, work, out_y, out_lse):
    """work  (threads, forward_scratch(...))"""
    arrays = query, key, value, mask, out_y
    steps = np.array([_steps(x) for x in arrays])
    sizes, block = _sizes(query, value), rows_of_task(query.shape)
    flat = [_flat(x) for x in arrays]
    tasks = sizes[0] * sizes[1] * -(-sizes[2] // block)
    runs = _runs(tasks, sizes)
    _forward(
        runs, runs, tasks, *flat[:4], steps, sizes, block, key_lengths, causal, scale, work,
        flat[4], out_lse.reshape(-1),
    )  # fmt: skip


def backward(
    dy, query, key, value, mask, key_lengths, causal, scale, y, lse, work, out_dq, out_dk, out_dv
):
    """work  (threads, backward_scratch(...))"""
    arrays = query, key, value, mask, y, dy, out_dq, out_dk, out_dv
    steps = np.array([_steps(x) for x in arrays])
    sizes = _sizes(query, value)
    flat = [_flat(x) for x in arrays]
    heads = sizes[0] * sizes[1]
    parts = 1 if heads >= HEADS else 2 * -(-max(sizes[2:4]) // KEYS)
    tasks = heads * parts
    runs = _runs(tasks, sizes)
    _backward(
        runs, runs, tasks, *flat[:6], lse.reshape(-1), steps, sizes, parts, key_lengths, causal,
        scale, work, *flat[6:],
    )  # fmt: skip


def forward_scratch(query_shape, value_shape, itemsize):
    """Numbers that each thread works with."""
    panel = VALUE_BYTES // itemsize
    rows = min(query_shape[2], rows_of_task(query_shape))
    size = cpu_forward.scratch_size(rows, *value_shape[2:], query_shape[3], panel)
    return size + -size % panel


def backward_scratch(query_shape, value_shape, itemsize):
    """Numbers that each thread works with."""
    panel = VALUE_BYTES // itemsize
    rows, depth = query_shape[2:]
    size = cpu_backward.scratch_size(rows, *value_shape[2:], depth, panel)
    return size + -size % panel


def rows_of_task(shape):
    """How many queries a task of forward has."""
    return MOST_ROWS if shape[0] * shape[1] >= HEADS else ROWS


def _steps(x):
    """Elements from item to item of the batch, from head to head, from row to row."""
    return [step // x.itemsize for step in x.strides[:3]]


def _flat(x):
    """The memory from the first element to the last."""
    if x.flags.c_contiguous:
        return x.reshape(-1)
    ends = [(n - 1) * step for n, step in zip(x.shape, x.strides, strict=True)]
    span = 1 + sum(ends) // x.itemsize
    return np.lib.stride_tricks.as_strided(x, (span,), (x.itemsize,))


def _sizes(query, value):
    batch, heads, rows, depth = query.shape
    return batch, heads, rows, *value.shape[2:], depth


def _runs(tasks, sizes):
    """Runs of tasks: one, or as many as there are tasks."""
    batch, heads, rows, keys, width, depth = sizes
    work = batch * heads * rows * keys * (width + depth)
    return 1 if tasks <= SERIAL_TASKS and work <= SERIAL else tasks


@parallel
def _forward(
    run, runs, total, query, key, value, mask, steps, sizes, block, key_lengths, causal, scale,
    work, out_y, out_lse,
):  # fmt: skip
    for task in range(total * run // runs, total * (run + 1) // runs):
        forward_task(
            task, query, key, value, mask, steps, sizes, block, key_lengths, causal, scale,
            work[thread_id()], out_y, out_lse,
        )  # fmt: skip


@parallel
def _backward(
    run, runs, total, query, key, value, mask, y, dy, lse, steps, sizes, parts, key_lengths,
    causal, scale, work, out_dq, out_dk, out_dv,
):  # fmt: skip
    for task in range(total * run // runs, total * (run + 1) // runs):
        backward_task(
            task, query, key, value, mask, y, dy, lse, steps, sizes, parts, key_lengths, causal,
            scale, work[thread_id()], out_dq, out_dk, out_dv,
        )  # fmt: skip
