"""Sums of weighted tanh over all pairs of a query and a key."""

import numpy as np


def forward(query, key, weight, out_score):
    """score[n, q, k] = sum_a weight[a] tanh(query[n, q, a] + key[n, k, a])."""
    with np.errstate(all="ignore"):
        out_score[...] = np.tanh(query[:, :, None] + key[:, None]) @ weight


def backward(dscore, query, key, weight, out_dquery, out_dkey, out_dweight):
    """With t the tanh of a pair: weight dscore (1 - t^2), summed over keys and over queries.

    dweight sums dscore t over all pairs.
    """
    with np.errstate(all="ignore"):
        t = np.tanh(query[:, :, None] + key[:, None])
        dsum = dscore[..., None] * weight * (1 - t**2)
        out_dquery[...] = dsum.sum(axis=2)
        out_dkey[...] = dsum.sum(axis=1)
        out_dweight[...] = np.tensordot(dscore.astype(np.float64), t, axes=3)
