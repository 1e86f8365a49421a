"""The long short-term memory in NumPy, step by step: the oracle.

x, out_dx           (T, N, I)
h0, dh_n, out_dh0   (N, P), where P = H without a projection
c0, dc_n, out_dc0   (N, H)
weights             W_ih (4H, I), W_hh (4H, P): rows of i, f, g, o; bias (4H,);
                    W_hr (P, H), or (0, H) without a projection;
                    peephole (3, H): p_i, p_f, p_o, or (0, H) without
lengths             (N,); behind a sample's end its state stays, and y is 0
reverse             from the last step to the first
states, cells       (T + 1, N, P), (T + 1, N, H): h0 and c0 and those after them, in time's order
gates               (T, N, 4H): i, f, g, o; anything behind a sample's end
dy, out_y           (T, N, P)
"""

import numpy as np


def forward(x, h0, c0, weights, lengths, reverse, out_states, out_cells, out_gates, out_y):
    """Hochreiter & Schmidhuber 1997, the forget gate of Gers, Schmidhuber & Cummins 2000.

    Peepholes by Gers, Schraudolph & Schmidhuber 2002, the projection by Sak et al. 2014.
    """
    weight_ih, weight_hh, bias, weight_hr, peephole = weights
    p_i, p_f, p_o = peephole if len(peephole) else np.zeros((3, 1))
    steps = len(x)
    first = -1 if reverse else 0
    out_states[first], out_cells[first] = h0, c0
    for t in range(steps)[:: -1 if reverse else 1]:
        past, now = (t + 1, t) if reverse else (t, t + 1)
        h, c = out_states[past], out_cells[past]
        i, f, g, o = np.split(x[t] @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        i, f, g = _sigmoid(i + p_i * c), _sigmoid(f + p_f * c), np.tanh(g)
        cell = f * c + i * g
        o = _sigmoid(o + p_o * cell)
        state = o * np.tanh(cell)
        if len(weight_hr):
            state = state @ weight_hr.T

        runs = t < lengths[:, None]
        out_states[now], out_cells[now] = np.where(runs, state, h), np.where(runs, cell, c)
        out_gates[t] = np.concatenate([i, f, g, o], axis=1)
        out_y[t] = np.where(runs, state, 0)


def backward(
    dy, dh_n, dc_n, x, weights, lengths, reverse, states, cells, gates, out_dx, out_dh0, out_dc0,
    out_dweights,
):  # fmt: skip
    """dh and dc go to the state that a step leaves behind, then to the one that it found."""
    weight_ih, weight_hh, _, weight_hr, peephole = weights
    dweight_ih, dweight_hh, dbias, dweight_hr, dpeephole = out_dweights
    p_i, p_f, p_o = peephole if len(peephole) else np.zeros((3, 1))
    for out in out_dweights:
        out[...] = 0
    dh, dc = dh_n, dc_n
    for t in range(len(x))[:: 1 if reverse else -1]:
        past, now = (t + 1, t) if reverse else (t, t + 1)
        runs = t < lengths[:, None]
        i, f, g, o = (np.where(runs, gate, 0) for gate in np.split(gates[t], 4, axis=1))
        tanh_c = np.tanh(cells[now])

        dstate = np.where(runs, dy[t] + dh, 0)
        dm = dstate @ weight_hr if len(weight_hr) else dstate
        do = dm * tanh_c * o * (1 - o)
        dcell = np.where(runs, dc, 0) + dm * o * (1 - tanh_c**2) + p_o * do
        di = dcell * g * i * (1 - i)
        df = dcell * cells[past] * f * (1 - f)
        dg = dcell * i * (1 - g**2)
        dsums = np.concatenate([di, df, dg, do], axis=1)

        out_dx[t] = dsums @ weight_ih
        dweight_ih += dsums.T @ x[t]
        dweight_hh += dsums.T @ states[past]
        dbias += dsums.sum(axis=0)
        if len(weight_hr):
            dweight_hr += dstate.T @ (o * tanh_c)
        if len(peephole):
            products = di * cells[past], df * cells[past], do * cells[now]
            dpeephole += np.sum(products, axis=1)

        dh = np.where(runs, dsums @ weight_hh, dh)
        dc = np.where(runs, f * dcell + p_i * di + p_f * df, dc)
    out_dh0[...] = dh
    out_dc0[...] = dc


def _sigmoid(x):
    """Written so that the exponential never overflows."""
    decay = np.exp(-np.abs(x))
    return np.where(x < 0, decay, 1) / (1 + decay)
