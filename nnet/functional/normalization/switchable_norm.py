"""Norms that mix the statistics of instances, layers and the batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from kernels import group_norm as planes

from ...autograd.broadcasting import quiet
from ...autograd.recording import enable_grad, no_grad
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ...autograd.writes import wrote_average
from ..activation import softmax
from ..check import check_statistics, check_tensors
from .group_norm import check_eps

__all__ = ["batch_instance_norm", "switchable_norm"]

# What normalizes: mean, var and head (N, C) and the parameters give scale and offset (N, C).
Line = Callable[..., tuple[Tensor, Tensor]]


def batch_instance_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    gate: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """weight (gate xhat_batch + (1 - gate) xhat_instance) + bias. Nam & Kim 2018.

    input                      (N, C, L), (N, C, H, W), (N, C, D, H, W)
    running_mean, running_var  (C,); of the batch's statistics, as in `batch_norm`
    gate, weight, bias         (C,)

    Raises TypeError for other or mixed dtypes; ValueError for shapes that do not fit, an eps that
    is not positive, and one value an instance; RuntimeError as `batch_norm`. Of no samples there
    is no result, and the running averages stay.

    >>> import nnet as nn, nnet.functional as F
    >>> x = nn.tensor([[[1.0, 3.0]], [[5.0, 7.0]]])
    >>> F.batch_instance_norm(x, None, None, nn.zeros(1), training=True, eps=1e-12).tolist()
    [[[-1.0, 1.0]], [[-1.0, 1.0]]]
    """
    op = "batch_instance_norm"
    channels = {"gate": gate, "weight": weight, "bias": bias}
    _check(op, input, eps, channels, running_mean, running_var)
    fixed = _running(op, running_mean, running_var, training)

    def line(
        mean: Tensor, var: Tensor, head: Tensor, gate: Tensor, *affine: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        batch_mean, batch_var = fixed or _of_batch(mean, var)
        of_batch = gate / (batch_var + eps).sqrt()
        of_instance = (1 - gate) / (var + eps).sqrt()
        scale = of_batch + of_instance
        offset = of_batch * (head - batch_mean) + of_instance * (head - mean)
        return _affine(scale, offset, *affine)

    output, mean, var = _by_lines(input, line, (gate, weight, bias))
    if training:
        _track(input, running_mean, running_var, mean, var, momentum)
    return output


def switchable_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean_weight: Tensor,
    var_weight: Tensor,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize by a mixture of instance, layer and batch statistics. Luo et al. 2018.

    input                      (N, C, L), (N, C, H, W), (N, C, D, H, W)
    running_mean, running_var  (C,); of the batch's statistics, as in `batch_norm`
    mean_weight, var_weight    (3,); their softmax weighs instance, layer and batch
    weight, bias               (C,)

    Raises TypeError for other or mixed dtypes; ValueError for shapes that do not fit, an eps that
    is not positive, and one value an instance; RuntimeError as `batch_norm`. Of no samples there
    is no result, and the running averages stay.

    >>> import nnet as nn, nnet.functional as F
    >>> x, even = nn.tensor([[[1.0, 3.0]]]), nn.zeros(3)
    >>> F.switchable_norm(x, None, None, even, even, training=True, eps=1e-12).tolist()
    [[[-1.0, 1.0]]]
    """
    op = "switchable_norm"
    _check(op, input, eps, {"weight": weight, "bias": bias}, running_mean, running_var)
    check_tensors(op, input=input, mean_weight=mean_weight, var_weight=var_weight)
    for name, values in (("mean_weight", mean_weight), ("var_weight", var_weight)):
        if values.shape != (3,):
            raise ValueError(f"{op}: expected {name} of shape (3,), got {values.shape}")
    fixed = _running(op, running_mean, running_var, training)

    def line(
        mean: Tensor,
        var: Tensor,
        head: Tensor,
        of_mean: Tensor,
        of_var: Tensor,
        *affine: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        layer_mean = mean.mean(1, keepdim=True)
        layer_var = (var + (mean - layer_mean) ** 2).mean(1, keepdim=True)
        batch_mean, batch_var = fixed or _of_batch(mean, var)
        a, b = softmax(of_mean, 0), softmax(of_var, 0)
        centre = a[0] * mean + a[1] * layer_mean + a[2] * batch_mean
        spread = b[0] * var + b[1] * layer_var + b[2] * batch_var
        scale = 1 / (spread + eps).sqrt()
        return _affine(scale, scale * (head - centre), *affine)

    output, mean, var = _by_lines(input, line, (mean_weight, var_weight, weight, bias))
    if training:
        _track(input, running_mean, running_var, mean, var, momentum)
    return output


def _by_lines(
    input: Tensor, line: Line, parameters: Sequence[Tensor | None]
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    """Apply to each plane (sample, channel) a line that follows from the statistics of all.

    Two passes over the data, as in batch normalization. What lies between is algebra on (N, C)
    numbers in float64, whose gradient the tape finds; it is run again in backward.
    """
    x = input.data
    if not x.size:
        return _of_nothing(input, parameters)
    mean, var = planes.plane_moments(x)
    head = mean.astype(x.dtype).astype(np.float64)

    def algebra(requires_grad: bool) -> tuple[list[Tensor | None], Tensor, Tensor]:
        given = mean, var, *(None if each is None else each.data for each in parameters)
        leaves = [
            None if each is None else Tensor(each.astype(np.float64), requires_grad)
            for each in given
        ]
        return leaves, *line(*leaves[:2], Tensor(head), *leaves[2:])

    with no_grad():
        _, scale, offset = algebra(False)
    slope = scale.data
    y = planes.lines(x, head, slope, offset.data)

    def backward(dy: np.ndarray) -> list[np.ndarray | None]:
        total, product = planes.plane_sums(dy, x, head)
        with enable_grad():
            leaves, scale, offset = algebra(True)
            (scale * Tensor(product) + offset * Tensor(total)).sum().backward()
        gradients = [
            None if each is None or each.grad is None else each.grad.data for each in leaves
        ]
        dmean, dvar = (np.zeros_like(mean) if each is None else each for each in gradients[:2])
        # d var / d x = 2 (x - mean) / S, d mean / d x = 1 / S
        positions = math.prod(x.shape[2:])
        slant = 2 * dvar / positions
        level = dmean / positions + slant * (head - mean)
        dx = planes.gradient_lines(dy, x, head, slope, slant, level)
        return [dx, *(None if g is None else g.astype(x.dtype) for g in gradients[2:])]

    return record(y, (input, *parameters), backward), mean, var


def _of_nothing(
    input: Tensor, parameters: Sequence[Tensor | None]
) -> tuple[Tensor, np.ndarray, np.ndarray]:
    nothing = np.empty(input.shape[:2])

    def backward(dy: np.ndarray) -> list[np.ndarray | None]:
        return [dy, *(None if each is None else np.zeros_like(each.data) for each in parameters)]

    return record(input.data.copy(), (input, *parameters), backward), nothing, nothing


def _of_batch(mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of all samples' planes of a channel, from each plane's."""
    batch_mean = mean.mean(0)
    return batch_mean, (var + (mean - batch_mean) ** 2).mean(0)


def _affine(
    scale: Tensor, offset: Tensor, weight: Tensor | None, bias: Tensor | None
) -> tuple[Tensor, Tensor]:
    if weight is not None:
        scale, offset = scale * weight, offset * weight
    return scale, offset if bias is None else offset + bias


def _running(
    op: str, mean: Tensor | None, var: Tensor | None, training: bool
) -> tuple[Tensor, Tensor] | None:
    """The running statistics as they are used outside training."""
    if training:
        return None
    if mean is None or var is None:
        raise ValueError(f"{op}: expected running_mean and running_var outside training, got None")
    return Tensor(mean.data.astype(np.float64)), Tensor(var.data.astype(np.float64))


def _track(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: np.ndarray,
    var: np.ndarray,
    momentum: float,
) -> None:
    """Move the running averages towards the batch's mean and unbiased variance, if it has any."""
    if not input.numel():
        return
    with quiet():
        count = input.numel() // input.shape[1]
        batch_var = (var.mean(0) + mean.var(0)) * (count / (count - 1))
        for average, value in ((running_mean, mean.mean(0)), (running_var, batch_var)):
            if average is not None:
                average.data[...] = (1 - momentum) * average.data + momentum * value
                wrote_average(average)


def _check(
    op: str,
    input: Tensor,
    eps: float,
    parameters: dict[str, Tensor | None],
    running_mean: Tensor | None,
    running_var: Tensor | None,
) -> None:
    check_tensors(op, input=input, **parameters)
    check_statistics(op, running_mean, running_var)
    check_eps(op, eps)
    shape = input.shape
    if not 3 <= len(shape) <= 5 or math.prod(shape[2:]) < 2:
        raise ValueError(
            f"{op}: expected input of shape (N, C, ...) with more than one value an instance, "
            f"got {shape}"
        )
    for name, values in {
        **parameters,
        "running_mean": running_mean,
        "running_var": running_var,
    }.items():
        if values is not None and values.shape != shape[1:2]:
            raise ValueError(
                f"{op}: expected {name} of shape {shape[1:2]} for input {shape}, got {values.shape}"
            )
