"""Two-dimensional convolution (cross-correlation), with a bias and ReLU behind it."""

from typing import NamedTuple

import numpy as np

from kernels import _jit, _memory
from kernels._check import float_arrays
from kernels._reduce import channel_sums, mask_where_positive
from kernels._tile import TILE_ROWS, TILE_VECTORS, panel_columns
from kernels.conv2d import cpu_im2col, reference

IMPLEMENTATIONS = {"reference": reference, "cpu": cpu_im2col}

__all__ = ["IMPLEMENTATIONS", "Saved", "Window", "backward", "forward"]

# (kernel height, width, stride h, w, padding h, w, dilation h, w)
Window = tuple[int, int, int, int, int, int, int, int]

# Scratch of a task, in elements: half of a 512 KiB L2 of float32.
SCRATCH = 1 << 16


class Saved(NamedTuple):
    x: np.ndarray
    weight: np.ndarray
    y: np.ndarray | None  # only where ReLU was applied
    has_bias: bool
    window: Window
    groups: int


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    relu: bool = False,
) -> tuple[np.ndarray, Saved]:
    """y[n, k, p, q] = bias[k] + sum over c, i, j of weight[k, c, i, j] x[n, c, ., .].

    x       (N, C, H, W), float32 | float64
    weight  (K, C / groups, kernel height, kernel width)
    bias    (K,) or None
    y       (N, K, OH, OW), OH = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.
    """
    if bias is None:
        x, weight = float_arrays("conv2d", x=x, weight=weight)
    else:
        x, weight, bias = float_arrays("conv2d", x=x, weight=weight, bias=bias)
    window = _window(x, weight, stride, padding, dilation, groups)
    filters, channels, kernel_h, kernel_w = weight.shape
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"conv2d: expected a bias of shape ({filters},), got {bias.shape}")
    out_height, out_width = _output_size(x.shape[2:], window)
    y = _memory.empty((x.shape[0], filters, out_height, out_width), x.dtype)
    saved = Saved(x, weight, y if relu else None, bias is not None, window, groups)
    if y.size == 0:
        return y, saved
    threads = _jit.thread_rows()
    row_length = channels * kernel_h * kernel_w
    columns = panel_columns(x.dtype)
    depth = min(row_length, cpu_im2col.DEPTH)
    strip = _strip(out_height * out_width, depth, columns)
    cpu_im2col.forward(
        x=x,
        weight=weight,
        bias=np.zeros(filters, x.dtype) if bias is None else bias,
        window=window,
        groups=groups,
        relu=relu,
        finish=relu or bias is not None,
        strip=strip,
        work_weight=_memory.empty(
            groups * row_length * _round_up(filters // groups, TILE_ROWS), x.dtype
        ),
        work_columns=_memory.empty(
            (threads, depth * (strip + cpu_im2col.MARGIN) + columns), x.dtype
        ),
        work_spare=_memory.empty((threads, TILE_ROWS * columns), x.dtype),
        out_y=y,
    )
    return y, saved


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of x, weight and bias; None where `needs` is False or there was no bias."""
    (dy,) = float_arrays("conv2d.backward", dy=dy)
    x, weight, y, has_bias, window, groups = saved
    expected = (x.shape[0], weight.shape[0], *_output_size(x.shape[2:], window))
    if dy.shape != expected or dy.dtype != x.dtype:
        raise ValueError(
            f"conv2d.backward: expected dy of shape {expected} and {x.dtype}, "
            f"got {dy.shape} and {dy.dtype}"
        )
    if dy.size == 0:
        dx, dweight = np.zeros_like(x), np.zeros_like(weight)
        dbias = np.zeros(weight.shape[0], x.dtype) if has_bias else None
        gradients = (dx, dweight, dbias)
        return tuple(g if need else None for g, need in zip(gradients, needs, strict=True))  # type: ignore[return-value]
    if y is not None:
        masked = _memory.empty(dy.shape, dy.dtype)
        mask_where_positive(dy=dy, y=y, out_dy=masked)
        dy = masked
    dx = _to_input(dy, weight, x.shape, window, groups) if needs[0] else None
    dweight = _to_weight(x, dy, weight.shape, window, groups) if needs[1] else None
    dbias = None
    if needs[2] and has_bias:
        dbias = np.empty(weight.shape[0], dy.dtype)
        channel_sums(x=dy.reshape(*dy.shape[:2], -1), out_sums=dbias)
    return dx, dweight, dbias


def _to_input(
    dy: np.ndarray, weight: np.ndarray, x_shape: tuple[int, ...], window: Window, groups: int
) -> np.ndarray:
    dx = _memory.empty(x_shape, dy.dtype)
    filters, channels = weight.shape[0] // groups, weight.shape[1]
    area = weight.shape[2] * weight.shape[3]
    columns = panel_columns(dy.dtype)
    # A chunk of channels: some 100 rows of columns, so that copying dy is soon paid for.
    chunk = max(1, min(channels, 108 // area))
    rows = _round_up(chunk * area, TILE_ROWS)
    strip = _strip(dy.shape[2] * dy.shape[3], max(filters, rows), columns)
    pitch = strip + cpu_im2col.MARGIN
    threads = _jit.thread_rows()
    cpu_im2col.to_input(
        dy=dy,
        weight=weight,
        window=window,
        groups=groups,
        strip=strip,
        chunk=chunk,
        work_weight=_memory.empty(groups * -(-channels // chunk) * rows * filters, dy.dtype),
        work_dy=_memory.empty((threads, filters * pitch + columns), dy.dtype),
        work_columns=_memory.empty((threads, rows * pitch), dy.dtype),
        work_spare=_memory.empty((threads, TILE_ROWS * columns), dy.dtype),
        out_dx=dx,
    )
    return dx


def _to_weight(
    x: np.ndarray, dy: np.ndarray, shape: tuple[int, ...], window: Window, groups: int
) -> np.ndarray:
    dweight = _memory.empty(shape, x.dtype)
    filters, channels = _round_up(shape[0] // groups, TILE_ROWS), shape[1]
    area = shape[2] * shape[3]
    positions = dy.shape[2] * dy.shape[3]
    chunk = max(1, min(channels, 72 // area))
    rows = _round_up(chunk * area, TILE_VECTORS)
    strip = _strip(positions, max(filters, rows), panel_columns(x.dtype))
    chunks = groups * -(-channels // chunk)
    # 8 tasks keep 2 to 8 threads busy; more parts are more to combine.
    parts = max(1, min(-(-8 // chunks), x.shape[0] * -(-positions // strip)))
    pitch = strip + cpu_im2col.MARGIN
    threads = _jit.thread_rows()
    cpu_im2col.to_weight(
        x=x,
        dy=dy,
        window=window,
        groups=groups,
        strip=strip,
        chunk=chunk,
        parts=parts,
        work_dy=_memory.empty((threads, filters * pitch), x.dtype),
        work_columns=_memory.empty((threads, rows * pitch), x.dtype),
        work_partial=_memory.empty((chunks * parts, filters * rows), np.float64),
        out_dweight=dweight,
    )
    return dweight


def _strip(positions: int, rows: int, columns: int) -> int:
    """How many positions fit the scratch of a task at `rows` elements each, in whole tiles."""
    fitting = max(2, min(SCRATCH // 2 // rows, 1008) // columns) * columns
    pieces = -(-positions // fitting)
    return _round_up(-(-positions // pieces), columns)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _output_size(size: tuple[int, ...], window: Window) -> tuple[int, int]:
    kernel, stride, padding, dilation = window[0:2], window[2:4], window[4:6], window[6:8]
    height, width = (
        (size[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1) // stride[a] + 1
        for a in (0, 1)
    )
    return height, width


def _window(
    x: np.ndarray,
    weight: np.ndarray,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> Window:
    """All the geometry in one tuple, after checking it."""
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(
            "conv2d: expected x (N, C, H, W) and weight (K, C / groups, kernel height, "
            f"kernel width), got shapes {x.shape} and {weight.shape}"
        )
    for name, pair, least in (
        ("stride", stride, 1),
        ("padding", padding, 0),
        ("dilation", dilation, 1),
    ):
        if len(pair) != 2 or min(pair) < least:
            raise ValueError(f"conv2d: expected {name} as two integers >= {least}, got {pair}")
    filters, channels, kernel_h, kernel_w = weight.shape
    if groups < 1 or x.shape[1] % groups or filters % groups:
        raise ValueError(
            f"conv2d: expected groups to divide {x.shape[1]} channels and {filters} filters, "
            f"got {groups}"
        )
    if x.shape[1] != channels * groups:
        raise ValueError(
            f"conv2d: expected x with {channels * groups} channels for weight {weight.shape} "
            f"in {groups} group(s), got {x.shape[1]}"
        )
    if 0 in weight.shape:
        raise ValueError(f"conv2d: expected a weight without empty axes, got {weight.shape}")
    window = (kernel_h, kernel_w, *stride, *padding, *dilation)
    if min(_output_size(x.shape[2:], window)) < 1:
        raise ValueError(
            f"conv2d: expected an input of at least the kernel's extent, got {x.shape[2:]} with "
            f"padding {padding} under a kernel of {(kernel_h, kernel_w)} with dilation {dilation}"
        )
    return window
