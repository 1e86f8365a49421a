"""Reductions with dtype, NumPy's names of arguments and `unbiased`, against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(2, 3, 4))
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@FLOATS
@pytest.mark.parametrize("name", ["sum", "mean", "std", "var"])
def test_lists_of_dims_and_other_names(name, dtype):
    x = X.astype(dtype)
    none = [] if name in ("sum", "mean") else None  # PyTorch's gradients of var([]) are infinite
    for dims in ([0], [0, -1], (1, 2), none, None):
        check_same(lambda t, x, d=dims: getattr(x, name)(d), x)
        check_same(lambda t, x, d=dims: getattr(x, name)(dim=d, keepdim=True), x)
        check_same(lambda t, x, d=dims: getattr(x, name)(axis=d, keepdims=True), x)
    check_same(lambda t, x: getattr(x.transpose(0, 2), name)(axis=-2), x)


@pytest.mark.parametrize("name", ["all", "any"])
def test_other_names_of_all_and_any(name):
    check_same(lambda t, x: getattr(x, name)(axis=1, keepdims=True), X > 0)


@pytest.mark.parametrize("name", ["sum", "mean"])
def test_dtype(name):
    for dtype in ("float32", "float64"):
        for x in (X, X.astype(np.float32), np.arange(6).reshape(2, 3), X > 0):
            check_same(lambda t, x, d=dtype: getattr(x, name)(dtype=getattr(t, d)), x)
            check_same(lambda t, x, d=dtype: getattr(x, name)(1, True, dtype=getattr(t, d)), x)
    check_refused(lambda t, x: x.mean(dtype=t.int64), TypeError, "got int64", X)


def test_dtype_of_sums_may_be_whole():
    check_same(lambda t, x: x.detach().sum(dtype=t.int64), X * 3)
    check_same(lambda t, x: x.sum(0, dtype=t.uint8), np.array([200, 100, 1]))


@FLOATS
@pytest.mark.parametrize("name", ["std", "var"])
def test_unbiased(name, dtype):
    x = X.astype(dtype)
    for unbiased in (False, True):
        check_same(lambda t, x, u=unbiased: getattr(x, name)(u), x)
        check_same(lambda t, x, u=unbiased: getattr(x, name)(unbiased=u), x)
        check_same(lambda t, x, u=unbiased: getattr(x, name)(1, u, True), x)
        check_same(lambda t, x, u=unbiased: getattr(x, name)([0, 2], unbiased=u, keepdim=True), x)
        check_same(lambda t, x, u=unbiased: getattr(x, name)(axis=-1, unbiased=u), x)
    check_same(lambda t, x: getattr(x, name)(0, correction=None), x)
    check_same(lambda t, x: getattr(x, name)(0, correction=2), x[:, 0].repeat(2, 0))


def test_two_names_of_one_argument_are_refused():
    check_refused(lambda t, x: x.sum(0, dim=0, axis=0), TypeError, "dim or axis, got both", X)
    check_refused(lambda t, x: x.var(0, unbiased=True, correction=1), TypeError, "got both", X)
    with pytest.raises(TypeError, match="keepdim or keepdims, got both"):
        nn.zeros(2).mean(0, keepdim=True, keepdims=True)
