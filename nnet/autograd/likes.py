"""New tensors of the shape and dtype of another one."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from . import draws
from .casting import check_device
from .creation import empty, full, ones, zeros
from .tensor import Tensor

__all__ = [
    "zeros_like",
    "ones_like",
    "full_like",
    "empty_like",
    "rand_like",
    "randn_like",
    "randint_like",
]


def zeros_like(
    input: Tensor,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of its shape and dtype.

    >>> import nnet as nn
    >>> nn.zeros_like(nn.tensor([[1.0, 2.0]]))
    tensor([[0., 0.]])
    """
    check_device("zeros_like", device)
    return zeros(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of its shape and dtype.

    >>> import nnet as nn
    >>> nn.ones_like(nn.tensor([[1, 2]]))
    tensor([[1, 1]])
    """
    check_device("ones_like", device)
    return ones(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere, in its shape and dtype.

    >>> import nnet as nn
    >>> nn.full_like(nn.tensor([[1, 2]]), 7)
    tensor([[7, 7]])
    """
    check_device("full_like", device)
    return full(input.shape, fill_value, dtype or input.dtype, requires_grad=requires_grad)


def empty_like(
    input: Tensor,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Values undefined, of its shape and dtype.

    >>> import nnet as nn
    >>> nn.empty_like(nn.zeros(2, 3)).shape
    (2, 3)
    """
    check_device("empty_like", device)
    return empty(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def rand_like(
    input: Tensor,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1), of its shape and dtype, which is one of floats.

    >>> import nnet as nn
    >>> nn.rand_like(nn.zeros(2, 3)).shape
    (2, 3)
    """
    check_device("rand_like", device)
    return draws.rand(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randn_like(
    input: Tensor,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with mean 0 and variance 1, of its shape and dtype, which is one of floats.

    >>> import nnet as nn
    >>> nn.randn_like(nn.zeros(2, 3)).shape
    (2, 3)
    """
    check_device("randn_like", device)
    return draws.randn(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def randint_like(
    input: Tensor,
    low: int = 0,
    high: int | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from low to below high, or from 0 to below low, in its shape and dtype.

    >>> import nnet as nn
    >>> nn.randint_like(nn.zeros(2), 1, 2)
    tensor([1., 1.])
    """
    check_device("randint_like", device)
    return draws.randint(
        low, high, input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad
    )
