"""Batch normalization in training."""

import numpy as np

from bench.case import Contender
from kernels import batch_norm

EPS = 1e-5


def with_numpy(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray) -> Contender:
    """Every pass over the data that algebra can save is saved; einsum sums faster than sum."""
    n, channels = x.shape[:2]
    planes, gradient = x.reshape(n, channels, -1), dy.reshape(n, channels, -1)
    count = planes.size // channels

    def forward():
        mean = _channel_sums(planes) / np.float32(count)
        centred = planes - mean[:, None]
        var = _channel_dots(centred, centred) / np.float32(count)
        rstd = 1 / np.sqrt(var + np.float32(EPS))
        y = centred * (gamma * rstd)[:, None]
        y += beta[:, None]
        return y.reshape(x.shape), (centred, rstd)

    def backward(saved):
        centred, rstd = saved
        dbeta = _channel_sums(gradient)
        dgamma = _channel_dots(gradient, centred) * rstd
        scale = gamma * rstd
        dx = centred * (rstd * dgamma / np.float32(-count))[:, None]
        dx += gradient
        dx -= (dbeta / np.float32(count))[:, None]
        dx *= scale[:, None]
        return dx.reshape(x.shape), dgamma, dbeta

    return Contender(forward, backward)


def _channel_sums(values: np.ndarray) -> np.ndarray:
    return np.einsum("ncp->c", values)


def _channel_dots(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return np.einsum("ncp,ncp->c", one, two)


def with_nnet(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray) -> Contender:
    return Contender(
        lambda: batch_norm.forward(x, gamma, beta, eps=EPS),
        lambda saved: batch_norm.backward(dy, saved)[:3],
    )


def with_torch(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    gradient = torch.tensor(dy)

    def forward():
        values, weight, bias = leaves
        y = torch.nn.functional.batch_norm(values, None, None, weight, bias, training=True, eps=EPS)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
