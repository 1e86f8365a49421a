"""Checks of what recurrent ops are given."""

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays, float_arrays_or_none


def plain_arrays(
    op: str, needed: dict[str, np.ndarray], **optional: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Those that are needed and those that are not None, after `float_arrays`, by name."""
    found = float_arrays_or_none(op, needed, **optional)
    named = zip((*needed, *optional), found, strict=True)
    return {name: array for name, array in named if array is not None}


def check_shapes(op: str, arrays: dict[str, np.ndarray], **shapes: tuple[int, ...]) -> None:
    """ValueError for the first of those there are that has another shape."""
    for name, shape in shapes.items():
        if name in arrays:
            check_shape(op, name, arrays[name], shape)


def check_inputs(op: str, arrays: dict[str, np.ndarray], gates: int) -> tuple[int, int, int, int]:
    """T, N, I and H of x, weight_ih and, where given, bias_ih and bias_hh."""
    x, weight_ih = arrays["x"], arrays["weight_ih"]
    if x.ndim != 3 or not x.shape[0] or not x.shape[2]:
        raise ValueError(
            f"{op}: expected x of shape (T, N, I) with at least one step and one input, "
            f"got {x.shape}"
        )
    steps, samples, inputs = x.shape
    if weight_ih.ndim != 2 or not len(weight_ih) or len(weight_ih) % gates:
        raise ValueError(
            f"{op}: expected weight_ih of shape ({gates} H, {inputs}), got {weight_ih.shape}"
        )
    rows = len(weight_ih)
    check_shapes(op, arrays, weight_ih=(rows, inputs), bias_ih=(rows,), bias_hh=(rows,))
    return steps, samples, inputs, rows // gates


def check_lengths(op: str, lengths: np.ndarray | None, steps: int, samples: int) -> np.ndarray:
    """A copy of the lengths, or T for each sample.

    Raises TypeError unless they are int64, ValueError unless each is from 1 to T.
    """
    if lengths is None:
        return np.full(samples, steps, np.int64)
    if not isinstance(lengths, np.ndarray) or lengths.dtype != np.int64:
        kind = lengths.dtype if isinstance(lengths, np.ndarray) else type(lengths).__name__
        raise TypeError(f"{op}: expected lengths to be an array of int64, got {kind}")
    check_shape(op, "lengths", lengths, (samples,))
    wrong = (lengths < 1) | (lengths > steps)
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(
            f"{op}: expected lengths from 1 to {steps}, got {lengths[at]} of sample {at}"
        )
    return lengths.copy()


def check_gradient(
    op: str, name: str, gradient: np.ndarray | None, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """The gradient, or zeros for None, after checking that it fits what it is the gradient of."""
    if gradient is None:
        return _memory.zeros(shape, dtype)
    (gradient,) = float_arrays(op, **{name: gradient})
    if gradient.dtype != dtype:
        raise TypeError(f"{op}: expected {name} of {dtype} like x, got {gradient.dtype}")
    check_shape(op, name, gradient, shape)
    return gradient
