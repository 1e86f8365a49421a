"""Two-dimensional convolution (cross-correlation), with a bias and ReLU behind it."""

import functools
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import float_arrays
from kernels._reduce import channel_sums, mask_where_positive
from kernels.conv2d import (
    cpu_depthwise,
    cpu_direct_weight,
    cpu_im2col,
    cpu_winograd_weight,
    reference,
    run_depthwise,
    run_direct,
    run_im2col,
    run_winograd,
)
from kernels.conv2d.reference import Window

IMPLEMENTATIONS = {
    "reference": reference,
    "cpu": cpu_im2col,
    "cpu_direct": cpu_direct_weight,
    "cpu_depthwise": cpu_depthwise,
    "cpu_winograd": cpu_winograd_weight,
}
# Fewer leave most lanes of the direct tiles empty.
LEAST_FILTERS = 5

ALGORITHMS = ("auto", "im2col", "direct", "depthwise", "winograd")

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward"]


class Saved(NamedTuple):
    x: np.ndarray
    weight: np.ndarray
    y: np.ndarray | None  # only where ReLU was applied
    has_bias: bool
    window: Window
    groups: int
    algorithm: str


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
    algorithm: str = "auto",
) -> tuple[np.ndarray, Saved]:
    """y[n, k, p, q] = bias[k] + sum over c, i, j of weight[k, c, i, j] x[n, c, ., .].

    x       (N, C, H, W), float32 | float64
    weight  (K, C / groups, kernel height, kernel width)
    bias    (K,) or None
    y       (N, K, OH, OW), OH = (H + 2 padding - dilation (kernel - 1) - 1) // stride + 1

    `algorithm` is one of ALGORITHMS; on finite numbers they differ in speed and in rounding alone.
    Winograd's errors are up to 3 times those of plain sums: 1e-6 of the result's size in float32.
    NaN and infinity make NaN there of all 4 x 4 outputs of a tile that sees them, and of all 9 taps
    of a filter's gradient; the other algorithms keep to what sees them.

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.
    """
    if bias is None:
        x, weight = float_arrays("conv2d", x=x, weight=weight)
    else:
        x, weight, bias = float_arrays("conv2d", x=x, weight=weight, bias=bias)
    if algorithm not in ALGORITHMS:
        raise ValueError(f"conv2d: expected algorithm as one of {ALGORITHMS}, got {algorithm!r}")
    _check_options(x, weight, stride, padding, dilation, groups)
    window, size = _geometry(x.shape, weight.shape, stride, padding, dilation, groups)
    filters = weight.shape[0]
    if bias is not None and bias.shape != (filters,):
        raise ValueError(f"conv2d: expected a bias of shape ({filters},), got {bias.shape}")
    y = _memory.empty((x.shape[0], filters, *size), x.dtype)
    saved = Saved(x, weight, y if relu else None, bias is not None, window, groups, algorithm)
    if y.size == 0:
        return y, saved
    if bias is None:
        bias = np.empty(0, x.dtype)
    chosen = _choose(algorithm, window, groups, weight.shape, y.shape, x.dtype)
    if chosen == "winograd":
        run_winograd.forward(x, weight, bias, window, relu, y)
    elif chosen == "direct":
        run_direct.forward(x, weight, bias, window, groups, relu, y)
    elif chosen == "depthwise":
        run_depthwise.forward(x, weight, bias, window, groups, relu, y)
    else:
        run_im2col.forward(x, weight, bias, window, groups, relu, y)
    return y, saved


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of x, weight and bias; None where `needs` is False or there was no bias."""
    (dy,) = float_arrays("conv2d.backward", dy=dy)
    x, weight, y, has_bias, window, groups, algorithm = saved
    expected = (x.shape[0], weight.shape[0], *_output_size(x.shape[2:], window))
    if dy.shape != expected or dy.dtype != x.dtype:
        raise ValueError(
            f"conv2d.backward: expected dy of shape {expected} and {x.dtype}, "
            f"got {dy.shape} and {dy.dtype}"
        )
    dx: np.ndarray | None = None
    dweight: np.ndarray | None = None
    dbias: np.ndarray | None = None
    if dy.size == 0:
        dx = np.zeros_like(x) if needs[0] else None
        dweight = np.zeros_like(weight) if needs[1] else None
        dbias = np.zeros(weight.shape[0], x.dtype) if needs[2] and has_bias else None
        return dx, dweight, dbias
    if y is not None:
        masked = _memory.empty(dy.shape, dy.dtype)
        mask_where_positive(dy=dy, y=y, out_dy=masked)
        dy = masked
    chosen = _choose(algorithm, window, groups, weight.shape, dy.shape, x.dtype)
    if needs[0]:
        dx = _memory.empty(x.shape, x.dtype)
        if x.size == 0:
            pass
        elif chosen == "winograd" and max(window[4:6]) <= 2:
            run_winograd.to_input(dy, weight, window, dx)
        elif chosen == "direct" and (algorithm == "direct" or weight.shape[1] >= LEAST_FILTERS):
            run_direct.to_input(dy, weight, window, groups, dx)
        elif chosen == "depthwise":
            run_depthwise.to_input(dy, weight, window, groups, dx)
        else:
            run_im2col.to_input(dy, weight, window, groups, dx)
    if needs[1]:
        dweight = _memory.empty(weight.shape, x.dtype)
        if chosen == "winograd":
            run_winograd.to_weight(x, dy, window, dweight)
        elif chosen == "direct":
            run_direct.to_weight(x, dy, window, groups, dweight)
        elif chosen == "depthwise":
            run_depthwise.to_weight(x, dy, window, groups, dweight)
        else:
            run_im2col.to_weight(x, dy, window, groups, dweight)
    if needs[2] and has_bias:
        dbias = np.empty(weight.shape[0], dy.dtype)
        channel_sums(x=dy.reshape(*dy.shape[:2], -1), out_sums=dbias)
    return dx, dweight, dbias


@functools.lru_cache(maxsize=512)
def _choose(
    algorithm: str,
    window: Window,
    groups: int,
    weight_shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    dtype: np.dtype,
) -> str:
    """The fastest algorithm, by what each saves; a name chooses itself.

    Winograd saves three quarters of the products of 3 x 3 kernels, for transforms that 16
    channels and filters pay for. Direct saves filling the columns, unless a kernel of one tap
    without a stride makes the columns the input itself. Groups of few channels fill no tile of
    a matrix product: vectors run along their rows.
    """
    filters, channels = weight_shape[0], weight_shape[1] * groups
    applies = run_winograd.applies(window, groups, dtype)
    if algorithm == "winograd" and not applies:
        raise ValueError(
            "conv2d: expected a 3 x 3 kernel with stride 1, dilation 1 and one group for "
            f"algorithm 'winograd', got {window[0:2]}, {window[2:4]}, {window[6:8]}, {groups}"
        )
    if algorithm != "auto":
        return algorithm
    if applies and run_winograd.pays(channels, filters, out_shape):
        return "winograd"
    if groups > 1 and max(filters, channels) < LEAST_FILTERS * groups:
        return "depthwise"
    unit = window[0:2] == (1, 1) and window[2:4] == (1, 1)
    if filters // groups >= LEAST_FILTERS and not unit:
        return "direct"
    return "im2col"


def _output_size(size: tuple[int, ...], window: Window) -> tuple[int, int]:
    kernel, stride, padding, dilation = window[0:2], window[2:4], window[4:6], window[6:8]
    height, width = (
        (size[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1) // stride[a] + 1
        for a in (0, 1)
    )
    return height, width


def _check_options(
    x: np.ndarray,
    weight: np.ndarray,
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> None:
    """What a cache cannot check: to it 1.0 and 1 are the same, and a list is no key."""
    if x.ndim != 4 or weight.ndim != 4:
        raise ValueError(
            "conv2d: expected x (N, C, H, W) and weight (K, C / groups, kernel height, "
            f"kernel width), got shapes {x.shape} and {weight.shape}"
        )
    _check_pair("stride", stride, 1)
    _check_pair("padding", padding, 0)
    _check_pair("dilation", dilation, 1)
    channels, filters = x.shape[1], weight.shape[0]
    if not isinstance(groups, int) or groups < 1 or channels % groups or filters % groups:
        raise ValueError(
            f"conv2d: expected groups to divide {channels} channels and {filters} filters, "
            f"got {groups}"
        )


def _check_pair(name: str, pair: tuple[int, int], least: int) -> None:
    if isinstance(pair, tuple) and len(pair) == 2:
        first, second = pair
        if isinstance(first, int) and isinstance(second, int) and first >= least <= second:
            return
    raise ValueError(f"conv2d: expected {name} as two integers >= {least}, got {pair}")


@functools.lru_cache(maxsize=512)
def _geometry(
    shape: tuple[int, int, int, int],
    weight_shape: tuple[int, int, int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> tuple[Window, tuple[int, int]]:
    """All the geometry in one tuple, after checking it, and the output's size."""
    _, channels, kernel_h, kernel_w = weight_shape
    if shape[1] != channels * groups:
        raise ValueError(
            f"conv2d: expected x with {channels * groups} channels for weight {weight_shape} "
            f"in {groups} group(s), got {shape[1]}"
        )
    if 0 in weight_shape:
        raise ValueError(f"conv2d: expected a weight without empty axes, got {weight_shape}")
    window = (kernel_h, kernel_w, *stride, *padding, *dilation)
    size = _output_size(shape[2:], window)
    if min(size) < 1:
        raise ValueError(
            f"conv2d: expected an input of at least the kernel's extent, got {shape[2:]} with "
            f"padding {padding} under a kernel of {(kernel_h, kernel_w)} with dilation {dilation}"
        )
    return window, size
