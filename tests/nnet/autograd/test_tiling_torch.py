"""repeat, repeat_interleave, flip, roll and meshgrid against PyTorch's."""

import numpy as np
import pytest

from .against_torch import check_refused, check_same

X = np.random.default_rng(0).normal(size=(2, 3, 4))
FLOATS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@FLOATS
@pytest.mark.parametrize("times", [(1, 1, 1), (2, 1, 3), (2, 1, 2, 1), (0, 1, 2), (3, 1, 1)])
def test_repeat(dtype, times):
    x = X.astype(dtype)
    check_same(lambda t, x: x.repeat(*times), x)
    check_same(lambda t, x: x.repeat(times), x.T)
    check_same(lambda t, x: (x * 2).repeat(repeats=times), x)
    check_same(lambda t, x: x.detach().repeat(*times), x)
    check_same(lambda t, x: x.repeat(*times), np.zeros((3, 0, 2), dtype))


@FLOATS
def test_repeat_of_few_axes(dtype):
    check_same(lambda t, x: x.repeat(2), np.array([1.5, 2.0], dtype))
    check_same(lambda t, x: x.repeat(2, 2), np.array([1.5, 2.0], dtype))
    check_same(lambda t, x: x.repeat(3), np.array(1.5, dtype))
    check_same(lambda t, x: x.repeat(2), np.array([True, False]))
    check_refused(lambda t, x: x.repeat(2, 1), ValueError, "3 numbers or more", X)
    check_refused(lambda t, x: x.repeat(2, 1, -1), ValueError, "none below 0", X)
    check_refused(lambda t, x: x.repeat(2, 1, 1.5), TypeError, "integers, got 1.5", X)


def test_repeat_does_not_share_memory():
    def call(t, x):
        y = x.repeat(1, 1, 1)
        y.add_(1)
        return x, y

    check_same(call, np.arange(24).reshape(2, 3, 4))


@FLOATS
@pytest.mark.parametrize("dim", [None, 0, 1, -1])
def test_repeat_interleave(dtype, dim):
    x = X.astype(dtype)
    length = x.size if dim is None else x.shape[dim]
    times = np.arange(length)[::-1].copy() % 3
    for repeats in (times, times.astype(np.int32), np.array([2]), np.array(2)):
        check_same(lambda t, x, n: x.repeat_interleave(n, dim), x, repeats)
        check_same(lambda t, x, n: t.repeat_interleave(x.transpose(0, 1), 2, dim), x, repeats)
    for n in (0, 1, 3):
        check_same(lambda t, x, n=n: t.repeat_interleave(x * x, repeats=n, dim=dim), x)
    check_same(lambda t, x: x.detach().repeat_interleave(2, dim), x)


def test_repeat_interleave_of_few_elements():
    check_same(lambda t, n: t.repeat_interleave(n), np.array([0, 2, 1]))
    check_same(lambda t, n: t.repeat_interleave(n, output_size=3), np.array([0, 2, 1]))
    check_same(lambda t, x: x.repeat_interleave(2), np.array(1.5))
    check_same(lambda t, x: x.repeat_interleave(2), np.zeros((0, 2)))
    check_same(lambda t, x: x.repeat_interleave(2, 1), np.zeros((0, 2)))

    def call(t, x, n):
        return x.repeat_interleave(n, 0)

    check_refused(call, ValueError, r"shape \(2,\), or one", X, np.array([1, 2, 3]))
    check_refused(call, ValueError, "one number", X, np.array([[1, 2]]))
    check_refused(call, ValueError, ">= 0, got -1", X, np.array([1, -1]))
    check_refused(call, TypeError, "got float64", X, np.array([1.0, 2.0]))
    check_refused(lambda t, x: x.repeat_interleave(-1, 0), ValueError, ">= 0, got -1", X)
    check_refused(lambda t, x: x.repeat_interleave(1, 3), IndexError, "got 3", X)
    check_refused(
        lambda t, x, n: x.repeat_interleave(n, 0, output_size=4),
        ValueError,
        "output_size 3, got 4",
        X,
        np.array([1, 2]),
    )


