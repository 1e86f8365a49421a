"""Optimizer steps in SIMD values, one pass over memory.

grad, inout_*  (size,) float32 | float64, C-contiguous, not overlapping

Parallel over runs of elements; each is independent of the others and of the number of threads.
"""

import math

import numpy as np

from .._jit import jit, parallel_loops, prange
from .._simd import fma, lanes, load, load_first, sqrt, store, store_first

# Elements a task; less is done before another thread has woken.
_TASK = 1 << 14


@parallel_loops
def sgd(grad, lr, weight_decay, maximize, inout_param):
    """4 flops and 12 bytes of float32 an element: bound by memory."""
    size = grad.size
    if size <= _TASK:
        _sgd_run(grad, lr, weight_decay, maximize, 0, size, inout_param)
    else:
        for index in prange((size + _TASK - 1) // _TASK):
            task = np.int64(index)
            first, stop = task * _TASK, min((task + 1) * _TASK, size)
            _sgd_run(grad, lr, weight_decay, maximize, first, stop, inout_param)


@parallel_loops
def sgd_momentum(
    grad,
    lr,
    momentum,
    dampening,
    weight_decay,
    nesterov,
    first_step,
    maximize,
    inout_param,
    inout_momentum_buffer,
):
    """8 flops and 20 bytes of float32 an element: bound by memory."""
    size = grad.size
    if size <= _TASK:
        rule = momentum, 1 - dampening, nesterov, first_step
        _momentum_run(
            grad, lr, weight_decay, maximize, rule, 0, size, inout_param, inout_momentum_buffer
        )
    else:
        for index in prange((size + _TASK - 1) // _TASK):
            task = np.int64(index)
            first, stop = task * _TASK, min((task + 1) * _TASK, size)
            rule = momentum, 1 - dampening, nesterov, first_step
            _momentum_run(
                grad,
                lr,
                weight_decay,
                maximize,
                rule,
                first,
                stop,
                inout_param,
                inout_momentum_buffer,
            )


@parallel_loops
def adam(
    grad,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    step,
    decoupled,
    maximize,
    inout_param,
    inout_exp_avg,
    inout_exp_avg_sq,
):
    """14 flops, a root, a quotient and 28 bytes of float32 an element: bound by memory."""
    size = grad.size
    rate = lr / (1 - beta1 ** float(step))
    unbias_root = 1 / math.sqrt(1 - beta2 ** float(step))
    shrink = 1 - lr * weight_decay if decoupled else 1.0
    coupled = 0.0 if decoupled else weight_decay
    if size <= _TASK:
        rule = rate, beta1, beta2, eps, unbias_root, shrink
        _adam_run(
            grad, coupled, maximize, rule, 0, size, inout_param, inout_exp_avg, inout_exp_avg_sq
        )
    else:
        for index in prange((size + _TASK - 1) // _TASK):
            task = np.int64(index)
            first, stop = task * _TASK, min((task + 1) * _TASK, size)
            rule = rate, beta1, beta2, eps, unbias_root, shrink
            _adam_run(
                grad,
                coupled,
                maximize,
                rule,
                first,
                stop,
                inout_param,
                inout_exp_avg,
                inout_exp_avg_sq,
            )


@jit
def _with_decay(grad, param, weight_decay, maximize):
    if maximize:
        grad = -grad
    return fma(param, weight_decay, grad)


@jit
def _sgd_run(grad, lr, weight_decay, maximize, first, stop, inout_param):
    step = lanes(grad)
    i = first
    while i + step <= stop:
        param = load(inout_param, i)
        g = _with_decay(load(grad, i), param, weight_decay, maximize)
        store(inout_param, i, fma(g, -lr, param))
        i += step
    rest = stop - i
    if rest > 0:
        param = load_first(inout_param, i, rest, 0.0)
        g = _with_decay(load_first(grad, i, rest, 0.0), param, weight_decay, maximize)
        store_first(inout_param, i, rest, fma(g, -lr, param))


@jit
def _momentum_run(
    grad, lr, weight_decay, maximize, rule, first, stop, inout_param, inout_momentum_buffer
):
    step = lanes(grad)
    i = first
    while i + step <= stop:
        param = load(inout_param, i)
        g = _with_decay(load(grad, i), param, weight_decay, maximize)
        update, buffer = _momentum(g, load(inout_momentum_buffer, i), rule)
        store(inout_momentum_buffer, i, buffer)
        store(inout_param, i, fma(update, -lr, param))
        i += step
    rest = stop - i
    if rest > 0:
        param = load_first(inout_param, i, rest, 0.0)
        g = _with_decay(load_first(grad, i, rest, 0.0), param, weight_decay, maximize)
        before = load_first(inout_momentum_buffer, i, rest, 0.0)
        update, buffer = _momentum(g, before, rule)
        store_first(inout_momentum_buffer, i, rest, buffer)
        store_first(inout_param, i, rest, fma(update, -lr, param))


@jit
def _momentum(g, buffer, rule):
    """The direction to go against and the new buffer, whose old values the first step ignores."""
    momentum, fresh, nesterov, first_step = rule
    buffer = g if first_step else fma(buffer, momentum, g * fresh)
    return (fma(buffer, momentum, g) if nesterov else buffer), buffer


@jit
def _adam_run(
    grad, weight_decay, maximize, rule, first, stop, inout_param, inout_exp_avg, inout_exp_avg_sq
):
    step = lanes(grad)
    i = first
    while i + step <= stop:
        param, mean, square = _adam(
            load(grad, i),
            weight_decay,
            maximize,
            rule,
            load(inout_param, i),
            load(inout_exp_avg, i),
            load(inout_exp_avg_sq, i),
        )
        store(inout_exp_avg, i, mean)
        store(inout_exp_avg_sq, i, square)
        store(inout_param, i, param)
        i += step
    rest = stop - i
    if rest > 0:
        param, mean, square = _adam(
            load_first(grad, i, rest, 0.0),
            weight_decay,
            maximize,
            rule,
            load_first(inout_param, i, rest, 0.0),
            load_first(inout_exp_avg, i, rest, 0.0),
            load_first(inout_exp_avg_sq, i, rest, 0.0),
        )
        store_first(inout_exp_avg, i, rest, mean)
        store_first(inout_exp_avg_sq, i, rest, square)
        store_first(inout_param, i, rest, param)


@jit
def _adam(grad, weight_decay, maximize, rule, param, mean, square):
    rate, beta1, beta2, eps, unbias_root, shrink = rule
    param = param * shrink
    g = _with_decay(grad, param, weight_decay, maximize)
    mean = fma(g - mean, 1 - beta1, mean)
    square = fma(g * (1 - beta2), g, square * beta2)
    return param - mean * rate / fma(sqrt(square), unbias_root, eps), mean, square
