"""Full whitening: means of 0, variances of 1, and no correlations."""

from __future__ import annotations

import numpy as np

from ...autograd.results import record
from ...autograd.tensor import Tensor
from .averages import move_average


def whitened(
    input: Tensor,
    running_mean: Tensor,
    running_cov: Tensor,
    training: bool,
    momentum: float,
    eps: float,
) -> Tensor:
    """(x - E) Cov^(-1/2) for x (N, D), by the batch's statistics in training; see `Whitening`.

    running_mean, running_cov  (D,) and (D, D); in training moved towards the batch's, else used
    eps                        added to the diagonal of Cov

    Raises ValueError for less than two samples in training and for a singular Cov.
    """
    x, dtype = input.data.astype(np.float64), input.data.dtype
    samples, features = x.shape
    if training:
        if samples < 2:
            raise ValueError(f"Whitening: expected at least 2 samples, got {samples}")
        mean = x.mean(axis=0)
        cov = (x - mean).T @ (x - mean) / samples
    else:
        mean = running_mean.data.astype(np.float64)
        cov = running_cov.data.astype(np.float64)
    values, vectors = _eigen(cov + eps * np.eye(features), samples)
    if training:
        move_average(running_mean, mean, momentum)
        move_average(running_cov, cov * (samples / (samples - 1)), momentum)
    root = vectors / np.sqrt(values) @ vectors.T
    centred = x - mean

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


def _eigen(cov: np.ndarray, samples: int) -> tuple[np.ndarray, np.ndarray]:
    if not np.isfinite(cov).all():
        return np.full(len(cov), np.nan), np.full_like(cov, np.nan)
    values, vectors = np.linalg.eigh(cov)
    if values[0] <= len(cov) * np.finfo(np.float64).eps * values[-1]:
        raise ValueError(
            "Whitening: expected a covariance that can be inverted, got a singular one of "
            f"{samples} samples in {len(cov)} dimensions; give more samples than "
            "dimensions, or eps > 0"
        )
    return values, vectors
