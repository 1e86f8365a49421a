"""Losses of numbers against targets, the mean over all elements."""

import numpy as np

from bench.case import Contender
from kernels import pointwise_loss


def with_numpy(x: np.ndarray, target: np.ndarray, kind: str) -> Contender:
    scale = np.float32(1 / x.size)

    def squared():
        d = x - target
        return np.square(d).mean(), d

    def squared_backward(d):
        return d * (2 * scale)

    def absolute():
        d = x - target
        return np.abs(d).mean(), d

    def absolute_backward(d):
        return np.copysign(scale, d)

    def logistic():
        e = np.abs(x)
        np.negative(e, out=e)
        np.exp(e, out=e)
        losses = np.log1p(e)
        losses += np.maximum(x, np.float32(0))
        losses -= x * target
        return losses.mean(), e

    def logistic_backward(e):
        dx = np.where(x < 0, e, np.float32(1))
        dx /= 1 + e
        dx -= target
        dx *= scale
        return dx

    return {
        "squared": Contender(squared, squared_backward),
        "absolute": Contender(absolute, absolute_backward),
        "logistic": Contender(logistic, logistic_backward),
    }[kind]


def with_nnet(x: np.ndarray, target: np.ndarray, kind: str) -> Contender:
    dloss = np.ones((), x.dtype)
    return Contender(
        lambda: pointwise_loss.forward(kind, x, target, divisor=x.size),
        lambda saved: pointwise_loss.backward(dloss, saved),
    )


def with_torch(x: np.ndarray, target: np.ndarray, kind: str) -> Contender:
    import torch

    leaf, targets = torch.tensor(x, requires_grad=True), torch.tensor(target)
    functional = torch.nn.functional
    function = {
        "squared": functional.mse_loss,
        "absolute": functional.l1_loss,
        "logistic": functional.binary_cross_entropy_with_logits,
    }[kind]

    def forward():
        loss = function(leaf, targets)
        return loss, loss

    return Contender(forward, lambda loss: torch.autograd.grad(loss, leaf))
