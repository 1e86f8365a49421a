"""Functions that arrange axes against PyTorch's."""

import numpy as np
import pytest

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(2, 1, 3))

CALLS = {
    "reshape": lambda t, x: t.reshape(x, (3, -1)),
    "reshape by name": lambda t, x: t.reshape(input=x, shape=[-1]),
    "permute": lambda t, x: t.permute(x, (2, 0, 1)),
    "permute by name": lambda t, x: t.permute(x, dims=[0, -1, 1]),
    "transpose": lambda t, x: t.transpose(x, 0, -1),
    "transpose by name": lambda t, x: t.transpose(x, dim0=1, dim1=2),
    "squeeze": lambda t, x: t.squeeze(x),
    "squeeze of one": lambda t, x: t.squeeze(x, 1),
    "squeeze of none": lambda t, x: t.squeeze(x, dim=-1),
    "squeeze of several": lambda t, x: t.squeeze(x, (0, 1)),
    "unsqueeze": lambda t, x: t.unsqueeze(x, 0),
    "unsqueeze at the end": lambda t, x: t.unsqueeze(x, dim=-1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CALLS)
def test_functions(name, dtype):
    call, x = CALLS[name], X.astype(dtype)
    check_same(call, x)
    check_same(lambda t, x: call(t, (x * 2).transpose(0, 2)), x)
    check_same(lambda t, x: call(t, x.detach()), x)
    check_same(call, np.arange(6).reshape(2, 1, 3))


def test_functions_of_nothing_and_without_axes():
    check_same(lambda t, x: t.reshape(x, (3, 0)), np.zeros((0, 2)))
    check_same(lambda t, x: t.transpose(x, 0, 1), np.zeros((0, 2)))
    check_same(lambda t, x: t.permute(x, ()), np.array(1.5))
    check_same(lambda t, x: t.squeeze(x, 0), np.array(1.5))
    check_same(lambda t, x: t.unsqueeze(x, -1), np.array(1.5))
    check_same(lambda t, x: t.reshape(x, ()), np.array([1.5]))


def test_functions_refuse():
    check_refused(lambda t, x: t.reshape(x, 6), TypeError, "a tuple of integers, got 6", X)
    check_refused(lambda t, x: t.permute(x, 0), TypeError, "a tuple of integers, got 0", X)
    check_refused(lambda t, x: t.reshape(x, (4, -1)), ValueError, "reshape", X)
    check_refused(lambda t, x: t.permute(x, (0, 1)), ValueError, "axes", X)
    check_refused(lambda t, x: t.transpose(x, 0, 3), IndexError, "-3 to 2, got 3", X)
    check_refused(lambda t, x: t.squeeze(x, -4), IndexError, "-3 to 2, got -4", X)
    check_refused(lambda t, x: t.unsqueeze(x, 4), IndexError, "-4 to 3, got 4", X)
