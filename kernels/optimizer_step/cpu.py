"""Optimizer steps in SIMD values, one pass over memory.

grad, inout_*  (size,) float32 | float64, C-contiguous, not overlapping

Parallel over runs of elements; each is independent of the others and of the number of threads.
"""

import math

from kernels._jit import jit, parallel
from kernels._simd import fma, lanes, load_some, sqrt, store_some

# Elements a task; less is done before another thread has woken.
_TASK = 1 << 14


def sgd(grad, lr, weight_decay, maximize, inout_param):
    """4 flops and 12 bytes of float32 an element: bound by memory."""
    _sgd_run(-(-grad.size // _TASK), grad, lr, weight_decay, maximize, inout_param)


def sgd_momentum(
    grad, lr, momentum, dampening, weight_decay, nesterov, first_step, maximize, inout_param,
    inout_momentum_buffer,
):  # fmt: skip
    """8 flops and 20 bytes of float32 an element: bound by memory."""
    _momentum_run(
        -(-grad.size // _TASK), grad, lr, momentum, dampening, weight_decay, nesterov, first_step,
        maximize, inout_param, inout_momentum_buffer,
    )  # fmt: skip


def adam(
    grad, lr, beta1, beta2, eps, weight_decay, step, decoupled, maximize, inout_param,
    inout_exp_avg, inout_exp_avg_sq,
):  # fmt: skip
    """14 flops, a root, a quotient and 28 bytes of float32 an element: bound by memory."""
    _adam_run(
        -(-grad.size // _TASK), grad, lr, beta1, beta2, eps, weight_decay, step, decoupled,
        maximize, inout_param, inout_exp_avg, inout_exp_avg_sq,
    )  # fmt: skip


@parallel
def _sgd_run(task, grad, lr, weight_decay, maximize, inout_param):
    stop = min((task + 1) * _TASK, grad.size)
    for i in range(task * _TASK, stop, lanes(grad)):
        count = stop - i
        param = load_some(inout_param, i, count, 0.0)
        g = _with_decay(load_some(grad, i, count, 0.0), param, weight_decay, maximize)
        store_some(inout_param, i, count, fma(g, -lr, param))


@parallel
def _momentum_run(
    task, grad, lr, momentum, dampening, weight_decay, nesterov, first_step, maximize, inout_param,
    inout_momentum_buffer,
):  # fmt: skip
    stop = min((task + 1) * _TASK, grad.size)
    rule = momentum, 1 - dampening, nesterov, first_step
    for i in range(task * _TASK, stop, lanes(grad)):
        count = stop - i
        param = load_some(inout_param, i, count, 0.0)
        g = _with_decay(load_some(grad, i, count, 0.0), param, weight_decay, maximize)
        update, buffer = _momentum(g, load_some(inout_momentum_buffer, i, count, 0.0), rule)
        store_some(inout_momentum_buffer, i, count, buffer)
        store_some(inout_param, i, count, fma(update, -lr, param))


@parallel
def _adam_run(
    task, grad, lr, beta1, beta2, eps, weight_decay, step, decoupled, maximize, inout_param,
    inout_exp_avg, inout_exp_avg_sq,
):  # fmt: skip
    stop = min((task + 1) * _TASK, grad.size)
    rate = lr / (1 - beta1 ** float(step))
    unbias_root = 1 / math.sqrt(1 - beta2 ** float(step))
    shrink = 1 - lr * weight_decay if decoupled else 1.0
    coupled = 0.0 if decoupled else weight_decay
    rule = rate, beta1, beta2, eps, unbias_root, shrink
    for i in range(task * _TASK, stop, lanes(grad)):
        count = stop - i
        param, mean, square = _adam(
            load_some(grad, i, count, 0.0), coupled, maximize, rule,
            load_some(inout_param, i, count, 0.0), load_some(inout_exp_avg, i, count, 0.0),
            load_some(inout_exp_avg_sq, i, count, 0.0),
        )  # fmt: skip
        store_some(inout_exp_avg, i, count, mean)
        store_some(inout_exp_avg_sq, i, count, square)
        store_some(inout_param, i, count, param)


@jit
def _with_decay(grad, param, weight_decay, maximize):
    if maximize:
        grad = -grad
    return fma(param, weight_decay, grad)


@jit
def _momentum(g, buffer, rule):
    """The direction to go against and the new buffer, whose old values the first step ignores."""
    momentum, fresh, nesterov, first_step = rule
    buffer = g if first_step else fma(buffer, momentum, g * fresh)
    return (fma(buffer, momentum, g) if nesterov else buffer), buffer


@jit
def _adam(grad, weight_decay, maximize, rule, param, mean, square):
    rate, beta1, beta2, eps, unbias_root, shrink = rule
    param = param * shrink
    g = _with_decay(grad, param, weight_decay, maximize)
    mean = fma(g - mean, 1 - beta1, mean)
    square = fma(g * (1 - beta2), g, square * beta2)
    return param - mean * rate / fma(sqrt(square), unbias_root, eps), mean, square
