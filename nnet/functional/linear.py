"""The linear map."""

from __future__ import annotations

import math

import numpy as np

from kernels import matmul

from ..autograd.results import record
from ..autograd.tensor import Tensor
from .check import check_tensors

__all__ = ["linear"]


def linear(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, *, relu: bool = False
) -> Tensor:
    """input @ weight.T + bias, rectified if `relu`.

    input   (..., in)
    weight  (out, in)
    bias    (out,)

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.linear(nn.tensor([1.0, 2.0]), nn.tensor([[3.0, 4.0]]))
    tensor([11.])
    """
    check_tensors("linear", input=input, weight=weight, bias=bias)
    x, w = input.data, weight.data
    if w.ndim != 2:
        raise ValueError(f"linear: expected weight of shape (out, in), got {w.shape}")
    units, inputs = w.shape
    if not x.ndim or x.shape[-1] != inputs:
        raise ValueError(f"linear: expected input of shape (..., {inputs}), got {x.shape}")
    if bias is not None and bias.data.shape != (units,):
        raise ValueError(f"linear: expected bias of shape ({units},), got {bias.data.shape}")
    shape = x.shape
    if x.ndim != 2:
        x = x.reshape(math.prod(shape[:-1]), inputs)
    y, saved = matmul.forward(
        x, w, None if bias is None else bias.data, transpose_b=True, relu=relu
    )
    needs = (
        input.requires_grad,
        weight.requires_grad,
        bias is not None and bias.requires_grad,
    )

    place_of_gradient = weight.place_of_gradient

    def backward(dy: np.ndarray) -> tuple:
        place = place_of_gradient() if needs[1] else None
        if len(shape) == 2:
            return matmul.backward(dy, saved, needs, place)
        dx, *rest = matmul.backward(dy.reshape(-1, units), saved, needs, place)
        return None if dx is None else dx.reshape(shape), *rest

    if len(shape) == 2:
        return record(y, (input, weight, bias), backward)
    return record(y.reshape(shape[:-1] + (units,)), (input, weight, bias), backward)
