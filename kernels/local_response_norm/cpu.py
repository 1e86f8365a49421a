"""Local response normalization on the CPU.

x, dy, out_y, out_dx      (N, C, S) float32 | float64, C-contiguous
work_powers, work_slopes  (threads, C, _STRIP) of x's dtype

Bound: forward x in and y out, backward x and dy in and dx out: memory speed. A task takes a strip
of the positions of one sample through all channels, so that the windows come from the cache; what
a window sums is added anew for each channel, for a running sum would lose digits. The scale is
not kept for backward: a root is cheaper than memory. Parallel over strips.
"""

from kernels._jit import jit, parallel, thread_id, thread_rows
from kernels._math import exp, log
from kernels._simd import fma, full, lanes, load, load_some, sqrt, store, store_some
from kernels._tasks import share_out

# Positions of a task: in memory a run of a kilobyte in each channel.
_STRIP = 256

# Fewer elements are one task, which wakes no threads.
_ONE_TASK = 1 << 13


def forward(x, size, alpha, beta, k, out_y):
    tasks, strips = _cut(x)
    _forward(tasks, x, strips, size, alpha, beta, k, out_y)


def backward_scratch(x):
    values = (thread_rows(), x.shape[1], _STRIP), x.dtype
    return {"work_powers": values, "work_slopes": values}


def backward(dy, x, size, alpha, beta, k, work_powers, work_slopes, out_dx):
    tasks, strips = _cut(x)
    _backward(tasks, dy, x, strips, size, alpha, beta, k, work_powers, work_slopes, out_dx)


def _cut(x):
    """The number of tasks, and of strips in each."""
    strips = x.shape[0] * -(-x.shape[2] // _STRIP)
    return share_out(strips, 1, strips if x.size < _ONE_TASK else 0)


@jit
def _place(strip, x):
    """Where a strip starts in channel 0, and its positions."""
    _, channels, positions = x.shape
    strips = -(-positions // _STRIP)
    begin = strip % strips * _STRIP
    start = strip // strips * channels * positions + begin
    return start, min(_STRIP, positions - begin)


@parallel
def _forward(task, x, strips, size, alpha, beta, k, out_y):
    _, channels, pitch = x.shape
    lane_count = lanes(x)
    for strip in range(task * strips, (task + 1) * strips):
        start, width = _place(strip, x)
        for c in range(channels):
            for i in range(0, width, lane_count):
                at, count = start + c * pitch + i, min(lane_count, width - i)
                scale = _scale(x, start + i, count, c, size, alpha, k)
                store_some(out_y, at, count, load_some(x, at, count, 0.0) * _power(scale, beta))


@parallel
def _backward(task, dy, x, strips, size, alpha, beta, k, work_powers, work_slopes, out_dx):
    powers, slopes = work_powers[thread_id()], work_slopes[thread_id()]
    for strip in range(task * strips, (task + 1) * strips):
        _backward_strip(strip, dy, x, size, alpha, beta, k, powers, slopes, out_dx)


@jit
def _backward_strip(strip, dy, x, size, alpha, beta, k, powers, slopes, out_dx):
    _, channels, pitch = x.shape
    start, width = _place(strip, x)
    lane_count = lanes(x)
    for c in range(channels):
        for i in range(0, width, lane_count):
            at, count = start + c * pitch + i, min(lane_count, width - i)
            scale = _scale(x, start + i, count, c, size, alpha, k)
            power = _power(scale, beta)
            slope = load_some(dy, at, count, 0.0) * load_some(x, at, count, 0.0) * power / scale
            store(powers, c * _STRIP + i, power)
            store(slopes, c * _STRIP + i, slope)
    factor = -2.0 * alpha * beta
    for c in range(channels):
        first, last = max(0, c - (size - 1) // 2), min(channels, c + size // 2 + 1)
        for i in range(0, width, lane_count):
            at, count = start + c * pitch + i, min(lane_count, width - i)
            total = full(x, 0.0)
            for j in range(first, last):
                total += load(slopes, j * _STRIP + i)
            dx = load_some(x, at, count, 0.0) * (total * factor)
            dx = fma(load_some(dy, at, count, 0.0), load(powers, c * _STRIP + i), dx)
            store_some(out_dx, at, count, dx)


@jit
def _scale(x, start, count, c, size, alpha, k):
    """k + alpha * sum of squares over the channels around c."""
    _, channels, pitch = x.shape
    total = full(x, 0.0)
    for j in range(max(0, c - size // 2), min(channels, c + (size - 1) // 2 + 1)):
        value = load_some(x, start + j * pitch, count, 0.0)
        total = fma(value, value, total)
    return fma(total, alpha, full(x, k))


@jit
def _power(scale, beta):
    """scale^-beta."""
    if beta == 0.75:
        root = sqrt(scale)
        return 1.0 / (root * sqrt(root))
    return exp(log(scale) * -beta)
