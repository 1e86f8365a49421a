"""Relatives of batch normalization that stand on its kernels."""

from __future__ import annotations

import numpy as np

from kernels import batch_norm as batch_norm_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ...autograd.writes import wrote_average
from ..check import check_channels, check_statistics, check_tensors
from .batch_norm import batch_norm

__all__ = ["batch_renorm", "mean_only_batch_norm"]


def batch_renorm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    r_max: float = 3.0,
    d_max: float = 5.0,
) -> Tensor:
    """y = weight (xhat r + d) + bias, xhat normalized by the batch. Ioffe 2017.

    r = sigma_batch / sigma clipped to 1 / r_max .. r_max and d = (mu_batch - mu) / sigma clipped
    to -d_max .. d_max move the batch's statistics to the running ones; they count as constants.
    Both averages move afterwards as batch normalization's do. Outside training it is batch
    normalization.

    input                      (N, C), (N, C, L), (N, C, H, W), ...
    running_mean, running_var  (C,), both needed
    weight, bias               (C,)

    Raises TypeError for other or mixed dtypes; ValueError for shapes that do not fit, one value a
    channel in training, r_max below 1 and d_max below 0; RuntimeError as `batch_norm`.

    >>> import nnet as nn, nnet.functional as F
    >>> x, mean, var = nn.tensor([[1.0], [3.0]]), nn.tensor([1.0]), nn.tensor([4.0])
    >>> F.batch_renorm(x, mean, var, training=True, eps=1e-12).tolist()
    [[0.0], [1.0]]
    """
    if not r_max >= 1 or not d_max >= 0:
        raise ValueError(
            f"batch_renorm: expected r_max >= 1 and d_max >= 0, got {r_max} and {d_max}"
        )
    if not training:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    _check("batch_renorm", input, weight, bias, running_mean, running_var)
    if running_mean is None or running_var is None:
        raise ValueError("batch_renorm: expected running_mean and running_var, got None")
    x, dtype = input.data, input.data.dtype
    _, saved = batch_norm_op.forward(x, None, None, eps=eps)
    sigma = np.sqrt(running_var.data.astype(np.float64) + eps)
    r = np.clip(np.sqrt(saved.var + eps) / sigma, 1 / r_max, r_max)
    d = np.clip((saved.mean - running_mean.data) / sigma, -d_max, d_max)
    gamma = 1.0 if weight is None else weight.data
    beta = 0.0 if bias is None else bias.data
    scale, shift = (gamma * r).astype(dtype), (beta + gamma * d).astype(dtype)
    y, _ = batch_norm_op.inference_forward(x, saved.mean, saved.var, scale, shift, eps=eps)
    count = x.size // x.shape[1]
    if count:
        batch_norm_op.move_average(running_mean.data, saved.mean, momentum)
        batch_norm_op.move_average(running_var.data, saved.var, momentum, count / (count - 1))
        wrote_average(running_mean)
        wrote_average(running_var)
    saved = saved._replace(gamma=scale, beta=shift)

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dx, dgamma, dbeta = batch_norm_op.backward(dy, saved)[:3]
        assert dgamma is not None and dbeta is not None
        return dx, (dgamma * r + dbeta * d).astype(dtype), dbeta

    return record(y, (input, weight, bias), backward)


def mean_only_batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
) -> Tensor:
    """x - mean + bias, mean of each channel. Salimans & Kingma 2016, section 4.

    input         (N, C), (N, C, L), (N, C, H, W), ...
    running_mean  (C,); subtracted, or in training moved towards the batch's mean if given
    bias          (C,)

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit and for one
    value a channel in training, RuntimeError as `batch_norm`.

    >>> import nnet as nn, nnet.functional as F
    >>> F.mean_only_batch_norm(nn.tensor([[1.0], [5.0]]), None, training=True).tolist()
    [[-2.0], [2.0]]
    """
    _check("mean_only_batch_norm", input, None, bias, running_mean, None)
    x = input.data
    channels = x.shape[1]
    one, zeros = np.ones(channels), np.zeros(channels, x.dtype)
    if training:
        mean = batch_norm_op.forward(x, None, None)[1].mean
        if running_mean is not None and x.size:
            batch_norm_op.move_average(running_mean.data, mean, momentum)
            wrote_average(running_mean)
    elif running_mean is None:
        raise ValueError("mean_only_batch_norm: expected running_mean outside training, got None")
    else:
        mean = running_mean.data
    # With variance 1 and eps 0 the kernel subtracts and adds.
    beta = zeros if bias is None else bias.data
    y, saved = batch_norm_op.inference_forward(x, mean, one, None, beta, eps=0.0)

    def backward(dy: np.ndarray) -> tuple[np.ndarray | None, ...]:
        dx, _, dbeta = batch_norm_op.backward(dy, saved)[:3]
        assert dbeta is not None
        if training:
            average = dbeta.astype(np.float64) / (x.size // channels)
            dx, _ = batch_norm_op.inference_forward(dy, average, one, None, None, eps=0.0)
        return dx, dbeta

    return record(y, (input, bias), backward)


def _check(
    op: str,
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
) -> None:
    check_tensors(op, input=input, weight=weight, bias=bias)
    check_statistics(op, running_mean, running_var)
    check_channels(
        op, input, weight=weight, bias=bias, running_mean=running_mean, running_var=running_var
    )
