"""Pooling by 2x2 windows side by side."""

import numpy as np

from bench.case import Contender
from kernels import pool2d

SIZE = (2, 2)


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

    if kind == "max":
        return Contender(max_forward, max_backward)
    return Contender(average_forward, average_backward)


def with_nnet(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    if kind == "max":
        return Contender(
            lambda: pool2d.max_forward(x, SIZE, SIZE),
            lambda saved: pool2d.max_backward(dy, saved),
        )
    return Contender(
        lambda: pool2d.average_forward(x, SIZE, SIZE),
        lambda saved: pool2d.average_backward(dy, saved),
    )


def with_torch(x: np.ndarray, dy: np.ndarray, kind: str) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)
    pool = torch.nn.functional.max_pool2d if kind == "max" else torch.nn.functional.avg_pool2d

    def forward():
        y = pool(leaf, SIZE)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
