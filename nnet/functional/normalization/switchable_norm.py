"""Normalization by a mixture of the statistics of instances, layers and the batch."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from ..activation import softmax
from ..check import check_tensors
from .lines import affine_line, by_lines
from .mixture import batch_statistics, check_mixture, running_statistics, track

__all__ = ["switchable_norm"]


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
    check_mixture(op, input, eps, {"weight": weight, "bias": bias}, running_mean, running_var)
    check_tensors(op, input=input, mean_weight=mean_weight, var_weight=var_weight)
    for name, values in (("mean_weight", mean_weight), ("var_weight", var_weight)):
        if values.shape != (3,):
            raise ValueError(f"{op}: expected {name} of shape (3,), got {values.shape}")
    fixed = running_statistics(op, running_mean, running_var, training)

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
        batch_mean, batch_var = fixed or batch_statistics(mean, var)
        a, b = softmax(of_mean, 0), softmax(of_var, 0)
        centre = a[0] * mean + a[1] * layer_mean + a[2] * batch_mean
        spread = b[0] * var + b[1] * layer_var + b[2] * batch_var
        scale = 1 / (spread + eps).sqrt()
        return affine_line(scale, scale * (head - centre), *affine)

    output, mean, var = by_lines(input, line, (mean_weight, var_weight, weight, bias))
    if training:
        track(input, running_mean, running_var, mean, var, momentum)
    return output
