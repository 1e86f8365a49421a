"""Reductions: several axes, no axes, equal numbers."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

X = np.random.default_rng(0).normal(size=(2, 3, 4))
OF_SEVERAL = ("sum", "mean", "var", "std", "all", "any")


@pytest.mark.parametrize("name", OF_SEVERAL)
def test_axes_may_be_a_list(name):
    x = nn.Tensor(X)
    for dims in ([0, 2], [-1], [1, -3]):
        for keepdim in (False, True):
            ours = getattr(x, name)(dims, keepdim=keepdim)
            options = {"ddof": 1} if name in ("var", "std") else {}
            expected = getattr(np, name)(X, tuple(dims), keepdims=keepdim, **options)
            assert_close(ours, expected, 1e-12)
            np.testing.assert_array_equal(
                ours.data, getattr(x, name)(tuple(dims), keepdim=keepdim).data
            )


@pytest.mark.parametrize("name", ["sum", "mean", "var", "std"])
def test_no_axes_named_are_all_axes(name):
    x = nn.Tensor(X)
    for none in ((), []):
        assert getattr(x, name)(none).item() == getattr(x, name)().item()
        assert getattr(x, name)(none, keepdim=True).shape == (1, 1, 1)
    check_gradients(lambda a: getattr(a, name)([]), X)
    check_gradients(lambda a: getattr(a, name)([0, -1]), X)


@pytest.mark.parametrize("name", [*OF_SEVERAL, "max", "min", "argmax"])
def test_axes_that_are_not_there_are_refused(name):
    reduce = getattr(nn.Tensor(X), name)
    with pytest.raises(IndexError, match=r"expected -3 to 2, got 3|out of bounds"):
        reduce(3)
    for wrong in (1.5, "0", range(2), {0}):
        with pytest.raises(TypeError, match="integer"):
            reduce(wrong)
    if name in OF_SEVERAL:
        with pytest.raises(IndexError, match="dim: expected -3 to 2, got -4"):
            reduce([0, -4])
        with pytest.raises(ValueError, match=r"dim: expected each axis once, got \[0, -3\]"):
            reduce([0, -3])
    if name not in ("argmax", "var", "std"):  # there True is `unbiased`, as in PyTorch
        with pytest.raises(TypeError, match="expected an integer, got True"):
            reduce(True)


@pytest.mark.parametrize("name", ["sum", "mean", "std", "max", "min"])
@pytest.mark.parametrize("dim", [0, -1])
@pytest.mark.parametrize("keepdim", [False, True])
def test_a_tensor_without_axes_has_one(name, dim, keepdim):
    x = nn.tensor(3.0, requires_grad=True)
    options = {"correction": 0} if name == "std" else {}
    y = getattr(x, name)(dim, keepdim=keepdim, **options)
    if name in ("max", "min"):
        y, where = y
        assert where.shape == () and where.item() == 0
    assert y.shape == () and y.item() == (0 if name == "std" else 3)
    y.backward()
    assert x.grad.shape == () and x.grad.item() == (0 if name == "std" else 1)
    if name in ("sum", "mean", "std"):
        assert getattr(x, name)([dim], **options).item() == y.item()
    with pytest.raises(IndexError, match="dim: expected -1 to 0, got 1"):
        getattr(x, name)(1)


def test_the_gradient_of_std_is_0_where_all_numbers_are_equal():
    z = nn.tensor([1.0, 1.0], requires_grad=True)
    z.std().backward()
    assert z.grad.tolist() == [0, 0]
    rows = nn.tensor([[1.0, 1.0], [1.0, 3.0]], requires_grad=True)
    rows.std(1, correction=0).sum().backward()
    assert rows.grad.tolist() == [[0, 0], [-0.5, 0.5]]
    alone = nn.tensor([[5.0]], requires_grad=True)
    alone.std(0, correction=0, keepdim=True).sum().backward()
    assert alone.grad.tolist() == [[0]]


def test_gradients_of_variances():
    for dim in (None, 0, (0, 2), [-1]):
        for correction in (0, 1, 1.5):
            for keepdim in (False, True):
                check_gradients(lambda x, d=dim, c=correction, k=keepdim: x.var(d, c, k), X)
                check_gradients(lambda x, d=dim, c=correction, k=keepdim: x.std(d, c, k), X)


def test_variances_of_nothing_and_of_integers():
    assert np.isnan(nn.zeros(0).var().item()) and np.isnan(nn.ones(1).std().item())
    with pytest.raises(TypeError, match="std: expected dtype float32 or float64, got int64"):
        nn.tensor([1, 2]).std()
