"""Normalization of each channel of each sample."""

from __future__ import annotations

import math

from ...autograd.tensor import Tensor
from ..check import check_statistics, check_tensors
from .averages import move_average
from .batch_norm import batch_norm
from .checks import check_eps, check_shapes
from .group_norm import grouped

__all__ = ["instance_norm"]


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
    check_shapes(
        "instance_norm",
        (channels,),
        x,
        weight=weight,
        bias=bias,
        running_mean=running_mean,
        running_var=running_var,
    )
    output, saved = grouped(input, channels, weight, bias, eps)
    if x.size:
        var = (saved.rstd**-2 - eps).mean(0) * (positions / (positions - 1))
        move_average(running_mean, saved.mean.mean(0), momentum)
        move_average(running_var, var, momentum)
    return output
