"""Nonlinearities."""

from __future__ import annotations

import numpy as np

from ..broadcasting import quiet
from ..tensor import Tensor, record
from .check import check_tensors


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), gradient 0 at 0; `inplace` changes nothing.

    >>> import nnet as nn, nnet.functional as F
    >>> F.relu(nn.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    check_tensors("relu", input=input)
    return input.relu()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + e^-x).

    >>> import nnet as nn, nnet.functional as F
    >>> F.sigmoid(nn.zeros(1))
    tensor([0.5])
    """
    check_tensors("sigmoid", input=input)
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent.

    >>> import nnet as nn, nnet.functional as F
    >>> F.tanh(nn.zeros(1))
    tensor([0.])
    """
    check_tensors("tanh", input=input)
    return input.tanh()


def softmax(input: Tensor, dim: int) -> Tensor:
    """e^x over its sum along `dim`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.softmax(nn.zeros(4), dim=0)
    tensor([0.25, 0.25, 0.25, 0.25])
    """
    y = np.exp(_log_softmax("softmax", input, dim))

    def backward(dy: np.ndarray) -> np.ndarray:
        return y * (dy - _sum(dy * y, dim))

    return record(y, (input,), backward)


def log_softmax(input: Tensor, dim: int) -> Tensor:
    """x - log(sum of e^x along `dim`).

    >>> import nnet as nn, nnet.functional as F
    >>> F.log_softmax(nn.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931472, -0.6931472])
    """
    y = _log_softmax("log_softmax", input, dim)

    def backward(dy: np.ndarray) -> np.ndarray:
        return dy - np.exp(y) * _sum(dy, dim)

    return record(y, (input,), backward)


def _log_softmax(op: str, input: Tensor, dim: int) -> np.ndarray:
    check_tensors(op, input=input)
    x = input.data
    if not -x.ndim <= dim < x.ndim:
        raise IndexError(f"{op}: expected dim from {-x.ndim} to {x.ndim - 1}, got {dim}")
    with quiet():
        shifted = x - x.max(dim, keepdims=True)
        return shifted - np.log(_sum(np.exp(shifted), dim))


def _sum(values: np.ndarray, dim: int) -> np.ndarray:
    return values.sum(dim, dtype=np.float64, keepdims=True).astype(values.dtype)
