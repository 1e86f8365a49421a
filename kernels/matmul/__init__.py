"""Matrix product with a bias and ReLU behind it: y = relu(op(a) op(b) + bias)."""

from typing import NamedTuple

import numpy as np

from kernels import _jit, _memory
from kernels._check import float_arrays
from kernels._reduce import column_sums, mask_where_positive
from kernels._tile import TILE_ROWS, panel_columns
from kernels.matmul import cpu, reference

IMPLEMENTATIONS = {"reference": reference, "cpu": cpu}

__all__ = ["IMPLEMENTATIONS", "Saved", "backward", "forward", "product"]


class Saved(NamedTuple):
    a: np.ndarray
    b: np.ndarray
    y: np.ndarray | None  # only where ReLU was applied
    has_bias: bool
    transpose_a: bool
    transpose_b: bool


def product(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    relu: bool = False,
) -> np.ndarray:
    """op(a) op(b) + bias, without anything saved; see `forward`."""
    name = "matmul"
    if bias is None:
        a, b = float_arrays(name, a=a, b=b)
    else:
        a, b, bias = float_arrays(name, a=a, b=b, bias=bias)
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"{name}: expected two matrices, got shapes {a.shape} and {b.shape}")
    m, depth = a.shape[::-1] if transpose_a else a.shape
    depth_b, n = b.shape[::-1] if transpose_b else b.shape
    if depth != depth_b:
        raise ValueError(
            f"{name}: expected b with {depth} rows to match a ({m}, {depth}), got ({depth_b}, {n})"
        )
    if bias is not None and bias.shape != (n,):
        raise ValueError(f"{name}: expected a bias of shape ({n},), got {bias.shape}")
    small = m * n * depth <= cpu.SERIAL
    # The pool's bookkeeping would be felt in a product of a few microseconds.
    empty = np.empty if small else _memory.empty
    y = empty((m, n), a.dtype)
    if depth == 0 or y.size == 0:
        y[...] = 0 if bias is None else np.maximum(bias, 0) if relu else bias
        return y
    width = panel_columns(a.dtype)
    threads = () if small else (_jit.thread_rows(),)
    launch = cpu.product_serial if small else cpu.product
    launch(
        a=a,
        b=b,
        bias=np.empty(0, a.dtype) if bias is None else bias,
        transpose_a=transpose_a,
        transpose_b=transpose_b,
        relu=relu,
        work_a=empty(-(-m // TILE_ROWS) * TILE_ROWS * depth, a.dtype),
        work_b=empty((*threads, min(depth, cpu.DEPTH) * width), a.dtype),
        work_spare=empty((*threads, TILE_ROWS * width), a.dtype),
        out_y=y,
    )
    return y


def forward(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    relu: bool = False,
) -> tuple[np.ndarray, Saved]:
    """y = op(a) op(b) + bias, rectified where `relu`; op transposes where asked.

    a     (M, K), or (K, M) where `transpose_a`; float32 | float64
    b     (K, N), or (N, K) where `transpose_b`
    bias  (N,) or None
    y     (M, N)

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.
    """
    y = product(a, b, bias, transpose_a=transpose_a, transpose_b=transpose_b, relu=relu)
    return y, Saved(a, b, y if relu else None, bias is not None, transpose_a, transpose_b)


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True, True, True)
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of a, b and bias; None where `needs` is False or there was no bias."""
    (dy,) = float_arrays("matmul.backward", dy=dy)
    a, b, y, has_bias, transpose_a, transpose_b = saved
    m = a.shape[1] if transpose_a else a.shape[0]
    n = b.shape[0] if transpose_b else b.shape[1]
    if dy.shape != (m, n) or dy.dtype != a.dtype:
        raise ValueError(
            f"matmul.backward: expected dy of shape {(m, n)} and {a.dtype}, "
            f"got {dy.shape} and {dy.dtype}"
        )
    if y is not None and dy.size:
        masked = _memory.empty(dy.shape, dy.dtype)
        mask_where_positive(dy=dy, y=y, out_dy=masked)
        dy = masked
    da = db = dbias = None
    if needs[0]:
        if transpose_a:
            da = product(b, dy, transpose_a=transpose_b, transpose_b=True)
        else:
            da = product(dy, b, transpose_b=not transpose_b)
    if needs[1]:
        if transpose_b:
            db = product(dy, a, transpose_a=True, transpose_b=transpose_a)
        else:
            db = product(a, dy, transpose_a=not transpose_a)
    if needs[2] and has_bias:
        dbias = np.empty(n, dy.dtype)
        column_sums(x=dy, work_wide=np.empty(n), out_sums=dbias)
    return da, db, dbias
