"""Convolution (cross-correlation) as NumPy states it: the oracle of this op.

Windows are a strided view of the padded image, so each function is one einsum over it.
"""

import numpy as np


def _windows(padded, window, out_height, out_width):
    """The view (N, C, kernel height, kernel width, OH, OW) of a padded image."""
    n, channels = padded.shape[:2]
    image, channel, row, column = padded.strides
    return np.lib.stride_tricks.as_strided(
        padded,
        (n, channels, window.kernel_h, window.kernel_w, out_height, out_width),
        (
            image,
            channel,
            row * window.dilation_h,
            column * window.dilation_w,
            row * window.stride_h,
            column * window.stride_w,
        ),
    )


def _pad(x, window):
    high, wide = window.pad_h, window.pad_w
    return np.pad(x, ((0, 0), (0, 0), (high, high), (wide, wide)))


def _by_group(array, axis, groups):
    """Split one axis into (groups, rest)."""
    shape = array.shape
    return array.reshape(*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :])


def forward(x, weight, bias, window, groups, relu, out_y):
    """y[n, k] = sum over c, i, j of weight[k, c, i, j] x[n, c, windows at i, j] + bias[k].

    x       (N, C, H, W)
    weight  (K, C / groups, kernel height, kernel width)
    bias    (K,), or (0,) which adds nothing
    window  kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w
    out_y   (N, K, OH, OW)
    """
    _, _, out_height, out_width = out_y.shape
    views = _by_group(_windows(_pad(x, window), window, out_height, out_width), 1, groups)
    y = np.einsum("ngcijpq,gkcij->ngkpq", views, _by_group(weight, 0, groups), optimize=True)
    y = y.reshape(out_y.shape)
    if bias.size:
        y = y + bias[:, None, None]
    out_y[...] = np.maximum(y, 0) if relu else y


def to_input(dy, weight, window, groups, out_dx):
    """The gradient of x: every window's gradient added where the window lay."""
    n, channels, height, width = out_dx.shape
    out_height, out_width = dy.shape[2:]
    kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w = window
    columns = np.einsum(
        "ngkpq,gkcij->ngcijpq",
        _by_group(dy, 1, groups),
        _by_group(weight, 0, groups),
        optimize=True,
    ).reshape(n, channels, kernel_h, kernel_w, out_height, out_width)
    padded = np.zeros((n, channels, height + 2 * pad_h, width + 2 * pad_w), dy.dtype)
    for i in range(kernel_h):
        for j in range(kernel_w):
            rows = slice(i * dilation_h, i * dilation_h + stride_h * out_height, stride_h)
            row = slice(j * dilation_w, j * dilation_w + stride_w * out_width, stride_w)
            target = padded[:, :, rows, row]
            target += columns[:, :, i, j, : target.shape[2], : target.shape[3]]
    out_dx[...] = padded[:, :, pad_h : pad_h + height, pad_w : pad_w + width]


def to_weight(x, dy, window, groups, out_dweight):
    """The gradient of weight: dy against the windows, summed over images and positions."""
    out_height, out_width = dy.shape[2:]
    views = _by_group(_windows(_pad(x, window), window, out_height, out_width), 1, groups)
    product = np.einsum("ngkpq,ngcijpq->gkcij", _by_group(dy, 1, groups), views, optimize=True)
    out_dweight[...] = product.reshape(out_dweight.shape)
