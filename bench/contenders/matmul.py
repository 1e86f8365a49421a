"""Matrix products with either operand transposed, of matrices and of stacks of them."""

import numpy as np

from bench.case import Contender
from kernels import matmul


def with_numpy(
    a: np.ndarray, b: np.ndarray, dy: np.ndarray, transpose_a: bool, transpose_b: bool
) -> Contender:
    left, right = a.mT if transpose_a else a, b.mT if transpose_b else b

    def forward():
        return left @ right, None

    def backward(saved):
        dleft, dright = dy @ right.mT, left.mT @ dy
        return dleft.mT if transpose_a else dleft, dright.mT if transpose_b else dright

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
        y = (left.mT if transpose_a else left) @ (right.mT if transpose_b else right)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
