"""Full whitening, which batch normalization is the cheap part of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from ...functional.normalization.whitening import whitened
from ...module.module import Module

__all__ = ["Whitening"]


class Whitening(Module):
    """y = (x - E) Cov^(-1/2) for x (N, D): unit covariance, not only unit variances.

    Cov is the covariance of the batch with the divisor N, plus eps in the diagonal; of all its
    inverse roots the symmetric one is taken, which moves the data least. In training E and Cov are
    the batch's, and the gradient flows through them; in use they are running averages, with
    weight `momentum` for the new batch (of the covariance, N / (N - 1) times it).

    This is what Ioffe & Szegedy 2015, section 3, set out from and gave up for normalizing each
    feature alone: here N D^2 operations for the covariance and some 20 D^3 for its root, there
    N D. What that costs on this machine: `python examples/batch_norm_whitening_cost.py`.

    With Cov = U diag(s) U' and W = U diag(s)^(-1/2) U', a gradient G to W goes on to Cov as
    U ((U' G U) * K) U', where K_ij = -1 / (sqrt(s_i s_j) (sqrt(s_i) + sqrt(s_j))) is the slope of
    s^(-1/2) between two eigenvalues (Daleckii & Krein 1965): no division by s_i - s_j, so equal
    eigenvalues do no harm.

    Computed in float64. Raises ValueError for another shape, and in training if Cov is singular,
    as it is without eps for N <= D.

    >>> import numpy as np, nnet as nn
    >>> y = nn.Whitening(3)(nn.randn(100, 3)).numpy()
    >>> bool(np.abs(y.T @ y / 100 - np.eye(3)).max() < 1e-5)
    True
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 0.0,
        momentum: float = 0.1,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if not eps >= 0:
            raise ValueError(f"Whitening: expected eps >= 0, got {eps}")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.running_mean: Tensor
        self.running_cov: Tensor
        self.register_buffer("running_mean", Tensor(np.zeros(num_features, dtype)))
        self.register_buffer("running_cov", Tensor(np.eye(num_features, dtype=dtype)))
        self.to(device)

    def forward(self, input: Tensor) -> Tensor:
        check_tensors("Whitening", input=input)
        if input.ndim != 2 or input.shape[1] != self.num_features:
            raise ValueError(
                f"Whitening: expected input of shape (N, {self.num_features}), got {input.shape}"
            )
        statistics = self.running_mean, self.running_cov
        return whitened(input, *statistics, self.training, self.momentum, self.eps)

    def macs(self, arguments: tuple, size: int) -> int:
        """Of the map, not of its root, which takes more."""
        return size * self.num_features

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
