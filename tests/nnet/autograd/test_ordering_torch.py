"""sort, argsort and topk against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

from .against_torch import check_refused, check_same

GENERATOR = np.random.default_rng(0)
X = GENERATOR.permutation(60).astype(float).reshape(3, 4, 5)
TIES = GENERATOR.integers(0, 3, (4, 30)).astype(float)
ODD = np.array([1.0, np.nan, -np.inf, 0.0, np.inf, np.nan, 2.0])
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@FLOATS
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("descending", [False, True])
def test_sort(dtype, dim, descending):
    x = X.astype(dtype)
    check_same(lambda t, x: tuple(x.sort(dim, descending)), x)
    check_same(lambda t, x: tuple(t.sort(x.transpose(0, 2) * 2, dim=dim, descending=descending)), x)
    check_same(lambda t, x: x.argsort(dim, descending), x)
    for same in (TIES.astype(dtype), TIES.astype(np.int32), TIES > 0, X[:0]):
        check_same(
            lambda t, x: tuple(t.sort(x, dim=-1, descending=descending, stable=True)), same[None]
        )
        check_same(
            lambda t, x: t.argsort(x, dim=-1, descending=descending, stable=True), same[None]
        )


@pytest.mark.parametrize("descending", [False, True])
def test_nan_is_the_largest(descending):
    check_same(lambda t, x: tuple(x.detach().sort(dim=0, descending=descending, stable=True)), ODD)
    check_same(lambda t, x: tuple(x.sort(descending=descending)), np.array(3.0))
    check_same(lambda t, x: x.argsort(), np.array(3.0))


def test_descending_integers_do_not_wrap():
    for x in (np.array([0, -128, 127, -1], np.int8), np.array([0, 255, 1], np.uint8)):
        check_same(lambda t, x: tuple(x.sort(descending=True)), x)
        check_same(lambda t, x: tuple(x.topk(2)), x)


def test_values_and_indices_by_name():
    result = nn.tensor([2.0, 1.0]).sort()
    assert result.values.tolist() == [1, 2] and result.indices.tolist() == [1, 0]
    assert nn.tensor([2.0, 1.0]).topk(1).indices.tolist() == [0]
    assert not nn.ones(2, requires_grad=True).sort().indices.requires_grad


@FLOATS
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("largest", [True, False])
def test_topk(dtype, dim, largest):
    x = X.astype(dtype)
    for k in range(x.shape[dim] + 1):
        check_same(lambda t, x, k=k: tuple(x.topk(k, dim, largest)), x)
        check_same(lambda t, x, k=k: tuple(t.topk(x, k, dim, largest=largest)), x)
    check_same(lambda t, x: tuple((x.transpose(0, 2) * 3).topk(2, dim, largest, True)), x)
    check_same(lambda t, x: tuple(x.topk(2, dim, largest)), X.astype(np.int64))


@pytest.mark.parametrize("largest", [True, False])
def test_topk_of_nan_and_of_nothing(largest):
    for k in (1, 4, 7):
        check_same(lambda t, x, k=k: x.detach().topk(k, largest=largest)[0], ODD)
    check_same(lambda t, x: tuple(x.topk(0, 0, largest)), np.zeros((0, 3)))
    check_same(lambda t, x: tuple(x.topk(2, 1, largest)), np.zeros((0, 3)))
    check_same(lambda t, x: tuple(x.topk(1, largest=largest)), np.array(3.0))
    check_same(lambda t, x: tuple(x.topk(0, largest=largest)), np.array(3.0))


@pytest.mark.parametrize("largest", [True, False])
def test_topk_of_equal_elements(largest):
    """Which of them is free in PyTorch; here in the order of their places."""
    for k in (1, 7, 30):
        check_same(lambda t, x, k=k: x.detach().topk(k, largest=largest)[0], TIES)
    values, indices = nn.Tensor(TIES).topk(12, largest=largest)
    np.testing.assert_array_equal(np.take_along_axis(TIES, indices.data, 1), values.data)
    equal = np.diff(values.data) == 0
    assert equal.any() and (np.diff(indices.data)[equal] > 0).all()


def test_ordering_refuses():
    check_refused(lambda t, x: x.topk(6), ValueError, "k from 0 to 5, got 6", X)
    check_refused(lambda t, x: x.topk(-1), ValueError, "k from 0 to 5, got -1", X)
    check_refused(lambda t, x: x.topk(1.5), TypeError, "integer, got 1.5", X)
    check_refused(lambda t, x: x.topk(1), TypeError, "got bool", X > 2)
    for call in (
        lambda t, x: x.topk(1, 3),
        lambda t, x: x.sort(3),
        lambda t, x: x.argsort(3),
    ):
        check_refused(call, IndexError, "dim: expected -3 to 2, got 3", X)
    check_refused(lambda t, x: x.sort(1), IndexError, "dim: expected -1 to 0", np.array(1.0))
