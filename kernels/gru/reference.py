"""Gated recurrent units in NumPy, step by step: the oracle. Cho et al. 2014, PyTorch's convention.

x, out_dx              (T, N, I): steps, samples, inputs
h0, dh_n, out_dh0      (N, H)
weights, out_dweights  W_ih (3 H, I): rows of r, z, n; W_hh (3 H, H); bias (4 H,): of r, z, n and
                       u, which has none where reset before
lengths                (N,): from there on a sample's state stays, and y is 0
reverse                from the last step to the first
states                 (T + 1, N, H): h0 and the state of every step, in the order of time
gates                  (T, N, 4 H): r, z, n and u; behind a sample's end u is a number, the rest
                       anything
dy, out_y              (T, N, H)
"""

import numpy as np


def forward(x, h0, weights, lengths, reset_after, reverse, out_states, out_gates, out_y):
    """h' = (1 - z) n + z h, where r, z = sigmoid(W_i x + W_h h + b), each its own.

    n = tanh(W_in x + b_n + r u), u = W_hn h + b_u   reset after: PyTorch, cuDNN
    n = tanh(W_in x + b_n + W_hn u), u = r h         reset before: the paper
    """
    steps = len(x)
    weight_ih, weight_hh, bias = weights
    weight_r, weight_z, weight_n = np.split(weight_hh, 3)
    bias_r, bias_z, bias_n, bias_u = np.split(bias, 4)
    out_states[-1 if reverse else 0] = h0
    for t in range(steps)[:: -1 if reverse else 1]:
        past, now = (t + 1, t) if reverse else (t, t + 1)
        h = out_states[past]
        r, z, n = np.split(x[t] @ weight_ih.T, 3, axis=1)
        r = _sigmoid(r + h @ weight_r.T + bias_r)
        z = _sigmoid(z + h @ weight_z.T + bias_z)
        u = h @ weight_n.T + bias_u if reset_after else r * h
        n = np.tanh(n + bias_n + (r * u if reset_after else u @ weight_n.T))
        runs = t < lengths[:, None]
        out_states[now] = np.where(runs, (1 - z) * n + z * h, h)
        out_gates[t] = np.concatenate([r, z, n, u], axis=1)
        out_y[t] = np.where(runs, out_states[now], 0)


def backward(
    dy, dh_n, x, states, gates, weights, lengths, reset_after, reverse, out_dx, out_dh0,
    out_dweights,
):  # fmt: skip
    """Gradients through time; dr, dz, dn are those of what sigmoid and tanh are taken of."""
    weight_ih, weight_hh, _ = weights
    dweight_ih, dweight_hh, dbias = out_dweights
    for out in out_dweights:
        out[...] = 0
    weight_r, weight_z, weight_n = np.split(weight_hh, 3)
    dweight_r, dweight_z, dweight_n = np.split(dweight_hh, 3)
    dbias_r, dbias_z, dbias_n, dbias_u = np.split(dbias, 4)
    dh = dh_n
    for t in range(len(x))[:: 1 if reverse else -1]:
        runs = t < lengths[:, None]
        h = states[t + 1 if reverse else t]
        r, z, n, u = (np.where(runs, gate, 0) for gate in np.split(gates[t], 4, axis=1))
        d = np.where(runs, dy[t] + dh, 0)
        dz = d * (h - n) * z * (1 - z)
        dn = d * (1 - z) * (1 - n * n)
        if reset_after:
            du = dn * r
            dr = du * u * (1 - r)
            through = du @ weight_n
            dweight_n += du.T @ h
            dbias_u += du.sum(axis=0)
        else:
            du = dn @ weight_n
            dr = du * h * r * (1 - r)
            through = du * r
            dweight_n += dn.T @ u
        through += d * z + dr @ weight_r + dz @ weight_z
        dh = np.where(runs, through, dh)
        dweight_r += dr.T @ h
        dweight_z += dz.T @ h
        for out, gradient in ((dbias_r, dr), (dbias_z, dz), (dbias_n, dn)):
            out += gradient.sum(axis=0)
        of_x = np.concatenate([dr, dz, dn], axis=1)
        out_dx[t] = of_x @ weight_ih
        dweight_ih += of_x.T @ x[t]
    out_dh0[...] = dh


def _sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2
