"""Softmax and its logarithm along the last axis."""

import numpy as np

from bench.case import Contender
from kernels import softmax


def with_numpy(x: np.ndarray, dy: np.ndarray, log: bool) -> Contender:
    def shifted_and_total():
        shifted = x - x.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        return shifted, e, e.sum(axis=1, keepdims=True)

    def softmax_forward():
        _, e, total = shifted_and_total()
        e /= total
        return e, e

    def softmax_backward(y):
        dx = dy - np.einsum("ij,ij->i", dy, y)[:, None]
        dx *= y
        return dx

    def log_softmax_forward():
        shifted, _, total = shifted_and_total()
        shifted -= np.log(total)
        return shifted, shifted

    def log_softmax_backward(y):
        dx = np.exp(y)
        dx *= -dy.sum(axis=1, keepdims=True)
        dx += dy
        return dx

    if log:
        return Contender(log_softmax_forward, log_softmax_backward)
    return Contender(softmax_forward, softmax_backward)


def with_nnet(x: np.ndarray, dy: np.ndarray, log: bool) -> Contender:
    return Contender(
        lambda: softmax.forward(x, 1, log=log), lambda saved: softmax.backward(dy, saved)
    )


def with_torch(x: np.ndarray, dy: np.ndarray, log: bool) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    function = torch.log_softmax if log else torch.softmax

    def forward():
        y = function(leaf, 1)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
