"""Transposed convolution as NumPy states it, tap by tap: the oracle of this op.

x, out_dx            (N, C, H, W)
weight, out_dweight  (C, K / groups, kernel height, kernel width)
bias                 (K,), or (0,) which adds nothing
window               kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w
dy, out_y            (N, K, OH, OW), which a convolution with this window takes to (H, W)
"""

import numpy as np


def forward(x, weight, bias, window, groups, out_y):
    """y[n, k, stride p + dilation i - pad] += weight[c, k, i] x[n, c, p], plus bias[k]."""
    _, _, _, _, pad_h, pad_w, _, _ = window
    whole = _padded(np.zeros_like(out_y, x.dtype), window)
    for i, j, met in _taps(whole, window, x.shape[2:]):
        products = np.einsum(
            "ngcpq,gck->ngkpq", _by_group(x, 1, groups), _by_group(weight[..., i, j], 0, groups)
        )
        met += products.reshape(met.shape)
    y = whole[:, :, pad_h : pad_h + out_y.shape[2], pad_w : pad_w + out_y.shape[3]]
    out_y[...] = y + bias[:, None, None] if bias.size else y


def to_input(dy, weight, window, groups, out_dx):
    """dx[n, c, p] = sum over k, i of weight[c, k, i] dy[n, k, stride p + dilation i - pad]."""
    out_dx[...] = 0
    for i, j, met in _taps(_padded(dy, window), window, out_dx.shape[2:]):
        products = np.einsum(
            "ngkpq,gck->ngcpq", _by_group(met, 1, groups), _by_group(weight[..., i, j], 0, groups)
        )
        out_dx += products.reshape(out_dx.shape)


def to_weight(x, dy, window, groups, out_dweight):
    """dweight[c, k, i] = sum over n, p of x[n, c, p] dy[n, k, stride p + dilation i - pad]."""
    for i, j, met in _taps(_padded(dy, window), window, x.shape[2:]):
        products = np.einsum("ngcpq,ngkpq->gck", _by_group(x, 1, groups), _by_group(met, 1, groups))
        out_dweight[..., i, j] = products.reshape(out_dweight.shape[:2])


def _padded(y, window):
    _, _, _, _, pad_h, pad_w, _, _ = window
    return np.pad(y, ((0, 0), (0, 0), (pad_h, pad_h), (pad_w, pad_w)))


def _taps(padded, window, size):
    """For each tap what it meets of a padded y, an element for each of x's planes of this size."""
    kernel_h, kernel_w, stride_h, stride_w, _, _, dilation_h, dilation_w = window
    for i in range(kernel_h):
        for j in range(kernel_w):
            top, left = i * dilation_h, j * dilation_w
            rows = slice(top, top + stride_h * size[0], stride_h)
            columns = slice(left, left + stride_w * size[1], stride_w)
            yield i, j, padded[:, :, rows, columns]


def _by_group(array, axis, groups):
    """Split one axis into (groups, rest)."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])
