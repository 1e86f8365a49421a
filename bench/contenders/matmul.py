"""Matrix products with either operand transposed."""

import numpy as np

from bench.case import Contender
from kernels import matmul


def with_numpy(
    a: np.ndarray, b: np.ndarray, dy: np.ndarray, transpose_a: bool, transpose_b: bool
) -> Contender:
    left, right = a.T if transpose_a else a, b.T if transpose_b else b

    def forward():
        return left @ right, None

    def backward(saved):
        dleft, dright = dy @ right.T, left.T @ dy
        return dleft.T if transpose_a else dleft, dright.T if transpose_b else dright

    return Contender(forward, backward)


def with_nnet(
    a: np.ndarray, b: np.ndarray, dy: np.ndarray, transpose_a: bool, transpose_b: bool
) -> Contender:
    return Contender(
        lambda: matmul.forward(a, b, transpose_a=transpose_a, transpose_b=transpose_b),
        lambda saved: matmul.backward(dy, saved)[:2],
    )


def with_torch(
    a: np.ndarray, b: np.ndarray, dy: np.ndarray, transpose_a: bool, transpose_b: bool
) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (a, b)]
    gradient = torch.tensor(dy)

    def forward():
        left, right = leaves
        y = (left.T if transpose_a else left) @ (right.T if transpose_b else right)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
