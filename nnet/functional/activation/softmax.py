"""Softmax and its relatives, along any axis."""

from __future__ import annotations

import numpy.typing as npt

from kernels import softmax as softmax_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors, whole

__all__ = ["softmax", "log_softmax", "softmin"]


def softmax(input: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """e^x over its sum along `dim`; in `dtype`, if given.

    Raises TypeError for another dtype than float32 and float64, IndexError for a dim that is not
    there.

    >>> import nnet as nn, nnet.functional as F
    >>> F.softmax(nn.zeros(4), dim=0)
    tensor([0.25, 0.25, 0.25, 0.25])
    """
    return _along("softmax", input, dim, dtype, log=False)


def log_softmax(input: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """x - log(sum of e^x along `dim`); in `dtype`, if given.

    >>> import nnet as nn, nnet.functional as F
    >>> F.log_softmax(nn.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931472, -0.6931472])
    """
    return _along("log_softmax", input, dim, dtype, log=True)


def softmin(input: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """softmax of -x.

    >>> import nnet as nn, nnet.functional as F
    >>> F.softmin(nn.tensor([0.0, 1000.0]), dim=0)
    tensor([1., 0.])
    """
    return _along("softmin", -input, dim, dtype, log=False)


def _along(op: str, input: Tensor, dim: int, dtype: npt.DTypeLike | None, log: bool) -> Tensor:
    if dtype is not None and isinstance(input, Tensor):
        input = input.to(dtype)
    check_tensors(op, input=input)
    axes = max(input.ndim, 1)
    dim = whole(op, "dim", dim)
    if not -axes <= dim < axes:
        raise IndexError(f"{op}: expected dim from {-axes} to {axes - 1}, got {dim}")
    if not input.ndim:
        return _along(op, input.reshape(1), 0, None, log).reshape(())
    y, saved = softmax_op.forward(input.data, dim, log=log)
    return record(y, (input,), lambda dy: softmax_op.backward(dy, saved))
