"""Normalization over the last dimensions: of layers, and by root mean square."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kernels import group_norm as group_norm_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors
from .checks import check_eps, check_shapes, needs_of

__all__ = ["layer_norm", "rms_norm"]


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize over the last dimensions, `normalized_shape`. Ba, Kiros & Hinton 2016.

    input         (..., *normalized_shape)
    weight, bias  normalized_shape

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit and for an
    eps that is not positive.

    >>> import nnet as nn, nnet.functional as F
    >>> F.layer_norm(nn.tensor([[1.0, 3.0]]), 2, eps=1e-12)
    tensor([[-1.,  1.]])
    """
    return _over_last("layer_norm", input, normalized_shape, weight, bias, eps, centred=True)


def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Divide by the root of the mean square over the last dimensions. Zhang & Sennrich 2019.

    eps  added to the mean square; the dtype's machine epsilon if None

    Raises as `layer_norm` does.

    >>> import nnet as nn, nnet.functional as F
    >>> F.rms_norm(nn.tensor([[2.0, -2.0]]), 2)
    tensor([[ 1., -1.]])
    """
    check_tensors("rms_norm", input=input)
    if eps is None:
        eps = float(np.finfo(input.data.dtype).eps)
    return _over_last("rms_norm", input, normalized_shape, weight, None, eps, centred=False)


def _over_last(
    op: str,
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    centred: bool,
) -> Tensor:
    check_tensors(op, input=input, weight=weight, bias=bias)
    check_eps(op, eps)
    shape = shape_of(normalized_shape)
    x = input.data
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(f"{op}: expected input whose last dimensions are {shape}, got {x.shape}")
    check_shapes(op, shape, x, weight=weight, bias=bias)
    size = math.prod(shape)
    rows = math.prod(x.shape[: -len(shape)])
    y, saved = group_norm_op.forward(
        x.reshape(rows, size),
        None if weight is None else weight.data.reshape(size),
        None if bias is None else bias.data.reshape(size),
        eps=eps,
        centred=centred,
    )

    def backward(dy: np.ndarray) -> list[np.ndarray | None]:
        gradients = group_norm_op.backward(dy.reshape(rows, size), saved, needs)
        shapes = x.shape, shape, shape
        return [
            None if each is None else each.reshape(its)
            for each, its in zip(gradients, shapes, strict=True)
        ]

    needs = needs_of(input, weight, bias)
    return record(y.reshape(x.shape), (input, weight, bias), backward)


def shape_of(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """A shape from one integer or several."""
    if isinstance(normalized_shape, int | np.integer):
        return (int(normalized_shape),)
    return tuple(normalized_shape)
