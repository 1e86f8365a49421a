"""Normalization by a mixture of the batch's statistics and an instance's."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from .lines import affine_line, by_lines
from .mixture import batch_statistics, check_mixture, running_statistics, track

__all__ = ["batch_instance_norm"]


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
    check_mixture(op, input, eps, channels, running_mean, running_var)
    fixed = running_statistics(op, running_mean, running_var, training)

    def line(
        mean: Tensor, var: Tensor, head: Tensor, gate: Tensor, *affine: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        batch_mean, batch_var = fixed or batch_statistics(mean, var)
        of_batch = gate / (batch_var + eps).sqrt()
        of_instance = (1 - gate) / (var + eps).sqrt()
        scale = of_batch + of_instance
        offset = of_batch * (head - batch_mean) + of_instance * (head - mean)
        return affine_line(scale, offset, *affine)

    output, mean, var = by_lines(input, line, (gate, weight, bias))
    if training:
        track(input, running_mean, running_var, mean, var, momentum)
    return output
