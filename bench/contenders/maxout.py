"""The greatest of k pieces."""

import numpy as np

from bench.case import Contender
from kernels import maxout


def with_numpy(x: np.ndarray, dy: np.ndarray) -> Contender:
    def forward():
        piece = x.argmax(axis=1)[:, None]
        return np.take_along_axis(x, piece, 1)[:, 0], piece

    def backward(piece):
        dx = np.zeros_like(x)
        np.put_along_axis(dx, piece, dy[:, None], 1)
        return dx

    return Contender(forward, backward)


def with_nnet(x: np.ndarray, dy: np.ndarray) -> Contender:
    return Contender(lambda: maxout.forward(x), lambda saved: maxout.backward(dy, saved))


def with_torch(x: np.ndarray, dy: np.ndarray) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)

    def forward():
        y = leaf.max(dim=1).values
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