@FLOATS
@pytest.mark.parametrize("dims", [(0,), (1, 2), (-1,), (), (2, 0, 1)])
def test_flip(dtype, dims):
    x = X.astype(dtype)
    check_same(lambda t, x: t.flip(x, dims), x)
    check_same(lambda t, x: t.flip(x, list(dims)), x.T)
    check_same(lambda t, x: t.flip(x, dims=dims), x)
    check_same(lambda t, x: (x * 3).transpose(0, 1).flip(dims), x)
    check_same(lambda t, x: x.flip(dims), np.zeros((0, 2, 3), dtype))


def test_flip_of_few_axes():
    check_same(lambda t, x: x.flip(0, 1), np.arange(6).reshape(2, 3))
    check_same(lambda t, x: x.flip(-1), np.array([True, False]))
    check_same(lambda t, x: x.flip(0), np.array(1.5))
    check_refused(lambda t, x: x.flip(0, -3), ValueError, "each axis once", X)
    check_refused(lambda t, x: x.flip(3), IndexError, "-3 to 2, got 3", X)


@FLOATS
@pytest.mark.parametrize(
    "shifts, dims",
    [(1, 0), (-2, 1), (9, -1), ((1, 2), (0, 2)), ((1, 1), (1, 1)), (5, None), ((3,), None), (0, 0)],
)
def test_roll(dtype, shifts, dims):
    x = X.astype(dtype)
    check_same(lambda t, x: t.roll(x, shifts, dims), x)
    check_same(lambda t, x: (x * 2).transpose(0, 2).roll(shifts=shifts, dims=dims), x)
    check_same(lambda t, x: x.detach().roll(shifts, dims), x.T)
    check_same(lambda t, x: x.roll(shifts, dims), np.zeros((0, 2, 3), dtype))


def test_roll_of_few_axes():
    check_same(lambda t, x: x.roll(1), np.arange(6).reshape(2, 3))
    check_same(lambda t, x: x.roll(1), np.array(1.5))
    check_refused(lambda t, x: x.roll((1, 2), 0), ValueError, "as many shifts as axes", X)
    check_refused(lambda t, x: x.roll(1, (0, 1)), ValueError, "as many shifts as axes", X)
    check_refused(lambda t, x: x.roll((1, 2)), ValueError, "as many shifts as axes", X)
    check_refused(lambda t, x: x.roll(1, 3), IndexError, "-3 to 2, got 3", X)
    check_refused(lambda t, x: x.roll(1.5, 0), TypeError, "integers, got 1.5", X)


@FLOATS
@pytest.mark.filterwarnings("ignore:torch.meshgrid")
def test_meshgrid(dtype):
    a, b, c = (np.arange(n, dtype=dtype) for n in (2, 3, 4))
    check_same(lambda t, a, b: t.meshgrid(a, b, indexing="ij"), a, b)
    check_same(lambda t, a, b: t.meshgrid([a * a, b], indexing="xy"), a, b)
    check_same(lambda t, a, b, c: t.meshgrid((a, b, c)), a, b, c)
    check_same(lambda t, a, b, c: t.meshgrid(a, b, c, indexing="xy"), a, b, c)
    check_same(lambda t, a, b: t.meshgrid(a, b, indexing="xy"), a, b.sum())
    check_same(lambda t, a: t.meshgrid(a, indexing="xy"), a)
    check_same(lambda t, a, b: t.meshgrid(a, b, indexing="ij"), a[:0], b)
    check_same(lambda t, a, b: t.meshgrid(a, b, indexing="ij"), np.arange(2), np.arange(3))


def test_meshgrid_refuses():
    row = np.arange(3)
    check_refused(lambda t, x: t.meshgrid(x, x, indexing="yx"), ValueError, "got 'yx'", row)
    check_refused(lambda t, x: t.meshgrid(x, x.float()), TypeError, "one dtype", row)
    check_refused(lambda t, x: t.meshgrid(x[None], x), ValueError, "one axis at most", row)
    check_refused(lambda t: t.meshgrid([]), TypeError, "one tensor or more")
    check_refused(lambda t, x: t.meshgrid(x, 1), TypeError, "got .*'int'", row)
