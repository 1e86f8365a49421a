"""A layer of gated recurrent units over a sequence, in PyTorch's convention."""

import numpy as np

from bench.case import Contender
from bench.contenders import recurrent
from kernels import gru


def with_numpy(
    x: np.ndarray,
    h0: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray,
    bias_hh: np.ndarray,
    dy: np.ndarray,
) -> Contender:
    """One product with the states a step, all others once for all steps; gates in place."""
    steps, samples, size = x.shape
    hidden = h0.shape[1]
    rows = x.reshape(-1, size)
    ones = np.ones(steps * samples, x.dtype)

    def forward():
        gates = (rows @ weight_ih.T).reshape(steps, samples, 3 * hidden)
        gates += bias_ih
        gates[..., : 2 * hidden] += bias_hh[: 2 * hidden]
        kept = np.empty((steps, samples, hidden), x.dtype)
        states = np.empty((steps + 1, samples, hidden), x.dtype)
        states[0] = h0
        product = np.empty((samples, 3 * hidden), x.dtype)
        for t in range(steps):
            h, after = states[t], states[t + 1]
            rz, n = gates[t, :, : 2 * hidden], gates[t, :, 2 * hidden :]
            np.matmul(h, weight_hh.T, out=product)
            rz += product[:, : 2 * hidden]
            np.negative(rz, out=rz)
            np.exp(rz, out=rz)
            rz += 1
            np.reciprocal(rz, out=rz)
            np.add(product[:, 2 * hidden :], bias_hh[2 * hidden :], out=kept[t])
            n += rz[:, :hidden] * kept[t]
            np.tanh(n, out=n)
            np.subtract(h, n, out=after)
            after *= rz[:, hidden:]
            after += n
        return states[1:], (gates, kept, states)

    def backward(saved):
        gates, kept, states = saved
        r, z, n = np.split(gates, 3, axis=2)
        shut, rest = 1 - z, states[:-1] - n
        rest *= z
        rest *= shut
        shut *= 1 - n * n
        slant = kept * r
        slant *= 1 - r
        # Of n, r, z and of W_hn h: what follows from x lies together, and what follows from h.
        slopes = np.empty((steps, samples, 4 * hidden), x.dtype)
        dn, dr, dz, dkept = np.split(slopes, 4, axis=2)
        dh = np.zeros_like(h0)
        for t in range(steps - 1, -1, -1):
            slope = dh
            slope += dy[t]
            np.multiply(slope, shut[t], out=dn[t])
            np.multiply(slope, rest[t], out=dz[t])
            np.multiply(dn[t], slant[t], out=dr[t])
            np.multiply(dn[t], r[t], out=dkept[t])
            dh = slopes[t, :, hidden:] @ weight_hh
            slope *= z[t]
            dh += slope
        flat = slopes.reshape(-1, 4 * hidden)
        of_x, of_h = flat[:, : 3 * hidden], flat[:, hidden:]
        dx = (of_x @ np.roll(weight_ih, hidden, axis=0)).reshape(x.shape)
        dweight_ih = np.roll(of_x.T @ rows, -hidden, axis=0)
        dweight_hh = of_h.T @ states[:-1].reshape(-1, hidden)
        return dx, dh, dweight_ih, dweight_hh, np.roll(ones @ of_x, -hidden), ones @ of_h

    return Contender(forward, backward)


def with_nnet(**arrays: np.ndarray) -> Contender:
    return recurrent.with_nnet(gru, **arrays)


def with_torch(**arrays: np.ndarray) -> Contender:
    import torch

    return recurrent.with_torch(torch.gru, **arrays)
