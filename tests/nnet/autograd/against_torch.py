"""One call in both libraries: the same values, dtypes, shapes and gradients, or both refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")


def check_same(call: Callable, *arrays: np.ndarray, tolerance: float | None = None) -> None:
    """`call(library, *tensors)` gives a tensor, or several in a tuple.

    Arrays of floats become tensors that require a gradient, of all results that are floats.
    """
    results = []
    for library in (nn, torch):
        tensors = [tensor_of(library, array) for array in arrays]
        ys = call(library, *tensors)
        ys = list(ys) if isinstance(ys, tuple) else [ys]
        total = None
        for y in ys:
            if y.requires_grad:
                weights = np.linspace(0.5, 1.5, y.numel()).reshape(tuple(y.shape))
                term = (y * library.tensor(weights).to(y.dtype)).sum()
                total = term if total is None else total + term
        if total is not None:
            total.backward()
        results.append((ys, [each.grad for each in tensors]))
    (ours, our_grads), (theirs, their_grads) = results
    assert len(ours) == len(theirs)
    for y, expected in zip(ours, theirs, strict=True):
        assert y.requires_grad == expected.requires_grad
        assert_like(y, expected.detach(), tolerance)
    for grad, expected in zip(our_grads, their_grads, strict=True):
        assert (grad is None) == (expected is None)
        if grad is not None:
            assert_like(grad, expected, tolerance)


def check_refused(call: Callable, error: type[Exception], match: str, *arrays: np.ndarray) -> None:
    """Both libraries raise, this one with that text."""
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)):
        call(torch, *(tensor_of(torch, array) for array in arrays))
    with pytest.raises(error, match=match):
        call(nn, *(tensor_of(nn, array) for array in arrays))


def tensor_of(library: Any, array: np.ndarray) -> Any:
    tensor = library.from_numpy(np.asarray(array).copy() if array.flags.c_contiguous else array)
    return tensor.requires_grad_() if array.dtype.kind == "f" else tensor


def assert_like(y: nn.Tensor, expected: Any, tolerance: float | None) -> None:
    assert str(y.dtype) == str(expected.dtype).removeprefix("torch.")
    assert y.shape == tuple(expected.shape)
    if tolerance is None:
        tolerance = 1e-12 if y.dtype == np.float64 else 1e-5
    np.testing.assert_allclose(y.data, expected.numpy(), rtol=tolerance, atol=tolerance)
