"""Operators of bits, and isnan and its kin, against PyTorch's."""

import operator

import numpy as np
import pytest

from .against_torch import check_refused, check_same

BITS = {"&": operator.and_, "|": operator.or_, "^": operator.xor}
IN_PLACE = {"&=": operator.iand, "|=": operator.ior, "^=": operator.ixor}
DTYPES = pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.bool_])
EDGES = np.array([[0.0, np.inf], [-np.inf, np.nan]])


@DTYPES
@pytest.mark.parametrize("name", BITS)
def test_operators(name, dtype):
    call = BITS[name]
    x, y = np.array([[0, 1, 6], [7, 1, 0]]).astype(dtype), np.array([1, 1, 3])
    for other in (y, y.astype(dtype), y > 1, np.array(1)):
        check_same(lambda t, x, y: call(x, y), x, other)
        check_same(lambda t, x, y: call(x.transpose(0, 1), y[..., :1]), x, np.atleast_1d(other))
    for number in (0, 5, True):
        check_same(lambda t, x, n=number: (call(x, n), call(n, x)), x)
    check_same(lambda t, x: call(x, x), x[:0])


@DTYPES
@pytest.mark.parametrize("name", IN_PLACE)
def test_operators_in_place(name, dtype):
    def call(t, x, y):
        z = same = x.clone()
        z = IN_PLACE[name](z, y)
        z = IN_PLACE[name](z, True)
        return z, same

    check_same(call, np.array([0, 1, 6]).astype(dtype), np.array([1, 1, 0]).astype(dtype))
    check_same(call, np.array([0, 1, 6]).astype(dtype), np.array([True, False, True]))


@pytest.mark.parametrize("name", BITS)
def test_operators_refuse(name):
    call, in_place = BITS[name], IN_PLACE[f"{name}="]
    floats, whole, mask = np.ones(2), np.arange(2), np.array([True, False])
    check_refused(lambda t, x: call(x, 1), TypeError, "integers or bool, got float64", floats)
    check_refused(lambda t, x: call(x, 1.5), TypeError, "integers or bool, got float32", whole)
    check_refused(lambda t, x: call(x, "a"), TypeError, "got str", whole)
    check_refused(lambda t, x, y: in_place(x, y), TypeError, "fits bool, got int64", mask, whole)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_questions(name):
    for x in (EDGES, EDGES.astype(np.float32), EDGES.T, EDGES[0, 1].reshape(()), EDGES[:0]):
        check_same(lambda t, x: getattr(t, name)(x), x)
        check_same(lambda t, x: getattr(x.detach(), name)(), x)
    for dtype in (np.int64, np.uint8, np.bool_):
        check_same(lambda t, x: getattr(t, name)(x), np.arange(3).astype(dtype))
