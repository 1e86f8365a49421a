"""Full whitening, which batch normalization is the cheap part of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ...autograd.writes import wrote_average
from ...functional.check import check_tensors
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
        x = input.data.astype(np.float64)
        samples = len(x)
        if self.training:
            if samples < 2:
                raise ValueError(f"Whitening: expected at least 2 samples, got {samples}")
            mean = x.mean(axis=0)
            cov = (x - mean).T @ (x - mean) / samples
        else:
            mean = self.running_mean.data.astype(np.float64)
            cov = self.running_cov.data.astype(np.float64)
        values, vectors = self._eigen(cov + self.eps * np.eye(self.num_features), samples)
        if self.training:
            self._move(self.running_mean, mean)
            self._move(self.running_cov, cov * (samples / (samples - 1)))
        root = vectors / np.sqrt(values) @ vectors.T
        centred = x - mean
        training = self.training
        dtype = input.data.dtype

        def backward(dy: np.ndarray) -> np.ndarray:
            dy = dy.astype(np.float64)
            dx = dy @ root
            if training:
                sizes = np.sqrt(values)
                slopes = -1 / (np.outer(sizes, sizes) * np.add.outer(sizes, sizes))
                droot = centred.T @ dy
                inner = vectors.T @ (droot + droot.T) @ vectors / 2
                dcov = vectors @ (inner * slopes) @ vectors.T
                dx += centred @ dcov * (2 / samples)
                dx -= dx.mean(axis=0)
            return dx.astype(dtype)

        return record((centred @ root).astype(dtype), (input,), backward)

    def _eigen(self, cov: np.ndarray, samples: int) -> tuple[np.ndarray, np.ndarray]:
        if not np.isfinite(cov).all():
            return np.full(len(cov), np.nan), np.full_like(cov, np.nan)
        values, vectors = np.linalg.eigh(cov)
        if values[0] <= len(cov) * np.finfo(np.float64).eps * values[-1]:
            raise ValueError(
                "Whitening: expected a covariance that can be inverted, got a singular one of "
                f"{samples} samples in {self.num_features} dimensions; give more samples than "
                "dimensions, or eps > 0"
            )
        return values, vectors

    def _move(self, average: Tensor, value: np.ndarray) -> None:
        average.data[...] = (1 - self.momentum) * average.data + self.momentum * value
        wrote_average(average)

    def macs(self, arguments: tuple, size: int) -> int:
        """Of the map, not of its root, which takes more."""
        return size * self.num_features

    def extra_repr(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"
