"""ceil, floor, // and % against PyTorch's."""

import operator

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(0, 5, (3, 4))
Y = np.random.default_rng(1).normal(0, 2, (3, 4))
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])
INTEGERS = pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])


@FLOATS
@pytest.mark.parametrize("name", ["ceil", "floor"])
def test_rounding(name, dtype):
    for x in (X, X.T, X[0, 0].reshape(()), X[:0], np.array([0.0, -0.0, 2.0, np.inf, np.nan])):
        x = x.astype(dtype)
        check_same(lambda t, x: getattr(t, name)(x), x)
        check_same(lambda t, x: getattr(x * 2, name)() * x, x)
        check_same(lambda t, x: getattr(x.detach(), name)(), x)


@INTEGERS
@pytest.mark.parametrize("name", ["ceil", "floor"])
def test_rounding_of_integers(name, dtype):
    def call(t, x):
        y = getattr(x, name)()
        y += 1
        return x, y

    check_same(call, np.arange(5).astype(dtype))
    check_refused(lambda t, x: getattr(x, name)(), TypeError, "got bool", np.array([True]))


@FLOATS
def test_remainder(dtype):
    x, y = X.astype(dtype), Y.astype(dtype)
    for call in (operator.mod, lambda x, y: x.remainder(y)):
        check_same(lambda t, x, y, f=call: f(x, y), x, y)
        check_same(lambda t, x, y, f=call: f(x.transpose(0, 1), y[:, :1].transpose(0, 1)), x, y)
        check_same(lambda t, x, y, f=call: f(x.detach(), y), x, y)
        check_same(lambda t, x, y, f=call: f(x, y.detach()), x, y)
        check_same(lambda t, x, f=call: f(x, -2.5), x)
        check_same(lambda t, x, f=call: f(x, 3), x[:0])
    check_same(lambda t, x: 7 % x.detach(), x)
    check_same(lambda t, x: t.remainder(7.5, x.detach()), x)


@FLOATS
def test_floor_divide(dtype):
    x, y = X.astype(dtype), Y.astype(dtype)
    for call in (operator.floordiv, lambda x, y: x.floor_divide(y)):
        check_same(lambda t, x, y, f=call: f(x.detach(), y.detach()), x, y)
        check_same(lambda t, x, y, f=call: f(x.detach().transpose(0, 1), y[0, 0].detach()), x, y)
        check_same(lambda t, x, f=call: f(x.detach(), -2.5), x)
        check_same(lambda t, x, f=call: f(x.detach(), 3), x[:0])
    check_same(lambda t, x: 7 // x.detach(), x)
    check_same(lambda t, x: t.floor_divide(7.5, x.detach()), x)


def test_floor_divide_has_no_gradient():
    def call(t, x):
        (x // 2).sum().backward()

    check_refused(call, RuntimeError, "expected no gradient through it", X)
    assert (nn.ones(2, requires_grad=True) // 2).requires_grad


def test_division_of_edges():
    edges = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5.0, -5.0, 6.0])
    others = edges[:, None].copy()
    check_same(lambda t, x, y: x.detach() // y.detach(), edges, others)
    check_same(lambda t, x, y: x.detach() % y.detach(), edges, others)
    check_same(lambda t, x: (x.detach() // 0, x.detach() % 0.0), edges)


@INTEGERS
def test_division_of_integers(dtype):
    x = np.array([7, 0, 6, 200]).astype(dtype)
    y = np.array([2, 3, 250, 7]).astype(dtype)
    for sign in (1, -1):
        for call in (operator.floordiv, operator.mod):
            check_same(lambda t, x, y, f=call, s=sign: f(x * s, y), x, y)
            check_same(lambda t, x, y, f=call, s=sign: f(x, y * s), x, y)
            check_same(lambda t, x, f=call, s=sign: f(x, 3 * s), x)
            check_same(lambda t, x, f=call, s=sign: f(x, 2.5 * s), x)
            check_same(lambda t, y, f=call: f(200, y), y)
            check_same(lambda t, x, y, f=call: f(x, y.detach()), x, Y[0])


def test_division_in_place():
    def call(t, x):
        y = same = x * 1
        y //= 2
        y %= 3
        return y, same

    check_same(call, np.array([7, -8, 12]))
    check_same(lambda t, x: call(t, x.detach()), X)

    def remainder(t, x):
        y = x * 2
        y %= 3
        return y

    check_same(remainder, X)


def test_division_refuses():
    whole, zero = np.array([1, 2]), np.array([1, 0])
    for name, call in (("floor_divide", operator.floordiv), ("remainder", operator.mod)):

        def apply(t, x, y, call=call):
            return call(x, y)

        check_refused(apply, ZeroDivisionError, f"{name}: expected no 0", whole, zero)
        check_refused(lambda t, x, f=call: f(x, 0), ZeroDivisionError, "got 0", whole)
        check_refused(apply, TypeError, "got bool", zero.astype(bool), zero.astype(bool))
        check_refused(lambda t, x, f=call: f(x, None), TypeError, "NoneType", whole)

    def in_place(t, x):
        x //= 2.5

    check_refused(in_place, TypeError, "fits int64, got float32", whole)
