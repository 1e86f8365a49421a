"""Rows of a table, looked up by id."""

from __future__ import annotations

from kernels import embedding as op

from ..autograd.results import record
from ..autograd.tensor import Tensor
from .check import check_is_tensor, check_tensors, number, whole

__all__ = ["embedding"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """weight[input]: the rows (..., D) of a table for ids of any shape.

    input               int64 or int32, each in [0, V)
    weight              (V, D)
    padding_idx         a row that gets no gradient; from -V on, which counts from the end
    max_norm            before the lookup, shrink those of the rows that are longer, in place
    norm_type           the norm's order, above 0; inf for the greatest element
    scale_grad_by_freq  divide the gradient of a row by how often its id is in input
    sparse              gradients are dense: True is refused

    The gradient of a row is the sum over its positions, in their order: the same bits on any
    number of threads. Raises TypeError for other dtypes, ValueError for an id outside the
    vocabulary, named with its position, and for a padding_idx that is no row.

    >>> import nnet as nn, nnet.functional as F
    >>> F.embedding(nn.tensor([[2, 0]]), nn.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    tensor([[[4., 5.],
             [0., 1.]]])
    """
    check_is_tensor("embedding", input)
    check_tensors("embedding", weight=weight)
    if sparse:
        raise ValueError("embedding: expected sparse=False, gradients here are dense")
    if weight.ndim == 2:
        padding_idx = checked_padding(padding_idx, weight.shape[0])
    if max_norm is not None:
        max_norm, norm_type = (
            number("embedding", "max_norm", max_norm),
            number("embedding", "norm_type", norm_type),
        )
        op.renormalize(input.data, weight.data, max_norm, norm_type)
    y, saved = op.forward(input.data, weight.data, padding_idx, scale_grad_by_freq)
    # A copy of the gradient, which is as large as the table, would take longer than the gradient.
    place = weight.place_of_gradient
    return record(y, (weight,), lambda dy: op.backward(dy, saved, place()))


def checked_padding(padding_idx: int | None, count: int) -> int | None:
    """padding_idx counted from the front; ValueError where there is no such row."""
    if padding_idx is None:
        return None
    padding_idx = whole("embedding", "padding_idx", padding_idx)
    if not -count <= padding_idx < count:
        raise ValueError(
            f"embedding: expected padding_idx from {-count} to {count - 1}, got {padding_idx}"
        )
    return padding_idx % count
