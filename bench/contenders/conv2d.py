"""Convolution with a bias."""

import numpy as np

from bench.case import Contender
from kernels import conv2d

Pair = tuple[int, int]


def with_numpy(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    dy: np.ndarray,
    stride: Pair,
    padding: Pair,
    groups: int,
) -> Contender:
    if weight.shape[1] == 1 and groups == len(weight) and stride == (1, 1):
        return _depthwise(x, weight, bias, dy, padding)
    return _columns(x, weight, bias, dy, stride, padding, groups)


def _columns(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    dy: np.ndarray,
    stride: Pair,
    padding: Pair,
    groups: int,
) -> Contender:
    """im2col by strides and BLAS; col2im adds one kernel position of all images at a time."""
    images, channels, height, width = x.shape
    filters, _, kernel_h, kernel_w = weight.shape
    stride_h, stride_w = stride
    top, left = padding
    out_h, out_w = dy.shape[2:]
    matrix = weight.reshape(groups, filters // groups, -1)

    def forward():
        padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left))) if any(padding) else x
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_h, kernel_w), (2, 3))
        windows = windows[:, :, ::stride_h, ::stride_w].transpose(0, 1, 4, 5, 2, 3)
        # A copy, but for kernels of 1x1, which need none.
        columns = windows.reshape(images, groups, matrix.shape[2], out_h * out_w)
        y = (matrix @ columns).reshape(dy.shape)
        y += bias[:, None, None]
        return y, columns

    def backward(columns):
        flat = dy.reshape(images, groups, filters // groups, -1)
        dweight = (flat @ columns.swapaxes(2, 3)).sum(0).reshape(weight.shape)
        dcolumns = matrix.swapaxes(1, 2) @ flat
        return col2im(dcolumns), dweight, flat.sum(3).sum(0).reshape(filters)

    def col2im(dcolumns):
        if (kernel_h, kernel_w, *stride, *padding) == (1, 1, 1, 1, 0, 0):
            return dcolumns.reshape(x.shape)
        dcolumns = dcolumns.reshape(images, channels, kernel_h, kernel_w, out_h, out_w)
        dx = np.zeros((images, channels, height + 2 * top, width + 2 * left), x.dtype)
        for i in range(kernel_h):
            for j in range(kernel_w):
                rows = slice(i, i + stride_h * out_h, stride_h)
                dx[:, :, rows, j : j + stride_w * out_w : stride_w] += dcolumns[:, :, i, j]
        return dx[:, :, top : top + height, left : left + width]

    return Contender(forward, backward)


def _depthwise(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dy: np.ndarray, padding: Pair
) -> Contender:
    """One kernel position of all images at a time: products of one row gain nothing from BLAS."""
    (top, left), (height, width), (out_h, out_w) = padding, x.shape[2:], dy.shape[2:]
    taps = list(np.ndindex(weight.shape[2:]))

    def window(padded, i, j):
        return padded[:, :, i : i + out_h, j : j + out_w]

    def forward():
        padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left)))
        y = np.empty_like(dy)
        y[...] = bias[:, None, None]
        product = np.empty_like(dy)
        for i, j in taps:
            np.multiply(window(padded, i, j), weight[:, 0, i, j, None, None], out=product)
            y += product
        return y, padded

    def backward(padded):
        dpadded, dweight, product = np.zeros_like(padded), np.empty_like(weight), np.empty_like(dy)
        for i, j in taps:
            np.multiply(dy, weight[:, 0, i, j, None, None], out=product)
            into = window(dpadded, i, j)
            into += product
            dweight[:, 0, i, j] = np.einsum("nchw,nchw->c", window(padded, i, j), dy)
        dx = dpadded[:, :, top : top + height, left : left + width]
        return dx, dweight, dy.sum((0, 2, 3))

    return Contender(forward, backward)


def with_nnet(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    dy: np.ndarray,
    stride: Pair,
    padding: Pair,
    groups: int,
) -> Contender:
    return Contender(
        lambda: conv2d.forward(x, weight, bias, stride=stride, padding=padding, groups=groups),
        lambda saved: conv2d.backward(dy, saved),
    )


def with_torch(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray,
    dy: np.ndarray,
    stride: Pair,
    padding: Pair,
    groups: int,
) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
    gradient = torch.tensor(dy)

    def forward():
        image, filters, offset = leaves
        y = torch.nn.functional.conv2d(image, filters, offset, stride, padding, groups=groups)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
