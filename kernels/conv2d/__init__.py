"""Two-dimensional convolution (cross-correlation), with a bias and ReLU behind it."""

import functools
from types import ModuleType
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_like, check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels._reduce import channel_sums, mask_where_positive
from kernels.conv2d import depthwise, direct, im2col, reference, winograd
from kernels.conv2d.geometry import Pair, Problem, problem_of

# Of a device's the first that applies and pays runs; the last always does.
IMPLEMENTATIONS = Implementations(
    reference=reference,
    cpu_winograd=winograd,
    cpu_depthwise=depthwise,
    cpu_direct=direct,
    cpu_im2col=im2col,
)

ALGORITHMS = ("auto", *IMPLEMENTATIONS.on("cpu"))

__all__ = ["ALGORITHMS", "IMPLEMENTATIONS", "Saved", "backward", "choose", "forward"]


class Saved(NamedTuple):
    x: np.ndarray
    weight: np.ndarray
    y: np.ndarray | None  # only where ReLU was applied
    has_bias: bool
    problem: Problem
    algorithm: str


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
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
    problem = problem_of(x, weight, stride, padding, dilation, groups)
    if bias is not None:
        check_shape("conv2d", "a bias", bias, (problem.filters,))
    y = _memory.empty((x.shape[0], problem.filters, *problem.grid), x.dtype)
    saved = Saved(x, weight, y if relu else None, bias is not None, problem, algorithm)
    if y.size:
        if bias is None:
            bias = np.empty(0, x.dtype)
        implementation = choose(device_of(x), algorithm, problem)
        implementation.forward(x, weight, bias, problem.window, groups, relu, y)
    return y, saved


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of x, weight and bias; None where `needs` is False or there was no bias."""
    (dy,) = float_arrays("conv2d.backward", dy=dy)
    x, weight, y, has_bias, problem, algorithm = saved
    window, groups = problem.window, problem.groups
    check_like("conv2d.backward", "dy", dy, (x.shape[0], problem.filters, *problem.grid), x.dtype)
    dx = dweight = dbias = None
    if dy.size == 0:
        dx = np.zeros_like(x) if needs[0] else None
        dweight = np.zeros_like(weight) if needs[1] else None
        dbias = np.zeros(problem.filters, x.dtype) if needs[2] and has_bias else None
        return dx, dweight, dbias
    if y is not None:
        masked = _memory.empty(dy.shape, dy.dtype)
        mask_where_positive(dy=dy, y=y, out_dy=masked)
        dy = masked
    if needs[0]:
        dx = _memory.empty(x.shape, x.dtype)
        if x.size:
            implementation = choose(device_of(dy), algorithm, problem, True)
            implementation.to_input(dy, weight, window, groups, dx)
    if needs[1]:
        dweight = _memory.empty(weight.shape, x.dtype)
        choose(device_of(dy), algorithm, problem).to_weight(x, dy, window, groups, dweight)
    if needs[2] and has_bias:
        dbias = np.empty(problem.filters, dy.dtype)
        channel_sums(x=dy.reshape(*dy.shape[:2], -1), out_sums=dbias)
    return dx, dweight, dbias


@functools.lru_cache(maxsize=512)
def choose(device: str, algorithm: str, problem: Problem, to_input: bool = False) -> ModuleType:
    """What computes y and the gradient of weight or, `to_input`, that of x.

    Where it does not apply to that of x, or pay, the last of the list computes it.
    """
    known = IMPLEMENTATIONS.on(device)
    *_, last = known.values()
    if algorithm == "auto":
        chosen = next(i for i in known.values() if i.applies(problem) and i.pays(problem))
        replaced = to_input and not chosen.pays(problem, to_input)
    else:
        chosen, replaced = known[algorithm], False
        if not chosen.applies(problem):
            raise ValueError(
                f"conv2d: expected {chosen.APPLIES_TO} for algorithm {algorithm!r}, "
                f"got {problem.window} and {problem.groups} group(s) of {problem.dtype}"
            )
    if replaced or not chosen.applies(problem, to_input):
        return last
    return chosen
