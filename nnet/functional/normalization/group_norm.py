"""Normalization of groups of channels."""

from __future__ import annotations

from kernels import group_norm as group_norm_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors, whole
from .checks import check_eps, check_shapes, needs_of

__all__ = ["group_norm"]


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each group of channels of each sample. Wu & He 2018.

    input         (N, C, ...), num_groups a divisor of C
    weight, bias  (C,)

    Raises TypeError for other or mixed dtypes; ValueError for shapes that do not fit, an eps that
    is not positive, and one value a group in a batch of one.

    >>> import nnet as nn, nnet.functional as F
    >>> F.group_norm(nn.tensor([[1.0, 3.0, 5.0, 5.0]]), 2, eps=1e-12)
    tensor([[-1.,  1.,  0.,  0.]])
    """
    check_tensors("group_norm", input=input, weight=weight, bias=bias)
    check_eps("group_norm", eps)
    x = input.data
    if x.ndim < 2:
        raise ValueError(f"group_norm: expected input of shape (N, C, ...), got {x.shape}")
    channels = x.shape[1]
    num_groups = whole("group_norm", "num_groups", num_groups)
    if num_groups < 1 or channels % num_groups:
        raise ValueError(
            f"group_norm: expected num_groups to divide {channels} channels, got {num_groups}"
        )
    if x.size == num_groups:
        raise ValueError(f"group_norm: expected more than one value per group, got {x.shape}")
    check_shapes("group_norm", (channels,), x, weight=weight, bias=bias)
    return grouped(input, num_groups, weight, bias, eps)[0]


def grouped(
    input: Tensor, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, group_norm_op.Saved]:
    """The groups normalized, and what the kernel saved: their statistics are in it."""
    y, saved = group_norm_op.forward(
        input.data,
        None if weight is None else weight.data,
        None if bias is None else bias.data,
        groups=max(1, groups),
        eps=eps,
    )
    needs = needs_of(input, weight, bias)
    inputs = input, weight, bias
    return record(y, inputs, lambda dy: group_norm_op.backward(dy, saved, needs)), saved
