"""Normalization within a sample: by layer, group, instance, and by root mean square."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kernels import group_norm as group_norm_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ...autograd.writes import wrote_average
from ..check import check_statistics, check_tensors, number, whole
from .batch_norm import batch_norm

__all__ = ["layer_norm", "rms_norm", "group_norm", "instance_norm"]


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
    _check_shapes(op, shape, x, weight=weight, bias=bias)
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

    needs = _needs(input, weight, bias)
    return record(y.reshape(x.shape), (input, weight, bias), backward)


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
    _check_shapes("group_norm", (channels,), x, weight=weight, bias=bias)
    return _grouped(input, num_groups, weight, bias, eps)[0]


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each channel of each sample. Ulyanov, Vedaldi & Lempitsky 2016.

    input                      (N, C, L), (N, C, H, W), (N, C, D, H, W)
    running_mean, running_var  (C,); moved towards the mean over the batch of the instances' means
                               and unbiased variances, or used instead of them
    use_input_stats            normalize by the instance's own statistics

    Raises TypeError for other or mixed dtypes; ValueError for shapes that do not fit, an eps that
    is not positive, and one value an instance; RuntimeError as `batch_norm`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.instance_norm(nn.tensor([[[1.0, 3.0], [5.0, 5.0]]]), eps=1e-12)
    tensor([[[-1.,  1.],
             [ 0.,  0.]]])
    """
    if not use_input_stats:
        check_eps("instance_norm", eps)
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    check_tensors("instance_norm", input=input, weight=weight, bias=bias)
    check_statistics("instance_norm", running_mean, running_var)
    check_eps("instance_norm", eps)
    x = input.data
    positions = math.prod(x.shape[2:])
    if x.ndim < 2 or positions == 1:
        raise ValueError(
            "instance_norm: expected input of shape (N, C, ...) with more than one value an "
            f"instance, got {x.shape}"
        )
    channels = x.shape[1]
    _check_shapes(
        "instance_norm",
        (channels,),
        x,
        weight=weight,
        bias=bias,
        running_mean=running_mean,
        running_var=running_var,
    )
    output, saved = _grouped(input, channels, weight, bias, eps)
    if x.size:
        var = (saved.rstd**-2 - eps).mean(0) * (positions / (positions - 1))
        for average, value in ((running_mean, saved.mean.mean(0)), (running_var, var)):
            if average is not None:
                average.data[...] = (1 - momentum) * average.data + momentum * value
                wrote_average(average)
    return output


def _grouped(
    input: Tensor, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, group_norm_op.Saved]:
    y, saved = group_norm_op.forward(
        input.data,
        None if weight is None else weight.data,
        None if bias is None else bias.data,
        groups=max(1, groups),
        eps=eps,
    )
    needs = _needs(input, weight, bias)
    inputs = input, weight, bias
    return record(y, inputs, lambda dy: group_norm_op.backward(dy, saved, needs)), saved


def shape_of(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """A shape from one integer or several."""
    if isinstance(normalized_shape, int | np.integer):
        return (int(normalized_shape),)
    return tuple(normalized_shape)


def check_eps(op: str, eps: float) -> None:
    if not number(op, "eps", eps) > 0:
        raise ValueError(f"{op}: expected eps > 0, got {eps}")


def _check_shapes(
    op: str, shape: tuple[int, ...], x: np.ndarray, **arguments: Tensor | None
) -> None:
    for name, values in arguments.items():
        if values is not None and values.data.shape != shape:
            raise ValueError(
                f"{op}: expected {name} of shape {shape} for input {x.shape}, "
                f"got {values.data.shape}"
            )


def _needs(input: Tensor, *parameters: Tensor | None) -> tuple[bool, bool, bool]:
    of_weight, of_bias = (each is not None and each.requires_grad for each in parameters)
    return input.requires_grad, of_weight, of_bias
