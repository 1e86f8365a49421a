"""Convolution with a bias."""

import numpy as np

from bench.case import Contender
from kernels import conv2d

Pair = tuple[int, int]


def with_numpy(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dy: np.ndarray, stride: Pair, padding: Pair
) -> Contender:
    """im2col by strides and BLAS; col2im adds one kernel position of all images at a time."""
    images, channels, height, width = x.shape
    filters, _, kernel_h, kernel_w = weight.shape
    stride_h, stride_w = stride
    top, left = padding
    out_h, out_w = dy.shape[2:]
    matrix = weight.reshape(filters, -1)

    def forward():
        padded = np.pad(x, ((0, 0), (0, 0), (top, top), (left, left))) if any(padding) else x
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_h, kernel_w), (2, 3))
        windows = windows[:, :, ::stride_h, ::stride_w].transpose(0, 1, 4, 5, 2, 3)
        # A copy, but for kernels of 1x1, which need none.
        columns = windows.reshape(images, matrix.shape[1], out_h * out_w)
        y = matrix @ columns
        y += bias[:, None]
        return y.reshape(dy.shape), columns

    def backward(columns):
        flat = dy.reshape(images, filters, -1)
        dweight = (flat @ columns.transpose(0, 2, 1)).sum(0).reshape(weight.shape)
        dcolumns = matrix.T @ flat
        return col2im(dcolumns), dweight, flat.sum(2).sum(0)

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


def with_nnet(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dy: np.ndarray, stride: Pair, padding: Pair
) -> Contender:
    return Contender(
        lambda: conv2d.forward(x, weight, bias, stride=stride, padding=padding),
        lambda saved: conv2d.backward(dy, saved),
    )


def with_torch(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray, dy: np.ndarray, stride: Pair, padding: Pair
) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (x, weight, bias)]
    gradient = torch.tensor(dy)

    def forward():
        image, filters, offset = leaves
        y = torch.nn.functional.conv2d(image, filters, offset, stride, padding)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
