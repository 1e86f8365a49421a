"""ReLU, sigmoid and tanh, forward and backward, on flat arrays.

x, y, dy, out_y, out_dx  (size,) float32 | float64, C-contiguous

Bound: forward moves 2 values an element and backward 3. ReLU and all backward passes do 1 to 3
operations on them, so memory speed; sigmoid and tanh do about 25, still below it from DRAM.
Parallel over chunks of a fixed size; each element stands alone, so any partition gives the same
bits.
"""

from .._jit import jit, parallel, prange
from .._math import sigmoid, tanh
from .._simd import fma, lanes, load, load_first, select, store, store_first

_RELU, _SIGMOID, _TANH = 0, 1, 2

_CHUNK = 1 << 14

# Where a second thread starts to pay for waking it (5 us and more).
_SERIAL_BELOW_CHEAP = 1 << 16
_SERIAL_BELOW_COSTLY = 1 << 14


def relu_forward(x, out_y):
    _forward(_RELU, _SERIAL_BELOW_CHEAP, x, out_y)


def relu_backward(dy, y, out_dx):
    _backward(_RELU, _SERIAL_BELOW_CHEAP, dy, y, out_dx)


def sigmoid_forward(x, out_y):
    _forward(_SIGMOID, _SERIAL_BELOW_COSTLY, x, out_y)


def sigmoid_backward(dy, y, out_dx):
    _backward(_SIGMOID, _SERIAL_BELOW_CHEAP, dy, y, out_dx)


def tanh_forward(x, out_y):
    _forward(_TANH, _SERIAL_BELOW_COSTLY, x, out_y)


def tanh_backward(dy, y, out_dx):
    _backward(_TANH, _SERIAL_BELOW_CHEAP, dy, y, out_dx)


@jit
def _activate(kind, x):
    if kind == _RELU:
        return select(x < 0.0, 0.0, x)  # this way round NaN stays
    if kind == _SIGMOID:
        return sigmoid(x)
    return tanh(x)


@jit
def _gradient(kind, dy, y):
    if kind == _RELU:
        return select(y <= 0.0, 0.0, dy)
    if kind == _SIGMOID:
        return dy * (y * (1.0 - y))
    return dy * fma(-y, y, 1.0)


@jit
def _forward_range(kind, x, out_y, start, stop):
    step = lanes(x)
    rest = (stop - start) % step
    for i in range(start, stop - rest, step):
        store(out_y, i, _activate(kind, load(x, i)))
    if rest:
        i = stop - rest
        store_first(out_y, i, rest, _activate(kind, load_first(x, i, rest, 0.0)))


@jit
def _backward_range(kind, dy, y, out_dx, start, stop):
    step = lanes(y)
    rest = (stop - start) % step
    for i in range(start, stop - rest, step):
        store(out_dx, i, _gradient(kind, load(dy, i), load(y, i)))
    if rest:
        i = stop - rest
        last = _gradient(kind, load_first(dy, i, rest, 0.0), load_first(y, i, rest, 0.0))
        store_first(out_dx, i, rest, last)


@parallel
def _forward(kind, serial_below, x, out_y):
    if x.size < serial_below:
        _forward_range(kind, x, out_y, 0, x.size)
    else:
        for chunk in prange((x.size + _CHUNK - 1) // _CHUNK):
            start = chunk * _CHUNK
            _forward_range(kind, x, out_y, start, min(start + _CHUNK, x.size))


@parallel
def _backward(kind, serial_below, dy, y, out_dx):
    if y.size < serial_below:
        _backward_range(kind, dy, y, out_dx, 0, y.size)
    else:
        for chunk in prange((y.size + _CHUNK - 1) // _CHUNK):
            start = chunk * _CHUNK
            _backward_range(kind, dy, y, out_dx, start, min(start + _CHUNK, y.size))
