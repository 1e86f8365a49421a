"""Gated recurrent units over a sequence: Cho et al. 2014, in PyTorch's convention.

r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)      z the same
n = tanh(W_in x + b_in + r * (W_hn h + b_hn))   reset after the product: PyTorch, cuDNN
n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)   reset before it: the paper
h' = (1 - z) * n + z * h

T steps, N samples, I inputs, H hidden; rows of weights and biases are those of r, z, n.

x, out_dx              (T, N, I)
dy                     (T, N, H), its rows beyond a sample's end ignored
h0, dh_n, out_dh0      (N, H)
weight_ih              (3 H, I)      bias_ih  (3 H,)      and their gradients
weight_hh              (3 H, H)      bias_hh  (3 H,)
lengths                (N,) int64: a sample rests, its state unchanged, from that step on
out_states             (T + 1, N, H): before and after every step. Slot 0 is h0, slot t + 1 follows
                       step t; reversed, slot T is h0 and slot t follows step t
out_gates              (T, N, 4 H): r, z, n, and W_hn h + b_hn, or r * h where reset before;
                       anything where a sample rests
"""

import numpy as np


def forward(
    x,
    h0,
    weight_ih,
    weight_hh,
    bias_ih,
    bias_hh,
    lengths,
    reset_after,
    reverse,
    out_states,
    out_gates,
):
    """Run through the steps, keeping what the gradient needs."""
    hidden = h0.shape[1]
    weight_hn, bias_hn = weight_hh[2 * hidden :], bias_hh[2 * hidden :]
    before, after = _around_steps(out_states, reverse)
    before[-1 if reverse else 0] = h0
    for t in _order(len(x), reverse):
        h = before[t]
        from_x = x[t] @ weight_ih.T + bias_ih
        from_h = h @ weight_hh[: 2 * hidden].T + bias_hh[: 2 * hidden]
        r = _sigmoid(from_x[:, :hidden] + from_h[:, :hidden])
        z = _sigmoid(from_x[:, hidden : 2 * hidden] + from_h[:, hidden:])
        if reset_after:
            kept = h @ weight_hn.T + bias_hn
            n = np.tanh(from_x[:, 2 * hidden :] + r * kept)
        else:
            kept = r * h
            n = np.tanh(from_x[:, 2 * hidden :] + kept @ weight_hn.T + bias_hn)
        runs = (t < lengths)[:, None]
        after[t] = np.where(runs, (1 - z) * n + z * h, h)
        out_gates[t] = np.concatenate([r, z, n, kept], axis=1)


def backward(
    dy,
    dh_n,
    x,
    weight_ih,
    weight_hh,
    lengths,
    states,
    gates,
    reset_after,
    reverse,
    out_dx,
    out_dh0,
    out_dweight_ih,
    out_dweight_hh,
    out_dbias_ih,
    out_dbias_hh,
):
    """Run back through the steps; `dr`, `dz`, `dn` are of what the gates' functions are taken."""
    hidden = dh_n.shape[1]
    weight_rz, weight_hn = weight_hh[: 2 * hidden], weight_hh[2 * hidden :]
    before, _ = _around_steps(states, reverse)
    for gradient in (out_dweight_ih, out_dweight_hh, out_dbias_ih, out_dbias_hh):
        gradient[...] = 0
    dh = dh_n
    for t in reversed(_order(len(x), reverse)):
        runs = (t < lengths)[:, None]
        h = before[t]
        r, z, n, kept = np.split(gates[t], 4, axis=1)
        slope = np.where(runs, dh + dy[t], 0)
        dn = np.where(runs, slope * (1 - z) * (1 - n * n), 0)
        dz = np.where(runs, slope * (h - n) * z * (1 - z), 0)
        if reset_after:
            dkept = np.where(runs, dn * r, 0)
            dr = np.where(runs, dn * kept * r * (1 - r), 0)
            direct, dproduct, factor = slope * z, dkept, h
        else:
            dkept = dn @ weight_hn
            dr = np.where(runs, dkept * h * r * (1 - r), 0)
            direct, dproduct, factor = slope * z + dkept * r, dn, np.where(runs, kept, 0)
        drz = np.concatenate([dr, dz], axis=1)
        of_x = np.concatenate([drz, dn], axis=1)
        out_dx[t] = of_x @ weight_ih
        out_dweight_ih += of_x.T @ np.where(runs, x[t], 0)
        out_dbias_ih += of_x.sum(axis=0)
        out_dweight_hh[: 2 * hidden] += drz.T @ h
        out_dweight_hh[2 * hidden :] += dproduct.T @ factor
        out_dbias_hh[: 2 * hidden] += drz.sum(axis=0)
        out_dbias_hh[2 * hidden :] += dproduct.sum(axis=0)
        through = direct + drz @ weight_rz
        if reset_after:
            through = through + dkept @ weight_hn
        dh = np.where(runs, through, dh)
    out_dh0[...] = dh


def _order(steps, reverse):
    return range(steps - 1, -1, -1) if reverse else range(steps)


def _around_steps(states, reverse):
    """The states before and after each step."""
    return (states[1:], states[:-1]) if reverse else (states[:-1], states[1:])


def _sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2
