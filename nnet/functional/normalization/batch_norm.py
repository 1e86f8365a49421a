"""Batch normalization."""

from __future__ import annotations

from kernels import batch_norm as batch_norm_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ...autograd.writes import wrote_average
from ..check import check_channels, check_statistics, check_tensors, number

__all__ = ["batch_norm"]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    relu: bool = False,
    residual: Tensor | None = None,
) -> Tensor:
    """Normalize each channel, add `residual`, rectify if `relu`. Ioffe & Szegedy 2015.

    In training y = weight (x - mean) / sqrt(var + eps) + bias with the batch's own mean and biased
    variance, through which the gradient flows too; else with the running ones, each sample alone.

    input, residual            (N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W)
    running_mean, running_var  (C,); used for normalizing, or in training moved towards the
                               batch's mean and unbiased variance if given
    weight, bias               (C,)
    momentum                   weight of the batch in that average
    eps                        added to the variance, above 0

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit, for eps <= 0
    and for one value a channel in training, RuntimeError for running averages that need a gradient.

    >>> import nnet as nn, nnet.functional as F
    >>> F.batch_norm(nn.tensor([[1.0], [3.0]]), None, None, training=True, eps=1e-12)
    tensor([[-1.],
            [ 1.]])
    """
    check_tensors("batch_norm", input=input, weight=weight, bias=bias, residual=residual)
    check_statistics("batch_norm", running_mean, running_var)
    eps = number("batch_norm", "eps", eps)
    if not eps > 0:
        raise ValueError(f"batch_norm: expected eps > 0, got {eps}")
    check_channels(
        "batch_norm",
        input,
        weight=weight,
        bias=bias,
        running_mean=running_mean,
        running_var=running_var,
    )
    x = input.data
    gamma = None if weight is None else weight.data
    beta = None if bias is None else bias.data
    added = None if residual is None else residual.data
    if training:
        y, saved = batch_norm_op.forward(x, gamma, beta, eps=eps, relu=relu, residual=added)
        count = x.size // x.shape[1] if x.size else 0
        if running_mean is not None and count:
            batch_norm_op.move_average(running_mean.data, saved.mean, momentum)
            wrote_average(running_mean)
        if running_var is not None and count:
            unbiased = count / (count - 1)
            batch_norm_op.move_average(running_var.data, saved.var, momentum, unbiased)
            wrote_average(running_var)
    else:
        if running_mean is None or running_var is None:
            raise ValueError(
                "batch_norm: expected running_mean and running_var outside training, got None"
            )
        y, saved = batch_norm_op.inference_forward(
            x,
            running_mean.data,
            running_var.data,
            gamma,
            beta,
            eps=eps,
            relu=relu,
            residual=added,
        )
    needs = (
        input.requires_grad,
        weight is not None and weight.requires_grad,
        bias is not None and bias.requires_grad,
        residual is not None and residual.requires_grad,
    )
    inputs = input, weight, bias, residual
    return record(y, inputs, lambda dy: batch_norm_op.backward(dy, saved, needs))
