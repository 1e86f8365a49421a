"""Attention in blocks of queries and keys: the algorithm of `cpu.py` in NumPy, without its speed.

Arguments are those of the reference; README.md derives both passes.
"""

import numpy as np

ROWS, KEYS = 64, 256


def forward(query, key, value, mask, key_lengths, causal, scale, out_y, out_lse):
    """m is the greatest score of a row so far, l = sum e^(s - m), and o the sum of e^(s - m) v."""
    for n, h, rows, blocks in _blocks(query, key_lengths):
        m, l, o = (
            np.full(len(rows), -np.inf),
            np.zeros(len(rows)),
            np.zeros(out_y[0, 0, rows].shape),
        )
        for keys in blocks:
            s = _scores(query[n, h], key[n, h], mask, (n, h), rows, keys, causal, scale)
            top = np.maximum(m, s.max(axis=1))
            shift = np.where(top == -np.inf, 0, top)
            p, shrink = np.exp(s - shift[:, None]), np.exp(m - shift)
            m, l = top, shrink * l + p.sum(axis=1)
            o = shrink[:, None] * o + p @ value[n, h, keys]
        seen = l > 0
        with np.errstate(divide="ignore"):
            out_lse[n, h, rows] = np.where(seen, m + np.log(l), np.inf)
        out_y[n, h, rows] = o / np.where(seen, l, 1)[:, None]


def backward(
    dy, query, key, value, mask, key_lengths, causal, scale, y, lse, out_dq, out_dk, out_dv
):
    """Each block's weights come again, as e^(s - lse); delta is the row's sum of p dp."""
    for out in (out_dq, out_dk, out_dv):
        out[...] = 0
    for n, h, rows, blocks in _blocks(query, key_lengths):
        delta = np.sum(dy[n, h, rows] * y[n, h, rows], axis=1)
        for keys in blocks:
            s = _scores(query[n, h], key[n, h], mask, (n, h), rows, keys, causal, scale)
            p = np.exp(s - lse[n, h, rows, None])
            dp = dy[n, h, rows] @ value[n, h, keys].T
            ds = scale * p * (dp - delta[:, None])
            out_dv[n, h, keys] += p.T @ dy[n, h, rows]
            out_dq[n, h, rows] += ds @ key[n, h, keys]
            out_dk[n, h, keys] += ds.T @ query[n, h, rows]


def _blocks(query, key_lengths):
    """Of each head of each sample blocks of queries, and with each the blocks of keys."""
    samples, heads, count, _ = query.shape
    for n, h in np.ndindex(samples, heads):
        keys = np.arange(key_lengths[n])
        for start in range(0, count, ROWS):
            rows = np.arange(start, min(start + ROWS, count))
            yield n, h, rows, [keys[k : k + KEYS] for k in range(0, len(keys), KEYS)]


def _scores(query, key, mask, head, rows, keys, causal, scale):
    s = scale * (query[rows] @ key[keys].T)
    if mask.size:
        s = s + mask[head][np.ix_(rows, keys)]
    return np.where(keys > rows[:, None], -np.inf, s) if causal else s
