"""Matrix product with a bias and ReLU behind it: y = relu(op(a) op(b) + bias).

Stacks of matrices are multiplied item by item; their leading axes broadcast as in NumPy.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_in_place, check_like, float_arrays, plain
from kernels._device import Implementations, device_of
from kernels._reduce import column_sums, mask_where_positive
from kernels.matmul import algorithms, direct, packed, reference, tall
from kernels.matmul.problem import SERIAL

IMPLEMENTATIONS = Implementations(
    reference=reference,
    cpu_tall=tall,
    cpu_direct=direct,
    cpu_packed=packed,
)

# What chooses among those of a device.
_HOSTS = Implementations(cpu=algorithms)

__all__ = ["IMPLEMENTATIONS", "Saved", "accumulate", "backward", "forward", "product"]

# By the size of an element: hashing a dtype takes long.
_NO_BIAS: dict[int, np.ndarray] = {4: np.empty(0, np.float32), 8: np.empty(0, np.float64)}


class Saved(NamedTuple):
    a: np.ndarray
    b: np.ndarray
    y: np.ndarray | None  # only where ReLU was applied
    has_bias: bool
    transpose_a: bool
    transpose_b: bool

    def needed(self, needs: tuple[bool, bool, bool]) -> tuple[np.ndarray | None, ...]:
        """The arrays that the needed gradients follow from: not b if a needs none."""
        return self.a if needs[1] else None, self.b if needs[0] else None, self.y


def product(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    relu: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """op(a) op(b) + bias, without anything saved, in `out` if that is given; see `forward`."""
    if bias is None:
        a, b = float_arrays("matmul", a=a, b=b)
    else:
        a, b, bias = float_arrays("matmul", a=a, b=b, bias=bias)
    shape, depth = _result(a, b, transpose_a, transpose_b)
    if bias is None:
        bias = _NO_BIAS[a.itemsize]
    elif bias.shape != shape[-1:]:
        raise ValueError(f"matmul: expected a bias of shape {shape[-1:]}, got {bias.shape}")
    work, host = math.prod(shape) * depth, _HOSTS[device_of(a)]
    if out is not None:
        check_like("matmul", "out", out, shape, a.dtype)
        check_in_place("matmul", "out", out)
        y = out
    # The pool's bookkeeping would be felt in a product of a few microseconds.
    elif work <= SERIAL:
        y = np.empty(shape, a.dtype)
    else:
        y = _memory.empty(shape, a.dtype)
    if work == 0:
        y[...] = 0 if not bias.size else np.maximum(bias, 0) if relu else bias
    elif len(shape) == 2:
        host.multiply(a, b, bias, transpose_a, transpose_b, relu, y)
    elif b.ndim == 2 and not transpose_a:
        rows = y.reshape(-1, shape[-1])
        host.multiply(a.reshape(-1, depth), b, bias, transpose_a, transpose_b, relu, rows)
    else:
        a_items, b_items = (_items(array.shape[:-2], shape[:-2]) for array in (a, b))
        a, b = (array.reshape(-1, *array.shape[-2:]) for array in (a, b))
        items = y.reshape(-1, *shape[-2:])
        host.multiply_stacks(a, b, bias, a_items, b_items, transpose_a, transpose_b, relu, items)
    return y


def accumulate(
    a: np.ndarray,
    b: np.ndarray,
    y: np.ndarray,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
) -> None:
    """y += op(a) op(b) for matrices, in place; a and b as in `forward`.

    y  (M, N), C-contiguous, aligned and writeable

    Raises TypeError and ValueError as `forward`, and for a y that cannot be written in place.

    >>> import numpy as np
    >>> from kernels import matmul
    >>> y = np.ones((1, 1))
    >>> matmul.accumulate(np.array([[2.0]]), np.array([[3.0]]), y)
    >>> y
    array([[7.]])
    """
    name = "matmul.accumulate"
    a, b, _ = float_arrays(name, a=a, b=b, y=y)
    shape, depth = _result(a, b, transpose_a, transpose_b)
    if y.shape != shape or len(shape) != 2:
        raise ValueError(f"{name}: expected matrices and y of shape {shape}, got {y.shape}")
    check_in_place(name, "y", y)
    if y.size and depth:
        _HOSTS[device_of(a)].accumulate(a, b, transpose_a, transpose_b, y)


def forward(
    a: np.ndarray,
    b: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    relu: bool = False,
) -> tuple[np.ndarray, Saved]:
    """y = op(a) op(b) + bias, rectified where `relu`; op transposes the last two axes if asked.

    a     (..., M, K), or (..., K, M) where `transpose_a`; float32 | float64
    b     (..., K, N), or (..., N, K) where `transpose_b`
    bias  (N,) or None
    y     (..., M, N); leading axes broadcast

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> from kernels import matmul
    >>> matmul.forward(np.ones((5, 2, 3)), np.ones((3, 4)))[0].shape
    (5, 2, 4)
    """
    y = product(a, b, bias, transpose_a=transpose_a, transpose_b=transpose_b, relu=relu)
    return y, Saved(a, b, y if relu else None, bias is not None, transpose_a, transpose_b)


def backward(
    dy: np.ndarray,
    saved: Saved,
    needs: tuple[bool, bool, bool] = (True, True, True),
    out_db: np.ndarray | None = None,
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """The gradients of a, b and bias; None where `needs` is False or there was no bias.

    out_db  where the gradient of a matrix b is written, or None
    """
    (dy,) = float_arrays("matmul.backward", dy=dy)
    a, b, y, has_bias, transpose_a, transpose_b = saved
    shape, depth = _result(a, b, transpose_a, transpose_b)
    check_like("matmul.backward", "dy", dy, shape, a.dtype)
    if out_db is not None:
        if b.ndim > 2:
            raise ValueError(f"matmul.backward: expected b to be a matrix, got shape {b.shape}")
        check_like("matmul", "out_db", out_db, b.shape, b.dtype)
        check_in_place("matmul", "out_db", out_db)
    host = _HOSTS[device_of(dy)]
    if len(shape) == 2 and host.gradients_fit_together(shape[0], depth, shape[1]):
        needs = needs[0], needs[1], needs[2] and has_bias
        return host.gradients_together(
            dy, plain(a), plain(b), y, transpose_a, transpose_b, needs, out_db
        )
    if y is not None and dy.size:
        masked = _memory.empty(dy.shape, dy.dtype)
        mask_where_positive(dy=dy.reshape(-1), y=y.reshape(-1), out_dy=masked.reshape(-1))
        dy = masked
    da = db = dbias = None
    a_shape = a.shape
    if a.ndim > 2 and b.ndim == 2 and not transpose_a:
        rows = math.prod(a_shape[:-1])
        a, dy = a.reshape(rows, a_shape[-1]), dy.reshape(rows, shape[-1])
    if needs[0]:
        if transpose_a:
            da = product(b, dy, transpose_a=transpose_b, transpose_b=True)
        else:
            da = product(dy, b, transpose_b=not transpose_b)
        da = _sum_to(da, a.shape).reshape(a_shape)
    if needs[1]:
        if transpose_b:
            db = product(dy, a, transpose_a=True, transpose_b=transpose_a, out=out_db)
        else:
            db = product(a, dy, transpose_a=not transpose_a, out=out_db)
        db = _sum_to(db, b.shape)
    if needs[2] and has_bias:
        n = shape[-1]
        dbias = np.empty(n, dy.dtype)
        matrix = dy.reshape(math.prod(dy.shape[:-1]), n)
        column_sums(x=matrix, out_sums=dbias)
    return da, db, dbias


def _result(
    a: np.ndarray, b: np.ndarray, transpose_a: bool, transpose_b: bool
) -> tuple[tuple[int, ...], int]:
    """The shape of op(a) op(b), and K."""
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(f"matmul: expected two matrices, got shapes {a.shape} and {b.shape}")
    m, depth = a.shape[:-3:-1] if transpose_a else a.shape[-2:]
    depth_b, n = b.shape[:-3:-1] if transpose_b else b.shape[-2:]
    if depth != depth_b:
        raise ValueError(
            f"matmul: expected b with {depth} rows to match a ({m}, {depth}), got ({depth_b}, {n})"
        )
    if a.ndim == 2 and b.ndim == 2:
        return (m, n), depth
    try:
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise ValueError(
            f"matmul: expected leading axes that broadcast, got shapes {a.shape} and {b.shape}"
        ) from None
    return (*stack, m, n), depth


def _items(stack: tuple[int, ...], broadcast: tuple[int, ...]) -> np.ndarray:
    """For each item of the broadcast stack its number in the stack itself."""
    numbers = np.arange(math.prod(stack))
    if stack == broadcast:
        return numbers
    numbers = numbers.reshape(stack)
    return np.array(np.broadcast_to(numbers, broadcast), order="C").reshape(-1)


def _sum_to(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum over the leading axes that were broadcast."""
    if gradient.shape == shape:
        return gradient
    added = gradient.ndim - len(shape)
    stretched = [
        added + axis
        for axis, size in enumerate(shape)
        if size == 1 and gradient.shape[added + axis] != 1
    ]
    total = gradient.sum(axis=(*range(added), *stretched), dtype=np.float64)
    return total.astype(gradient.dtype).reshape(shape)
