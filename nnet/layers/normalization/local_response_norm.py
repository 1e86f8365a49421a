"""Local response normalization."""

from __future__ import annotations

from ... import functional
from ...autograd.tensor import Tensor
from ...module.module import Module

__all__ = ["LocalResponseNorm"]


class LocalResponseNorm(Module):
    """A strong response damps its neighbours: b_i = a_i / (k + alpha/n sum a_j^2)^beta.

    The sum runs over the n = `size` channels around i, n // 2 below and (n - 1) // 2 above, as far
    as there are that many, at the same position. With u_i for the bracket,
    da_i = db_i u_i^-beta - 2 alpha/n beta a_i sum_j db_j b_j / u_j over the j whose window has i.
    Nothing is learned; training and use are the same.

    Krizhevsky, Sutskever & Hinton 2012 (AlexNet) multiply the sum by alpha itself, with k = 2,
    n = 5, alpha = 1e-4, beta = 0.75. PyTorch, and this layer, divide alpha by n: the paper's layer
    is `LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)`.

    Raises ValueError for inputs other than (N, C, ...) with positions, and unless size >= 1.

    >>> import nnet as nn
    >>> nn.LocalResponseNorm(5, alpha=5e-4, k=2.0)(nn.ones(1, 8, 4, 4)).shape
    (1, 8, 4, 4)
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        if size < 1:
            raise ValueError(f"LocalResponseNorm: expected size >= 1, got {size}")
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return functional.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
