"""Joining and choosing: the dtype in which operands meet, empty ones, numbers, errors."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(0)


def test_float32_stays_float32_among_integers_and_bool():
    single, whole, truth = nn.ones(2), nn.tensor([2, 3]), nn.tensor([True, False])
    for other in (whole, truth, nn.tensor(np.array([1, 2], np.uint8))):
        for joined in (
            nn.cat([single, other]),
            nn.cat([other, single]),
            nn.stack([other, single]),
            nn.where(truth, single, other),
            nn.where(truth, other, single),
            nn.maximum(other, single),
            nn.minimum(single, other),
            nn.clamp(other, single),
            nn.max(other, single),
        ):
            assert joined.dtype == np.float32
    assert nn.cat([whole, truth]).dtype == np.int64
    assert nn.cat([single, whole]).tolist() == [1, 1, 2, 3]


def test_a_tensor_without_axes_does_not_widen_one_with_axes():
    single, narrow = nn.ones(2), nn.tensor(np.array([1, 2], np.int8))
    double, whole = nn.tensor(np.float64(2.5)), nn.tensor(3)
    assert nn.where(single > 0, single, double).dtype == np.float32
    assert nn.maximum(single, double).dtype == np.float32
    assert nn.clamp(single, double).dtype == np.float32
    assert (narrow + whole).dtype == np.int8 and (whole * narrow).dtype == np.int8
    assert nn.where(single > 0, narrow, whole).dtype == np.int8
    assert (nn.tensor(np.array([1], np.uint8)) - whole).dtype == np.uint8
    assert (narrow + double).dtype == np.float64 and (narrow + 0.5).dtype == np.float32


def test_gradients_keep_the_dtype_of_each_joined_tensor():
    single = nn.ones(2, requires_grad=True)
    double = nn.ones(2, dtype=np.float64, requires_grad=True)
    y = nn.cat([single, nn.tensor([1, 2]), double])
    assert y.dtype == np.float64
    (y * nn.tensor(np.arange(6.0))).sum().backward()
    assert single.grad.dtype == np.float32 and single.grad.tolist() == [0, 1]
    assert double.grad.dtype == np.float64 and double.grad.tolist() == [4, 5]


def test_numbers_may_be_chosen():
    x = nn.tensor([-1.0, 2.0], requires_grad=True)
    assert nn.where(x > 0, x, 0).tolist() == [0, 2]
    assert nn.where(x > 0, 0.5, x).tolist() == [-1, 0.5]
    assert nn.where(x > 0, 1, 2).dtype == np.int64 and nn.where(x > 0, 1, 2.5).tolist() == [2.5, 1]
    assert nn.where(x > 0, True, False).tolist() == [False, True]
    assert nn.where(x > 0, x, np.float64(3)).dtype == np.float32
    (nn.where(x > 0, x, 7.0) * 3).sum().backward()
    assert x.grad.tolist() == [0, 3]


def test_the_condition_alone_gives_the_places_where_it_holds():
    rows, columns = nn.where(nn.tensor([[False, True], [True, True]]))
    assert rows.tolist() == [0, 1, 1] and columns.tolist() == [1, 0, 1]
    assert rows.dtype == np.int64
    assert [where.tolist() for where in nn.where(nn.tensor(True))] == [[0]]
    assert [where.tolist() for where in nn.where(nn.tensor(False))] == [[]]


def test_a_condition_is_a_tensor_of_bool():
    x = nn.ones(2)
    for condition in (x, nn.tensor([1, 0]), True, [True, False]):
        with pytest.raises(TypeError, match="where: expected condition to be a tensor of bool"):
            nn.where(condition, x, x)
    with pytest.raises(TypeError, match="a number, got NoneType"):
        nn.where(x > 0, x)
    with pytest.raises(TypeError, match="a number, got str"):
        nn.where(x > 0, x, "a")


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_tensors_of_no_elements_and_one_axis_are_passed_over(dim):
    x, nothing = nn.ones(2, 3, requires_grad=True), nn.zeros(0, requires_grad=True)
    y = nn.cat([nothing, x, nn.tensor([]), x * 2], dim)
    assert_close(y, np.concatenate([np.ones((2, 3)), np.full((2, 3), 2)], dim), 0)
    y.sum().backward()
    assert nothing.grad.shape == (0,) and x.grad.tolist() == [[3, 3, 3]] * 2


def test_joins_of_nothing():
    assert nn.cat([nn.zeros(0), nn.zeros(0)], 1).shape == (0,)
    assert nn.cat([nn.zeros(0, 3), nn.ones(1, 3)]).tolist() == [[1, 1, 1]]
    assert nn.cat([nn.tensor(np.zeros(0)), nn.ones(1, 3)]).dtype == np.float64
    with pytest.raises(ValueError, match="cat: expected shapes that differ along dim 0 alone"):
        nn.cat([nn.zeros(0, 4), nn.ones(1, 3)])


def test_joins_that_do_not_fit():
    with pytest.raises(ValueError, match=r"cat: expected shapes .* got \[\(2, 3\), \(2,\)\]"):
        nn.cat([nn.zeros(2, 3), nn.zeros(2)])
    with pytest.raises(ValueError, match=r"cat: expected shapes .* got \[\(\), \(\)\]"):
        nn.cat([nn.tensor(1.0), nn.tensor(2.0)])
    with pytest.raises(IndexError, match="dim: expected -2 to 1, got 2"):
        nn.cat([nn.zeros(2, 3)], 2)
    with pytest.raises(
        ValueError, match=r"stack: expected tensors of one shape, got \[\(2,\), \(3,\)\]"
    ):
        nn.stack([nn.zeros(2), nn.zeros(3)])
    with pytest.raises(IndexError, match="dim: expected -2 to 1, got 2"):
        nn.stack([nn.zeros(2)], 2)


def test_gradients_of_joins_and_choices():
    x, y, row = rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=3)
    check_gradients(lambda a, b: nn.cat([a, b, a], 1), x, y)
    check_gradients(lambda a, b: nn.where(a > 0, a, b), x, row)
    check_gradients(lambda a: nn.where(a > 0, 2.0, a), x)
    check_gradients(lambda a, low, high: nn.clamp(a, low, high), x, row - 0.5, y + 0.5)
    check_gradients(lambda a, low: a.clamp(max=low), x, np.array(0.1))


def test_bounds_are_tensors_or_numbers():
    x, low = nn.tensor([1.0, 5.0, 9.0]), nn.tensor([2.0, 2.0, 2.0])
    assert x.clamp(low, 7).tolist() == [2, 5, 7]
    assert x.clamp(max=low).tolist() == [1, 2, 2]
    assert x.clamp(low, low - 1).tolist() == [1, 1, 1]
    assert nn.tensor([1, 5]).clamp(0.5, 2.5).dtype == np.float32
    assert nn.tensor([1, 5]).clamp(0, 2).dtype == np.int64
    with pytest.raises(TypeError, match="a number, got str"):
        nn.tensor([1]).clamp("a")


def test_greatest_of_two_tensors_is_taken_element_by_element():
    x, y = (
        nn.tensor([[1.0, 5.0], [3.0, 0.0]], requires_grad=True),
        nn.tensor([[2.0, 2.0], [3.0, 1.0]]),
    )
    assert nn.max(x, y).tolist() == [[2, 5], [3, 1]] and nn.min(x, y).tolist() == [[1, 2], [3, 0]]
    assert nn.max(x, nn.tensor(1)).tolist() == [[1, 5], [3, 1]]
    assert x.min(other=nn.tensor(1)).tolist() == [[1, 1], [1, 0]]
    nn.max(x, y).sum().backward()
    assert x.grad.tolist() == [[0, 1], [0.5, 0]]


def test_the_gradient_follows_nan_through_extremes():
    for extreme in (nn.maximum, nn.minimum):
        x = nn.tensor([np.nan, 1.0], requires_grad=True)
        extreme(x, nn.tensor([0.5, 1.0])).sum().backward()
        assert x.grad.tolist() == [1, 0.5]
    y = nn.tensor([0.0, np.nan, 1.0, np.nan], requires_grad=True)
    y.max().backward()
    assert y.grad.tolist() == [0, 0.5, 0, 0.5]
