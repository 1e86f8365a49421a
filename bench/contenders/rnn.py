"""A plain recurrent layer over a sequence, in PyTorch's convention."""

import numpy as np

from bench.case import Contender
from bench.contenders import recurrent
from kernels import rnn


def with_numpy(
    x: np.ndarray,
    h0: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray,
    bias_hh: np.ndarray,
    dy: np.ndarray,
) -> Contender:
    """One product with the states a step, all others once for all steps."""
    steps, samples, size = x.shape
    hidden = h0.shape[1]
    rows = x.reshape(-1, size)
    ones = np.ones(steps * samples, x.dtype)

    def forward():
        states = np.empty((steps + 1, samples, hidden), x.dtype)
        states[0] = h0
        np.matmul(rows, weight_ih.T, out=states[1:].reshape(-1, hidden))
        states[1:] += bias_ih + bias_hh
        product = np.empty((samples, hidden), x.dtype)
        of_state = np.ascontiguousarray(weight_hh.T)
        for t in range(steps):
            now = states[t + 1]
            np.matmul(states[t], of_state, out=product)
            now += product
            np.tanh(now, out=now)
        return states[1:], states

    def backward(states):
        slopes = states[1:] * states[1:]
        np.subtract(1, slopes, out=slopes)
        dh = np.zeros_like(h0)
        for t in range(steps - 1, -1, -1):
            dh += dy[t]
            slopes[t] *= dh
            np.matmul(slopes[t], weight_hh, out=dh)
        flat = slopes.reshape(-1, hidden)
        dx = (flat @ weight_ih).reshape(x.shape)
        dweight_hh = flat.T @ states[:-1].reshape(-1, hidden)
        dbias = ones @ flat
        return dx, dh, flat.T @ rows, dweight_hh, dbias, dbias

    return Contender(forward, backward)


def with_nnet(**arrays: np.ndarray) -> Contender:
    return recurrent.with_nnet(rnn, **arrays)


def with_torch(**arrays: np.ndarray) -> Contender:
    import torch

    return recurrent.with_torch(torch.rnn_tanh, **arrays)
