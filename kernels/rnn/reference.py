"""The plain recurrent network in NumPy, step by step: the oracle."""

import numpy as np


def forward(x, h0, weights, lengths, relu, reverse, out_states, out_y):
    """h[t] = tanh(W_ih x[t] + W_hh h[t - 1] + bias), or max(., 0) where `relu`.

    x           (T, N, I)
    h0          (N, H)
    weights     W_ih (H, I), W_hh (H, H), bias (H,)
    lengths     (N,); behind a sample's end its state stays, and y is 0
    reverse     from the last step to the first
    out_states  (T + 1, N, H): h0 and the states, in the order of time
    out_y       (T, N, H)
    """
    steps = len(x)
    weight_ih, weight_hh, bias = weights
    out_states[-1 if reverse else 0] = h0
    for t in range(steps)[:: -1 if reverse else 1]:
        past, now = (t + 1, t) if reverse else (t, t + 1)
        sums = x[t] @ weight_ih.T + out_states[past] @ weight_hh.T + bias
        state = np.maximum(sums, 0) if relu else np.tanh(sums)
        runs = t < lengths[:, None]
        out_states[now] = np.where(runs, state, out_states[past])
        out_y[t] = np.where(runs, out_states[now], 0)


def backward(dy, dh_n, x, states, weights, lengths, relu, reverse, out_dx, out_dh0, out_dweights):
    """Gradients through time, from the last step walked to the first; as `forward`."""
    weight_ih, weight_hh, _ = weights
    dweight_ih, dweight_hh, dbias = out_dweights
    for out in out_dweights:
        out[...] = 0
    dh = dh_n
    for t in range(len(x))[:: 1 if reverse else -1]:
        past, now = (t + 1, t) if reverse else (t, t + 1)
        state = states[now]
        runs = t < lengths[:, None]
        slope = np.where(state > 0, 1, 0) if relu else 1 - state * state
        dsums = np.where(runs, (dy[t] + dh) * slope, 0)
        dh = np.where(runs, dsums @ weight_hh, dh)
        out_dx[t] = dsums @ weight_ih
        dweight_ih += dsums.T @ x[t]
        dweight_hh += dsums.T @ states[past]
        dbias += dsums.sum(axis=0)
    out_dh0[...] = dh
