"""Optimizer steps in NumPy: the oracle."""

import numpy as np


def sgd(grad, lr, weight_decay, maximize, inout_param):
    """Robbins & Monro 1951, with weight decay as part of the gradient."""
    grad = _with_decay(grad, inout_param, weight_decay, maximize)
    inout_param -= lr * grad


def sgd_momentum(
    grad, lr, momentum, dampening, weight_decay, nesterov, first_step, maximize, inout_param,
    inout_momentum_buffer,
):  # fmt: skip
    """Sutskever et al. 2013 as PyTorch writes it: the rate multiplies the whole buffer."""
    grad = _with_decay(grad, inout_param, weight_decay, maximize)
    if first_step:
        inout_momentum_buffer[...] = grad
    else:
        inout_momentum_buffer *= momentum
        inout_momentum_buffer += (1 - dampening) * grad
    if nesterov:
        inout_param -= lr * (grad + momentum * inout_momentum_buffer)
    else:
        inout_param -= lr * inout_momentum_buffer


def adam(
    grad, lr, beta1, beta2, eps, weight_decay, step, decoupled, maximize, inout_param,
    inout_exp_avg, inout_exp_avg_sq,
):  # fmt: skip
    """Kingma & Ba 2015, algorithm 1; decoupled: Loshchilov & Hutter 2019, algorithm 2."""
    if decoupled:
        inout_param *= 1 - lr * weight_decay
        weight_decay = 0
    grad = _with_decay(grad, inout_param, weight_decay, maximize)
    inout_exp_avg *= beta1
    inout_exp_avg += (1 - beta1) * grad
    inout_exp_avg_sq *= beta2
    inout_exp_avg_sq += (1 - beta2) * grad * grad
    mean = inout_exp_avg / (1 - beta1**step)
    square = inout_exp_avg_sq / (1 - beta2**step)
    inout_param -= lr * mean / (np.sqrt(square) + eps)


def _with_decay(grad, param, weight_decay, maximize):
    return (-grad if maximize else grad) + weight_decay * param
