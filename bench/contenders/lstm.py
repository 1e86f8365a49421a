"""A layer of long short-term memory over a sequence, in PyTorch's convention."""

import numpy as np

from bench.case import Contender
from bench.contenders import recurrent
from kernels import lstm


def with_numpy(
    x: np.ndarray,
    h0: np.ndarray,
    c0: np.ndarray,
    weight_ih: np.ndarray,
    weight_hh: np.ndarray,
    bias_ih: np.ndarray,
    bias_hh: np.ndarray,
    dy: np.ndarray,
) -> Contender:
    """One product with the states a step, all others once for all steps; gates in place.

    sigmoid(x) is (1 + tanh(x / 2)) / 2: with rows of i, f and o halved beforehand, one call of
    NumPy's vectorized tanh makes all gates of a step.
    """
    steps, samples, size = x.shape
    hidden = h0.shape[1]
    rows = x.reshape(-1, size)
    ones = np.ones(steps * samples, x.dtype)
    scale = np.repeat(np.float32([0.5, 0.5, 1, 0.5]), hidden)
    offset = np.repeat(np.float32([0.5, 0.5, 0, 0.5]), hidden)

    def forward():
        gates = (rows @ (weight_ih.T * scale)).reshape(steps, samples, 4 * hidden)
        gates += (bias_ih + bias_hh) * scale
        of_state = weight_hh.T * scale
        states = np.empty((steps + 1, samples, hidden), x.dtype)
        cells = np.empty((steps + 1, samples, hidden), x.dtype)
        bent = np.empty((steps, samples, hidden), x.dtype)
        states[0], cells[0] = h0, c0
        product = np.empty((samples, 4 * hidden), x.dtype)
        for t in range(steps):
            now, cell = gates[t], cells[t + 1]
            np.matmul(states[t], of_state, out=product)
            now += product
            np.tanh(now, out=now)
            now *= scale
            now += offset
            i, f, g, o = np.split(now, 4, axis=1)
            np.multiply(f, cells[t], out=cell)
            np.multiply(i, g, out=product[:, :hidden])
            cell += product[:, :hidden]
            np.tanh(cell, out=bent[t])
            np.multiply(o, bent[t], out=states[t + 1])
        return states[1:], (gates, states, cells, bent)

    def backward(saved):
        gates, states, cells, bent = saved
        i, f, g, o = np.split(gates, 4, axis=2)
        # What dc and dh are multiplied by: derivatives of the gates, and of the cell by the output.
        slopes = np.empty_like(gates)
        slope_i, slope_f, slope_g, slope_o = np.split(slopes, 4, axis=2)
        for slope, gate, partner in ((slope_i, i, g), (slope_f, f, cells[:-1]), (slope_o, o, bent)):
            np.multiply(gate, gate, out=slope)
            np.subtract(gate, slope, out=slope)
            slope *= partner
        np.multiply(g, g, out=slope_g)
        np.subtract(1, slope_g, out=slope_g)
        slope_g *= i
        through = bent * bent
        np.subtract(1, through, out=through)
        through *= o
        dh, dc = np.zeros_like(h0), np.zeros_like(c0)
        for t in range(steps - 1, -1, -1):
            dh += dy[t]
            of_cell = slopes[t, :, : 3 * hidden].reshape(samples, 3, hidden)
            slope_o[t] *= dh
            dh *= through[t]
            dc += dh
            of_cell *= dc[:, None]
            dc *= f[t]
            dh = slopes[t] @ weight_hh
        flat = slopes.reshape(-1, 4 * hidden)
        dx = (flat @ weight_ih).reshape(x.shape)
        dweight_hh = flat.T @ states[:-1].reshape(-1, hidden)
        dbias = ones @ flat
        return dx, dh, dc, flat.T @ rows, dweight_hh, dbias, dbias

    return Contender(forward, backward)


def with_nnet(**arrays: np.ndarray) -> Contender:
    return recurrent.with_nnet(lstm, **arrays)


def with_torch(**arrays: np.ndarray) -> Contender:
    import torch

    return recurrent.with_torch(torch.lstm, **arrays)
