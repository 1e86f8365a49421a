"""What this machine can do: multiply-adds from L1, and copies of a given size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache, partial
from time import perf_counter, sleep

import numpy as np

from bench.case import Work
from bench.machine import pinned
from bench.profile.recorder import Launches
from kernels import _jit, _memory
from kernels._simd import lanes, load, store, stream
from kernels._tile import MR, NR_REGISTERS, micro_kernel, panel_columns

DEPTH = 256
TILES = 4096  # a task's run: some milliseconds
RUN = 1 << 14  # elements of a copying task
ROUNDS = 9

# Of the arithmetic, with pauses between: on a virtual machine all threads may share one core of
# the host for a while, which halves the peak.
ROUNDS_APART, PAUSE = 30, 0.05

# Bandwidth is measured at powers of two; a smaller copy measures the launch of threads.
SMALLEST, LARGEST = 1 << 20, 1 << 28


@_jit.parallel
def _multiply(task, tiles, depth, width, a, b, out_c):
    """Every task multiplies the same tile, which stays in L1, again and again."""
    start = task * MR * width
    for i in range(tiles):
        micro_kernel(NR_REGISTERS, depth, a, 0, b, 0, width, out_c, start, width, i > 0)


@_jit.parallel
def _copy(run, x, past_cache, out_y):
    step, start, stop = lanes(x), run * RUN, run * RUN + RUN
    if past_cache:
        for i in range(start, stop, step):
            stream(out_y, i, load(x, i))
    else:
        for i in range(start, stop, step):
            store(out_y, i, load(x, i))


@cache
def flops_a_second() -> float:
    """float32 multiply-adds of all threads, in register tiles on operands from L1."""
    threads = _jit.get_num_threads()
    width = panel_columns(np.dtype(np.float32))
    a = np.ones((DEPTH, MR), np.float32)
    b = np.ones((DEPTH, width), np.float32)
    out_c = _memory.empty((threads, MR, width), np.float32)
    call = partial(_multiply, threads, tiles=TILES, depth=DEPTH, width=width, a=a, b=b, out_c=out_c)
    seconds = best(call, ROUNDS_APART, PAUSE)
    return 2 * out_c.size * DEPTH * TILES / seconds


def bytes_a_second(working_set: int) -> float:
    """Bytes read plus bytes written, by a copy that touches that many bytes in all."""
    exponent = round(math.log2(max(working_set, 1)))
    return _copy_speed(min(max(SMALLEST, 1 << exponent), LARGEST))


@cache
def _copy_speed(working_set: int) -> float:
    """The faster of stores through the cache and past it."""
    size = working_set // 8
    x, y = _memory.zeros(size, np.float32), _memory.zeros(size, np.float32)
    runs = size // RUN
    calls = [partial(_copy, runs, x=x, past_cache=past, out_y=y) for past in (False, True)]
    return working_set / min(map(best, calls))


def bound(work: Work) -> float:
    """The seconds that the work takes at least: for its arithmetic or for its memory."""
    return max(work.flops / flops_a_second(), work.bytes / bytes_a_second(work.bytes))


def bound_of_launches(launches: Iterable[Launches]) -> float:
    """The seconds that kernels take at least which run one after another."""
    return sum(each.calls * bound(each.work.per(each.calls)) for each in launches)


def best(call: Callable[[], object], rounds: int = ROUNDS, pause: float = 0.0) -> float:
    """The least seconds of some calls, after one that compiles."""
    call()
    times = []
    with pinned():
        for _ in range(rounds):
            sleep(pause)
            start = perf_counter()
            call()
            times.append(perf_counter() - start)
    return min(times)
