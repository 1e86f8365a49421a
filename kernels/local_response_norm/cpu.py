"""Local response normalization on the CPU.

x, dy, out_y, out_dx   (N, C, S) float32 | float64, C-contiguous
work                   (threads, 2, C, STRIP) of x's dtype

Bound: forward x in and y out, backward x and dy in and dx out: memory speed. A task takes a strip
of the positions of one sample through all channels, so that the windows come from the cache; what
a window sums is added anew for each channel, for a running sum would lose digits. The scale is
not kept for backward: a root is cheaper than memory. Parallel over strips.
"""

from .._jit import jit, parallel, thread_id
from .._math import exp, log
from .._simd import fma, full, lanes, load, load_first, sqrt, store, store_first

# Positions of a task: in memory a run of a kilobyte in each channel.
STRIP = 256

# Fewer elements are one task, which wakes no threads.
_ONE_TASK = 1 << 13


def forward(x, size, alpha, beta, k, out_y):
    tasks, strips = _cut(x)
    _forward(tasks, x, strips, size, alpha, beta, k, out_y)


def backward(dy, x, size, alpha, beta, k, work, out_dx):
    tasks, strips = _cut(x)
    _backward(tasks, dy, x, strips, size, alpha, beta, k, work, out_dx)


def _cut(x):
    """The number of tasks, and of strips in each."""
    strips = x.shape[0] * -(-x.shape[2] // STRIP)
    return (1, strips) if x.size < _ONE_TASK else (strips, 1)


@jit
def _place(strip, x):
    """Where a strip starts in channel 0, and its positions."""
    _, channels, positions = x.shape
    strips = -(-positions // STRIP)
    begin = strip % strips * STRIP
    start = strip // strips * channels * positions + begin
    return start, min(STRIP, positions - begin)


@parallel
def _forward(task, x, strips, size, alpha, beta, k, out_y):
    _, channels, pitch = x.shape
    step = lanes(x)
    for strip in range(task * strips, (task + 1) * strips):
        start, width = _place(strip, x)
        for c in range(channels):
            for i in range(0, width, step):
                at, count = start + c * pitch + i, min(step, width - i)
                scale = _scale(x, start + i, count, c, size, alpha, k)
                _store_some(out_y, at, count, _load_some(x, at, count) * _power(scale, beta))


@parallel
def _backward(task, dy, x, strips, size, alpha, beta, k, work, out_dx):
    own = work[thread_id()]
    for strip in range(task * strips, (task + 1) * strips):
        _backward_strip(strip, dy, x, size, alpha, beta, k, own, out_dx)


@jit
def _backward_strip(strip, dy, x, size, alpha, beta, k, work, out_dx):
    _, channels, pitch = x.shape
    start, width = _place(strip, x)
    step = lanes(x)
    powers, slopes = work[0], work[1]
    for c in range(channels):
        for i in range(0, width, step):
            at, count = start + c * pitch + i, min(step, width - i)
            scale = _scale(x, start + i, count, c, size, alpha, k)
            power = _power(scale, beta)
            slope = _load_some(dy, at, count) * _load_some(x, at, count) * power / scale
            store(powers, c * STRIP + i, power)
            store(slopes, c * STRIP + i, slope)
    factor = -2.0 * alpha * beta
    for c in range(channels):
        first, last = max(0, c - (size - 1) // 2), min(channels, c + size // 2 + 1)
        for i in range(0, width, step):
            at, count = start + c * pitch + i, min(step, width - i)
            total = full(x, 0.0)
            for j in range(first, last):
                total += load(slopes, j * STRIP + i)
            dx = _load_some(x, at, count) * (total * factor)
            dx = fma(_load_some(dy, at, count), load(powers, c * STRIP + i), dx)
            _store_some(out_dx, at, count, dx)


@jit
def _scale(x, start, count, c, size, alpha, k):
    """k + alpha * sum of squares over the channels around c."""
    _, channels, pitch = x.shape
    total = full(x, 0.0)
    for j in range(max(0, c - size // 2), min(channels, c + (size - 1) // 2 + 1)):
        value = _load_some(x, start + j * pitch, count)
        total = fma(value, value, total)
    return fma(total, alpha, full(x, k))


@jit
def _power(scale, beta):
    """scale^-beta."""
    if beta == 0.75:
        root = sqrt(scale)
        return 1.0 / (root * sqrt(root))
    return exp(log(scale) * -beta)


@jit
def _load_some(array, start, count):
    if count == lanes(array):
        return load(array, start)
    return load_first(array, start, count, 0.0)


@jit
def _store_some(array, start, count, value):
    if count == lanes(array):
        store(array, start, value)
    else:
        store_first(array, start, count, value)
