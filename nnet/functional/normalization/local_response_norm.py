"""Local response normalization."""

from __future__ import annotations

from kernels import local_response_norm as local_response_norm_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors, number, whole

__all__ = ["local_response_norm"]


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x_i / (k + alpha / size * sum of x_j^2)^beta, j over `size` channels around i.

    input  (N, C, L), (N, C, H, W), ...

    As in PyTorch alpha is divided by size; Krizhevsky, Sutskever & Hinton 2012 do not, see
    `nnet.LocalResponseNorm`.

    Raises TypeError for other dtypes, ValueError for other shapes and unless size >= 1.

    >>> import nnet as nn, nnet.functional as F
    >>> F.local_response_norm(nn.ones(1, 2, 1), 1, alpha=15.0).tolist()
    [[[0.125], [0.125]]]
    """
    check_tensors("local_response_norm", input=input)
    if input.ndim < 3:
        raise ValueError(
            f"local_response_norm: expected input of shape (N, C, ...) with positions, "
            f"got {input.shape}"
        )
    op = "local_response_norm"
    size = whole(op, "size", size)
    alpha, beta, k = number(op, "alpha", alpha), number(op, "beta", beta), number(op, "k", k)
    if size < 1:
        raise ValueError(f"local_response_norm: expected size >= 1, got {size}")
    y, saved = local_response_norm_op.forward(input.data, size, alpha=alpha / size, beta=beta, k=k)
    return record(y, (input,), lambda dy: local_response_norm_op.backward(dy, saved))
