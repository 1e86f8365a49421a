"""The additive score of attention, of all pairs of a query and a key."""

import numpy as np

from bench.case import Contender
from kernels import additive_score


def with_numpy(
    query: np.ndarray, key: np.ndarray, weight: np.ndarray, dscore: np.ndarray
) -> Contender:
    """The tanh of all pairs is kept for backward, and overwritten there."""

    def forward():
        t = query[:, :, None] + key[:, None]
        np.tanh(t, out=t)
        return t @ weight, t

    def backward(t):
        dweight = dscore.reshape(-1) @ t.reshape(-1, weight.size)
        np.multiply(t, t, out=t)
        np.subtract(np.float32(1), t, out=t)
        t *= dscore[..., None]
        return t.sum(axis=2) * weight, t.sum(axis=1) * weight, dweight

    return Contender(forward, backward)


def with_nnet(
    query: np.ndarray, key: np.ndarray, weight: np.ndarray, dscore: np.ndarray
) -> Contender:
    return Contender(
        lambda: additive_score.forward(query, key, weight),
        lambda saved: additive_score.backward(dscore, saved),
    )


def with_torch(
    query: np.ndarray, key: np.ndarray, weight: np.ndarray, dscore: np.ndarray
) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (query, key, weight)]
    gradient = torch.tensor(dscore)

    def forward():
        score = torch.tanh(leaves[0][:, :, None] + leaves[1][:, None]) @ leaves[2]
        return score, score

    return Contender(forward, lambda score: torch.autograd.grad(score, leaves, gradient))
