"""One loop forward and one backward for all formulas, compiled anew for each that is used.

x, dy, kept, out_y, out_dx  (size,) float32 | float64, C-contiguous; of backward, x may be empty

Bound: forward moves 2 values an element and backward 3. The piecewise linear formulas and the
gradients that follow from y do 1 to 4 operations on them, so memory speed; an exponential takes
about 20, the normal distribution 40, and sets the pace on one thread.
Parallel over chunks of a fixed size; each element stands alone, so any partition gives the same
bits.
"""

import numpy as np

from kernels._jit import jit, parallel_loops, prange
from kernels._simd import lanes, load, load_first, store, store_first

from .formulas import Hardtanh, LeakyReLU, ReLU, keeps_output
from .vectors import gradient, refined, value

_CHUNK = 1 << 14

# Where a second thread starts to pay for waking it (5 us and more).
_SERIAL_BELOW_CHEAP = 1 << 16
_SERIAL_BELOW_COSTLY = 1 << 14


def forward(formula, x, out_y):
    cheap = isinstance(formula, ReLU | LeakyReLU | Hardtanh)
    _forward(formula, _SERIAL_BELOW_CHEAP if cheap else _SERIAL_BELOW_COSTLY, x, out_y)


def backward(formula, dy, kept, x, out_dx):
    cheap = keeps_output(formula) or isinstance(formula, LeakyReLU)
    _backward(formula, _SERIAL_BELOW_CHEAP if cheap else _SERIAL_BELOW_COSTLY, dy, kept, x, out_dx)


@jit
def _forward_range(formula, x, out_y, start, stop):
    step = lanes(x)
    rest = (stop - start) % step
    for i in range(start, stop - rest, step):
        store(out_y, i, value(formula, load(x, i)))
    if rest:
        i = stop - rest
        store_first(out_y, i, rest, value(formula, load_first(x, i, rest, 0.0)))


@jit
def _backward_range(formula, dy, kept, x, out_dx, start, stop):
    step = lanes(dy)
    rest = (stop - start) % step
    for i in range(start, stop - rest, step):
        slope, known = load(dy, i), load(kept, i)
        dx = gradient(formula, slope, known)
        store(out_dx, i, refined(formula, dx, slope, known, x, i, step))
    if rest:
        i = stop - rest
        slope, known = load_first(dy, i, rest, 0.0), load_first(kept, i, rest, 0.0)
        dx = gradient(formula, slope, known)
        store_first(out_dx, i, rest, refined(formula, dx, slope, known, x, i, rest))


@parallel_loops
def _forward(formula, serial_below, x, out_y):
    if x.size < serial_below:
        _forward_range(formula, x, out_y, 0, x.size)
    else:
        for index in prange((x.size + _CHUNK - 1) // _CHUNK):
            chunk = np.int64(index)
            start = chunk * _CHUNK
            _forward_range(formula, x, out_y, start, min(start + _CHUNK, x.size))


@parallel_loops
def _backward(formula, serial_below, dy, kept, x, out_dx):
    if dy.size < serial_below:
        _backward_range(formula, dy, kept, x, out_dx, 0, dy.size)
    else:
        for index in prange((dy.size + _CHUNK - 1) // _CHUNK):
            chunk = np.int64(index)
            start = chunk * _CHUNK
            _backward_range(formula, dy, kept, x, out_dx, start, min(start + _CHUNK, dy.size))
