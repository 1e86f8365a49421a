"""The long short-term memory, step by step, and its gradient backward through time.

Hochreiter & Schmidhuber 1997 with the forget gate of Gers, Schmidhuber & Cummins 2000:

    i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of  W_ih x_t + W_hh h_{t-1} + b
    c_t = f c_{t-1} + i g
    h_t = o tanh(c_t)

Peepholes (Gers, Schraudolph & Schmidhuber 2002) add p_i c_{t-1}, p_f c_{t-1} and p_o c_t before
the sigmoids of i, f and o. A projection (Sak, Senior & Beaufays 2014): h_t = W_hr (o tanh c_t).

x, out_dx           (T, N, I)
h0, out_h_n, ...    (N, P), where P = H without a projection
c0, out_c_n, ...    (N, H)
weight_ih, _hh      (4H, I), (4H, P): rows of i, f, g, o
bias                (4H,)
weight_hr           (P, H), or (0, H) without a projection
peephole            (3, H): p_i, p_f, p_o, or (0, H) without
lengths             (N,) int64: from there on a sample's state stands still and y is 0
reverse             each sample runs from its last step to its first
y                   (T, N, P)
gates               (T, N, 4, H): i, f, g, o of every step, 0 behind a sample's end
cells               (T, N, H): c of every step, likewise
"""

import numpy as np


def forward(
    x,
    h0,
    c0,
    weight_ih,
    weight_hh,
    bias,
    weight_hr,
    peephole,
    lengths,
    reverse,
    out_y,
    out_h_n,
    out_c_n,
    out_gates,
    out_cells,
):
    h, c = h0, c0
    p_i, p_f, p_o = peephole if len(peephole) else np.zeros((3, 1))
    for t in _steps(len(x), reverse):
        alive = (t < lengths)[:, None]
        sums = x[t] @ weight_ih.T + h @ weight_hh.T + bias
        i, f, g, o = np.split(sums, 4, axis=1)
        i, f, g = _sigmoid(i + p_i * c), _sigmoid(f + p_f * c), np.tanh(g)
        c_new = f * c + i * g
        o = _sigmoid(o + p_o * c_new)
        h_new = o * np.tanh(c_new)
        if len(weight_hr):
            h_new = h_new @ weight_hr.T

        out_y[t] = np.where(alive, h_new, 0)
        out_gates[t] = np.where(alive[..., None], np.stack([i, f, g, o], axis=1), 0)
        out_cells[t] = np.where(alive, c_new, 0)
        h, c = np.where(alive, h_new, h), np.where(alive, c_new, c)
    out_h_n[...] = h
    out_c_n[...] = c


def backward(
    dy,
    dh_n,
    dc_n,
    x,
    h0,
    c0,
    weight_ih,
    weight_hh,
    weight_hr,
    peephole,
    lengths,
    reverse,
    y,
    gates,
    cells,
    out_dx,
    out_dh0,
    out_dc0,
    out_dweight_ih,
    out_dweight_hh,
    out_dbias,
    out_dweight_hr,
    out_dpeephole,
):
    """dh and dc are the gradients to the state that leaves a step, then to the one entering it."""
    for total in (out_dweight_ih, out_dweight_hh, out_dbias, out_dweight_hr, out_dpeephole):
        total[...] = 0
    dh, dc = dh_n, dc_n
    p_i, p_f, p_o = peephole if len(peephole) else np.zeros((3, 1))
    for t in reversed(_steps(len(x), reverse)):
        alive = (t < lengths)[:, None]
        before, starts = _before(t, lengths, reverse)
        h_before = np.where(starts, h0, y[before])
        c_before = np.where(starts, c0, cells[before])
        i, f, g, o = gates[t].swapaxes(0, 1)
        tanh_c = np.tanh(cells[t])

        dh_new = np.where(alive, dy[t] + dh, 0)
        dout = dh_new @ weight_hr if len(weight_hr) else dh_new
        do = dout * tanh_c * o * (1 - o)
        dc_new = np.where(alive, dc, 0) + dout * o * (1 - tanh_c**2) + p_o * do
        di = dc_new * g * i * (1 - i)
        df = dc_new * c_before * f * (1 - f)
        dg = dc_new * i * (1 - g**2)
        dsums = np.concatenate([di, df, dg, do], axis=1)

        out_dx[t] = dsums @ weight_ih
        out_dweight_ih += dsums.T @ np.where(alive, x[t], 0)
        out_dweight_hh += dsums.T @ h_before
        out_dbias += dsums.sum(axis=0)
        if len(weight_hr):
            out_dweight_hr += dh_new.T @ (o * tanh_c)
        if len(peephole):
            out_dpeephole += np.stack([di * c_before, df * c_before, do * cells[t]]).sum(axis=1)

        dh = np.where(alive, dsums @ weight_hh, dh)
        dc = np.where(alive, f * dc_new + p_i * di + p_f * df, dc)
    out_dh0[...] = dh
    out_dc0[...] = dc


def _steps(count, reverse):
    """The steps in the order in which they are taken."""
    return range(count - 1, -1, -1) if reverse else range(count)


def _before(t, lengths, reverse):
    """The step taken before t, and for which samples (N, 1) there is none."""
    if reverse:
        return min(t + 1, max(lengths) - 1), (t + 1 >= lengths)[:, None]
    return max(t - 1, 0), np.full((len(lengths), 1), t == 0)


def _sigmoid(x):
    """Written so that the exponential never overflows."""
    decay = np.exp(-np.abs(x))
    return np.where(x < 0, decay, 1) / (1 + decay)
