"""Scaled dot-product attention of all rows at once, the weights in full.

query, key, value  (N, H, L, E), (N, H, S, E), (N, H, S, Ev)
mask               (N, H, L, S), added to the scores, or empty
key_lengths        (N,): keys from there on take no part
"""

import numpy as np


def forward(query, key, value, mask, key_lengths, causal, scale, out_y, out_lse):
    """y = softmax(scale query key' + mask) value, and the logarithm of each row's denominator.

    A row that sees no key gives zeros, and an infinite logarithm, which makes its weights zero.
    """
    scores, value = _scores(query, key, value, mask, key_lengths, causal, scale)
    with np.errstate(all="ignore"):
        top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
        e = np.exp(scores - np.where(top == -np.inf, 0, top))
        total = e.sum(axis=-1, keepdims=True)
        out_lse[...] = np.where(total == 0, np.inf, top + np.log(total))[..., 0]
        out_y[...] = np.where(total == 0, 0, e / total) @ value


def backward(
    dy, query, key, value, mask, key_lengths, causal, scale, y, lse, out_dq, out_dk, out_dv
):
    """With weights p: dv = p' dy, ds = p (dy value' - dy y'), dq = scale ds key, dk = scale ds' q.

    The weights are computed again, e^(score - lse).
    """
    scores, value = _scores(query, key, value, mask, key_lengths, causal, scale)
    with np.errstate(all="ignore"):
        p = np.exp(scores - lse[..., None])
        out_dv[...] = p.swapaxes(-1, -2) @ dy
        ds = p * (dy @ value.swapaxes(-1, -2) - np.sum(dy * y, axis=-1, keepdims=True))
        key = np.where(_taking_part(key, key_lengths), key, 0)
        out_dq[...] = scale * (ds @ key)
        out_dk[...] = scale * (ds.swapaxes(-1, -2) @ query)


def _scores(query, key, value, mask, key_lengths, causal, scale):
    """-inf where a row does not see a key; and the values, 0 where they take no part."""
    seen = np.swapaxes(_taking_part(key, key_lengths), -1, -2)
    if causal:
        seen = seen & np.tri(query.shape[2], key.shape[2], dtype=bool)
    with np.errstate(all="ignore"):
        scores = scale * (query @ key.swapaxes(-1, -2))
        if mask.size:
            scores = scores + mask
    return np.where(seen, scores, -np.inf), np.where(_taking_part(key, key_lengths), value, 0)


def _taking_part(key, key_lengths):
    """(N, 1, S, 1)"""
    return (np.arange(key.shape[2]) < key_lengths[:, None])[:, None, :, None]
