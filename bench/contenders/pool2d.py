"""Pooling by windows side by side: maximum, average, and the mean of whole planes."""

import numpy as np

from bench.case import Contender
from kernels import pool2d

SIZE = (2, 2)
PLANE = (1, 1)


def with_numpy(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    """On the four strided views of x, several times faster than a reduction over two axes."""
    cells = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]

    def max_forward():
        y = np.maximum(cells[0], cells[1])
        for cell in cells[2:]:
            np.maximum(y, cell, out=y)
        return y, y

    def max_backward(y):
        dx = np.empty_like(x)
        for index, cell in enumerate(cells):
            np.multiply(dy, cell == y, out=dx[:, :, index // 2 :: 2, index % 2 :: 2])
        return dx

    def average_forward():
        y = cells[0] + cells[1]
        for cell in cells[2:]:
            y += cell
        y *= np.float32(0.25)
        return y, None

    def average_backward(saved):
        quarter = dy * np.float32(0.25)
        dx = np.empty_like(x)
        n, channels, height, width = dy.shape
        dx.reshape(n, channels, height, 2, width, 2)[...] = quarter[:, :, :, None, :, None]
        return dx

    size = x.shape[2] * x.shape[3]
    planes, share = x.reshape(-1, size), np.full(size, 1 / size, np.float32)

    def global_forward():
        # A product with a vector of 1 / size, which BLAS does faster than NumPy a mean.
        return (planes @ share).reshape(dy.shape), None

    def global_backward(saved):
        dx = np.empty_like(x)
        dx[...] = dy * share[0]
        return dx

    return {
        "max": Contender(max_forward, max_backward),
        "average": Contender(average_forward, average_backward),
        "global": Contender(global_forward, global_backward),
    }[kind]


def with_nnet(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    return {
        "max": Contender(
            lambda: pool2d.max_forward(x, SIZE, SIZE),
            lambda saved: pool2d.max_backward(dy, saved),
        ),
        "average": Contender(
            lambda: pool2d.average_forward(x, SIZE, SIZE),
            lambda saved: pool2d.average_backward(dy, saved),
        ),
        "global": Contender(
            lambda: pool2d.adaptive_average_forward(x, PLANE),
            lambda saved: pool2d.adaptive_average_backward(dy, saved),
        ),
    }[kind]


def with_torch(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    pool, size = {
        "max": (torch.nn.functional.max_pool2d, SIZE),
        "average": (torch.nn.functional.avg_pool2d, SIZE),
        "global": (torch.nn.functional.adaptive_avg_pool2d, PLANE),
    }[kind]

    def forward():
        y = pool(leaf, size)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
