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

from kernels._jit import parallel, thread_id, thread_rows
from kernels._memory import SMALLEST_POOLED
from kernels._simd import VALUE_BYTES
from kernels.attention import cpu_backward, cpu_forward
from kernels.attention.cpu_backward import backward_task
from kernels.attention.cpu_forward import forward_task
from kernels.attention.heads import KEYS, ROWS, Sizes

# With fewer heads than these, the backward pass divides heads into blocks of KEYS queries, which
# give dq, and blocks of KEYS keys, which give dk and dv: two of seven products are made twice.
HEADS = 8

# Most queries of a task of forward: its keys and values are packed for these.
MOST_ROWS = 256

# Few tasks of so few multiply-adds are one run on this thread: a launch costs more than it saves.
SERIAL_TASKS, SERIAL = 4, 1 << 18


@parallel
def _forward(
    run, runs, total, inputs, plan_strides, sizes, block, key_lengths, causal, scale, work, out_y,
    out_lse,
):  # fmt: skip
    for task in range(total * run // runs, total * (run + 1) // runs):
        forward_task(
            task, inputs, plan_strides, sizes, block, key_lengths, causal, scale,
            work[thread_id()], out_y, out_lse,
        )  # fmt: skip


@parallel
def _backward(
    run, runs, total, inputs, plan_strides, lse, sizes, parts, key_lengths, causal, scale, work,
    outs,
):  # fmt: skip
    for task in range(total * run // runs, total * (run + 1) // runs):
        backward_task(
            task, inputs, plan_strides, lse, sizes, parts, key_lengths, causal, scale,
            work[thread_id()], outs,
        )  # fmt: skip


def forward(query, key, value, mask, key_lengths, causal, scale, work, out_y, out_lse):
    """work  (threads, as many numbers as `forward_scratch` says)"""
    sizes, block = _sizes(query.shape, value.shape), _rows_of_task(query.shape)
    tasks = sizes.batch * sizes.heads * -(-sizes.rows // block)
    runs = _runs(tasks, sizes)
    (*inputs, y), plan_strides = _flat(query, key, value, mask, out_y)
    _forward(
        runs, runs, tasks, tuple(inputs), plan_strides, tuple(sizes), block, key_lengths, causal,
        scale, work, y, out_lse.reshape(-1),
    )  # fmt: skip


def backward(
    dy, query, key, value, mask, key_lengths, causal, scale, y, lse, work, out_dq, out_dk, out_dv
):
    """work  (threads, as many numbers as `backward_scratch` says)"""
    sizes = _sizes(query.shape, value.shape)
    heads = sizes.batch * sizes.heads
    parts = 1 if heads >= HEADS else 2 * -(-max(sizes.rows, sizes.keys) // KEYS)
    runs = _runs(heads * parts, sizes)
    flat, plan_strides = _flat(query, key, value, mask, y, dy, out_dq, out_dk, out_dv)
    _backward(
        runs, runs, heads * parts, flat[:6], plan_strides, lse.reshape(-1), tuple(sizes), parts,
        key_lengths, causal, scale, work, flat[6:],
    )  # fmt: skip


def forward_scratch(query, value):
    sizes, panel = _sizes(query.shape, value.shape), VALUE_BYTES // query.itemsize
    keys, width = (_whole(size, panel) for size in (sizes.keys, sizes.width))
    rows = min(sizes.rows, _rows_of_task(query.shape))
    places = cpu_forward.places_of.py_func(rows, min(KEYS, keys), width, sizes.depth, panel)
    return _of_threads(_whole(places.end, panel), query.dtype)


def backward_scratch(query, value):
    sizes, panel = _sizes(query.shape, value.shape), VALUE_BYTES // query.itemsize
    rows, keys = min(ROWS, sizes.rows), min(KEYS, _whole(sizes.keys, panel))
    places = cpu_backward.places_of.py_func(rows, keys, sizes.width, sizes.depth, panel)
    return _of_threads(_whole(places.end, panel), query.dtype)


def _of_threads(size, dtype):
    """So many numbers a thread, or more: enough for the pool, whose arrays are aligned."""
    threads = thread_rows()
    least = SMALLEST_POOLED // dtype.itemsize // threads + 1
    return {"work": ((threads, max(size, least + -least % 64)), dtype)}


def _whole(size, panel):
    """Rounded up to whole panels."""
    return -(-size // panel) * panel


def _sizes(query_shape, value_shape):
    batch, heads, rows, depth = query_shape
    return Sizes(batch, heads, rows, *value_shape[2:], depth)


def _rows_of_task(shape):
    """How many queries a task of forward has."""
    return MOST_ROWS if shape[0] * shape[1] >= HEADS else ROWS


def _runs(tasks, sizes):
    """Runs of tasks: one, or as many as there are tasks."""
    batch, heads, rows, keys, width, depth = sizes
    work = batch * heads * rows * keys * (width + depth)
    return 1 if tasks <= SERIAL_TASKS and work <= SERIAL else tasks


def _flat(*arrays):
    """Of each the memory from its first element to its last; and for each a row of strides.

    Strides count elements: from sample to sample, from head to head, from row to row.
    """
    strides = [[step // x.itemsize for step in x.strides[:3]] for x in arrays]
    return tuple(map(_memory_of, arrays)), np.array(strides)


def _memory_of(x):
    if x.flags.c_contiguous:
        return x.reshape(-1)
    ends = [(n - 1) * step for n, step in zip(x.shape, x.strides, strict=True)]
    span = 1 + sum(ends) // x.itemsize
    return np.lib.stride_tricks.as_strided(x, (span,), (x.itemsize,))
