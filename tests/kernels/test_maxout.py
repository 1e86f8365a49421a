import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import maxout
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)

FLOATS = [np.float32, np.float64]
SHAPES = [(1, 1, 1), (5, 2, 7), (4, 5, 100), (3, 2, 20_011)]


def inputs(shape, dtype, seed=0):
    """Whole numbers, so that pieces are equal now and then."""
    rng = np.random.default_rng(seed)
    n, _, size = shape
    return rng.integers(-2, 3, shape).astype(dtype), rng.normal(size=(n, size)).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("implementation", maxout.IMPLEMENTATIONS)
def test_c7_maxout_writes_the_reference(implementation, dtype, shape):
    module = maxout.IMPLEMENTATIONS[implementation]
    x, dy = inputs(shape, dtype)
    before = x.copy(), dy.copy()
    y, piece = nan_poisoned(dy.shape, dtype), np.full(dy.shape, 255, np.uint8)
    dx, right = nan_poisoned(shape, dtype), np.empty(shape, dtype)
    module.forward(x=x, out_y=y, out_piece=piece)
    module.backward(dy=dy, piece=piece, out_dx=dx)
    assert_same_bits([y, piece], [x.max(axis=1), x.argmax(axis=1).astype(np.uint8)])
    maxout.reference.backward(dy, piece, right)
    assert_same_bits([dx, x, dy], [right, *before])


def test_c7_maxout_gradient_against_central_differences():
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    dy = np.random.default_rng(1).normal(size=(3, 5))
    dx = maxout.backward(dy, maxout.forward(x)[1])
    assert_close(dx, central_differences(lambda x: np.sum(dy * maxout.forward(x)[0]), x), 1e-8)


@given(n=st.integers(0, 4), pieces=st.integers(1, 9), size=st.integers(0, 40))
def test_c7_maxout_any_shape(n, pieces, size):
    x, dy = inputs((n, pieces, size), np.float32)
    y, saved = maxout.forward(x)
    dx = maxout.backward(dy, saved)
    assert dx.shape == x.shape
    assert_same_bits(y, x.max(axis=1))
    assert_close(dx.sum(axis=1), dy, 0)


def test_c7_the_first_of_equal_pieces_gets_the_gradient():
    x = np.array([1, 2, 2, 2, 1], np.float32)[None, :, None] * np.ones(20, np.float32)
    dx = maxout.backward(np.ones((1, 20), np.float32), maxout.forward(x)[1])
    assert dx[0, :, 0].tolist() == dx[0, :, -1].tolist() == [0, 1, 0, 0, 0]


@pytest.mark.parametrize("pieces", range(3))
def test_c7_nan_in_any_piece_is_nan(pieces):
    x = np.zeros((1, 3, 20), np.float32)
    x[0, 1] = np.inf
    x[0, pieces, [3, 18]] = np.nan
    y, saved = maxout.forward(x)
    assert np.isnan(y[0, [3, 18]]).all() and np.isinf(y[0, 4:17]).all()
    assert saved.piece[0, [3, 18]].tolist() == [pieces] * 2


def test_same_bits_on_1_2_and_3_threads():
    x, dy = inputs((3, 2, 20_011), np.float32)

    def run():
        y, saved = maxout.forward(x)
        return y, maxout.backward(dy, saved)

    assert_same_bits_on_threads(run)


def test_non_contiguous_and_read_only_inputs():
    x, dy = inputs((5, 6, 7), np.float32)
    y, saved = maxout.forward(x)
    dx = maxout.backward(dy, saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other_y, other_saved = maxout.forward(changed(x))
        assert_same_bits([other_y, maxout.backward(changed(dy), other_saved)], [y, dx])


def test_wrong_dtypes_and_shapes_are_named():
    with pytest.raises(TypeError, match=r"maxout: .* float32 or float64, got int64"):
        maxout.forward(np.zeros((1, 2, 3), np.int64))
    for shape in ((2, 3), (1, 0, 3), (1, 257, 3)):
        with pytest.raises(ValueError, match=r"shape \(N, k, S\), 1 <= k <= 256, got"):
            maxout.forward(np.zeros(shape))
    _, saved = maxout.forward(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match=r"expected dy of shape \(1, 3\), got \(2, 3\)"):
        maxout.backward(np.zeros((2, 3)), saved)
