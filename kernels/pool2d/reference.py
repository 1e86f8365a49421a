"""Pooling in NumPy: the oracle. A window's cell is a strided view of the padded planes."""

import numpy as np


def max_forward(x, kernel_size, stride, padding, dilation, out_y, out_argmax):
    """The greatest of each window and its position ky * kernel_width + kx.

    x                 (N, C, H, W)
    out_y             (N, C, H', W'); NaN where the window has one
    out_argmax        the same, signed integers; -1 where the window lies wholly outside x
    """
    geometry = kernel_size, stride, dilation, out_y.shape
    padded = _pad(x, padding, geometry)
    inside = _pad(np.ones(x.shape, bool), padding, geometry)
    out_y[...] = -np.inf
    out_argmax[...] = -1
    for position in range(kernel_size[0] * kernel_size[1]):
        value = _cell(padded, position, geometry)
        better = (value > out_y) | np.isnan(value) | (out_argmax < 0)
        better &= _cell(inside, position, geometry)
        np.copyto(out_y, value, where=better)
        np.copyto(out_argmax, out_argmax.dtype.type(position), where=better)


def max_backward(dy, argmax, kernel_size, stride, padding, dilation, out_dx):
    """Each dy goes to the cell its maximum came from."""
    geometry = kernel_size, stride, dilation, dy.shape
    padded = _pad(np.zeros_like(out_dx), padding, geometry)
    for position in range(kernel_size[0] * kernel_size[1]):
        cell = _cell(padded, position, geometry)
        cell += np.where(argmax == position, dy, 0)
    _crop(padded, padding, out_dx)


def average_forward(x, kernel_size, stride, padding, count_include_pad, divisor, out_y):
    """The mean of each window, or its sum by a divisor not 0."""
    geometry = kernel_size, stride, (1, 1), out_y.shape
    padded = _pad(x.astype(np.float64), padding, geometry)
    total = np.zeros(out_y.shape)
    for position in range(kernel_size[0] * kernel_size[1]):
        total += _cell(padded, position, geometry)
    out_y[...] = total / (divisor or _counts(x.shape, padding, count_include_pad, geometry))


def average_backward(dy, kernel_size, stride, padding, count_include_pad, divisor, out_dx):
    """Each dy, divided by its window's count, goes to all cells of the window."""
    geometry = kernel_size, stride, (1, 1), dy.shape
    share = dy / (divisor or _counts(out_dx.shape, padding, count_include_pad, geometry))
    padded = _pad(np.zeros(out_dx.shape), padding, geometry)
    for position in range(kernel_size[0] * kernel_size[1]):
        cell = _cell(padded, position, geometry)
        cell += share
    _crop(padded, padding, out_dx)


def adaptive_average_forward(x, out_y):
    """The mean over rows floor(i H / H') to ceil((i+1) H / H') - 1, and columns likewise."""
    for (i, rows), (j, columns) in _adaptive_windows(x.shape, out_y.shape):
        out_y[:, :, i, j] = x[:, :, rows, columns].mean((2, 3), dtype=np.float64)


def adaptive_average_backward(dy, out_dx):
    """Each dy, divided by its window's count, goes to all cells of the window."""
    total = np.zeros(out_dx.shape)
    for (i, rows), (j, columns) in _adaptive_windows(out_dx.shape, dy.shape):
        window = total[:, :, rows, columns]
        window += dy[:, :, i, j, None, None] / (window.shape[2] * window.shape[3])
    out_dx[...] = total


def adaptive_max_forward(x, out_y, out_argmax):
    """The greatest of each such window and where it lies in its plane, row * W + column."""
    n, channels, _, width = x.shape
    for (i, rows), (j, columns) in _adaptive_windows(x.shape, out_y.shape):
        window = x[:, :, rows, columns]
        across = window.shape[3]
        window = window.reshape(n, channels, -1)
        nan = np.isnan(window)
        last_nan = nan.shape[2] - 1 - nan[:, :, ::-1].argmax(2)
        position = np.where(nan.any(2), last_nan, window.argmax(2))
        out_y[:, :, i, j] = np.take_along_axis(window, position[:, :, None], 2)[:, :, 0]
        row, column = position // across, position % across
        out_argmax[:, :, i, j] = (rows.start + row) * width + columns.start + column


def adaptive_max_backward(dy, argmax, out_dx):
    """Each dy goes to the element its maximum was, those of one element are added."""
    n, channels = out_dx.shape[:2]
    out_dx[...] = 0
    image, channel = np.ogrid[:n, :channels]
    flat = out_dx.reshape(n, channels, -1)
    for i, j in np.ndindex(dy.shape[2:]):
        flat[image, channel, argmax[:, :, i, j]] += dy[:, :, i, j]


def _pad(x, padding, geometry):
    """Zeros around the planes, at the far ends as many as the last window reaches over."""
    kernel_size, stride, dilation, out_shape = geometry
    widths = [(0, 0), (0, 0)]
    for axis in (0, 1):
        reach = (out_shape[2 + axis] - 1) * stride[axis] + dilation[axis] * (kernel_size[axis] - 1)
        beyond = reach + 1 - padding[axis] - x.shape[2 + axis]
        widths.append((padding[axis], max(beyond, 0)))
    return np.pad(x, widths)


def _cell(padded, position, geometry):
    """A view of the cell at `position` of every window."""
    kernel_size, stride, dilation, out_shape = geometry
    slices = []
    for axis, index in enumerate(divmod(position, kernel_size[1])):
        start = index * dilation[axis]
        stop = start + (out_shape[2 + axis] - 1) * stride[axis] + 1
        slices.append(slice(start, stop, stride[axis]))
    return padded[:, :, slices[0], slices[1]]


def _crop(padded, padding, out_x):
    height, width = out_x.shape[2:]
    out_x[...] = padded[:, :, padding[0] : padding[0] + height, padding[1] : padding[1] + width]


def _counts(shape, padding, count_include_pad, geometry):
    """How many cells of each window lie in x or, if they count, in its padding; (H', W')."""
    height, width = shape[2:]
    if count_include_pad:
        height, width, padding = height + 2 * padding[0], width + 2 * padding[1], (0, 0)
    counted = np.ones((1, 1, height, width))
    padded = _pad(counted, padding, geometry)
    cells = range(geometry[0][0] * geometry[0][1])
    return sum(_cell(padded, position, geometry) for position in cells)[0, 0]


def _adaptive_windows(shape, out_shape):
    """Every pair of ((i, rows of window i), (j, columns of window j))."""
    axes = []
    for size, count in zip(shape[2:], out_shape[2:], strict=True):
        bounds = [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        axes.append([(i, slice(*bound)) for i, bound in enumerate(bounds)])
    return [(row, column) for row in axes[0] for column in axes[1]]
