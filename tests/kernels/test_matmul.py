"""The matrix product, in all four transposed forms, with bias and ReLU behind it."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import matmul
from kernels.matmul.algorithms import ALGORITHMS
from kernels.matmul.direct.cpu import group_start
from kernels.matmul.packed.cpu import TASKS
from kernels.matmul.problem import Problem
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import guarded, poisoned_memory, scratch_of

DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]
TRANSPOSES = [(False, False), (False, True), (True, False), (True, True)]

# (M, K, N): one, primes, tails of tiles and panels; then parallel, with more than one block of
# rows (96), of depth (256) and of columns; at last many more rows than columns.
SHAPES = [
    (1, 1, 1),
    (1, 7, 1),
    (2, 1, 3),
    (5, 3, 7),
    (4, 8, 24),
    (13, 31, 49),
    (97, 257, 25),
    (193, 11, 401),
    (7, 600, 131),
    (1, 1000, 1001),
    (193, 300, 401),
    (193, 300, 80),
    (700, 40, 32),
    (1301, 300, 48),
]


def inputs(shape, dtype, transposes=(False, False), seed=0):
    m, k, n = shape
    rng = np.random.default_rng(seed)
    a, b, bias, dy = (rng.normal(size=size) for size in [(m, k), (k, n), (n,), (m, n)])
    a, b = a.T if transposes[0] else a, b.T if transposes[1] else b
    return [np.ascontiguousarray(array, dtype) for array in (a, b, bias, dy)]


def options(transposes, relu=False):
    return {"transpose_a": transposes[0], "transpose_b": transposes[1], "relu": relu}


def expected(a, b, bias, dy, y_computed, transpose_a, transpose_b, relu):
    """y and the gradients of a, b and bias in float64, by the reference.

    Rounding may decide whether an element is above 0: the gradient follows `y_computed`.
    """
    a, b, dy = (array.astype(np.float64) for array in (a, b, dy))
    bias = np.empty(0) if bias is None else bias.astype(np.float64)

    def product(left, right, transpose_left, transpose_right, added=np.empty(0), rectified=False):  # noqa: B008
        m = left.shape[1] if transpose_left else left.shape[0]
        n = right.shape[0] if transpose_right else right.shape[1]
        out = nan_poisoned((m, n), np.float64)
        matmul.reference.product(
            left, right, added, transpose_left, transpose_right, rectified, out_y=out
        )
        return out

    y = product(a, b, transpose_a, transpose_b, bias, relu)
    dy = np.where(y_computed > 0, dy, 0) if relu else dy
    da = product(dy, b, False, not transpose_b)
    db = product(a, dy, not transpose_a, False)
    dbias = dy.sum(0) if bias.size else None
    return y, da.T if transpose_a else da, db.T if transpose_b else db, dbias


def assert_all_close(actual, expected, tolerance):
    for one, other in zip(actual, expected, strict=True):
        if other is None:
            assert one is None
        else:
            assert_close(one, other, tolerance)


@pytest.mark.parametrize("with_bias", [True, False], ids=["bias", "plain"])
@pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
@pytest.mark.parametrize("transposes", TRANSPOSES, ids=["ab", "ab'", "a'b", "a'b'"])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_cpu_writes_the_reference(monkeypatch, dtype, tolerance, transposes, relu, with_bias):
    for shape in SHAPES:
        arrays = [guarded(array) for array in inputs(shape, dtype, transposes)]
        a, b, bias, dy = arrays
        bias = bias if with_bias else None
        before = [array.copy() for array in arrays]
        with poisoned_memory(monkeypatch):
            y, saved = matmul.forward(a, b, bias, **options(transposes, relu))
            gradients = matmul.backward(dy, saved)
        assert {array.dtype for array in (y, *gradients) if array is not None} == {np.dtype(dtype)}
        wanted = expected(a, b, bias, dy, y, **options(transposes, relu))
        assert_all_close((y, *gradients), wanted, tolerance * max(1, shape[1] ** 0.5))
        assert_same_bits(arrays, before)


def product_by(implementation, arrays, transpose_b, relu):
    a, b, bias, _ = arrays
    problem = Problem(len(a), bias.size, a.shape[1], a.itemsize, False)
    y = nan_poisoned((problem.m, problem.n), a.dtype)
    assert implementation is matmul.reference or implementation.applies(problem)
    of_a = {"a": a, "b": b, "transpose_a": False}
    implementation.product(
        a=a,
        b=b,
        bias=bias,
        transpose_a=False,
        transpose_b=transpose_b,
        relu=relu,
        **scratch_of(implementation, "product", of_a),
        out_y=y,
    )
    return y


@pytest.mark.parametrize("implementation", matmul.IMPLEMENTATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_implementations_share_their_parameters(implementation, dtype, tolerance):
    shape = 97, 257, 64 if implementation == "cpu_tall" else 25
    arrays = inputs(shape, dtype, (False, True))
    y = product_by(matmul.IMPLEMENTATIONS[implementation], arrays, True, True)
    wanted = expected(*arrays, y, **options((False, True), True))
    assert_close(y, wanted[0], 16 * tolerance)


def test_implementations_are_the_reference_and_the_algorithms_in_their_order():
    assert list(matmul.IMPLEMENTATIONS.values()) == [matmul.reference, *ALGORITHMS]
    anything = Problem(1, 1, 1 << 20, 4, True)
    assert ALGORITHMS[-1].applies(anything) and ALGORITHMS[-1].pays(anything)


@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_algorithms_give_the_same_bits(dtype, transpose_b):
    for shape in ((97, 257, 64), (11, 600, 192), (200, 33, 128)):
        arrays = inputs(shape, dtype, (False, transpose_b))
        first, *others = (product_by(each, arrays, transpose_b, True) for each in ALGORITHMS)
        for y in others:
            assert_same_bits(y, first)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_gradients_against_central_differences(transposes, relu):
    *arrays, dy = inputs((3, 4, 5), np.float64, transposes, seed=3)
    gradients = matmul.backward(dy, matmul.forward(*arrays, **options(transposes, relu))[1])
    for position, gradient in enumerate(gradients):

        def loss(point, position=position):
            moved = [point if k == position else array for k, array in enumerate(arrays)]
            m, n = dy.shape
            y = nan_poisoned((m, n), np.float64)
            matmul.reference.product(*moved, *transposes, relu, out_y=y)
            return np.sum(dy * y)

        assert_close(gradient, central_differences(loss, arrays[position]), 1e-8)


@given(
    m=st.integers(1, 40),
    k=st.integers(1, 40),
    n=st.integers(1, 80),
    transposes=st.sampled_from(TRANSPOSES),
    relu=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_shape(m, k, n, transposes, relu, seed):
    a, b, bias, dy = inputs((m, k, n), np.float32, transposes, seed)
    y, saved = matmul.forward(a, b, bias, **options(transposes, relu))
    wanted = expected(a, b, bias, dy, y, **options(transposes, relu))
    gradients = matmul.backward(dy, saved)
    assert_all_close((y, *gradients), wanted, 1e-5)


@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_same_bits_on_1_2_and_3_threads(transposes):
    for shape in [(193, 300, 401), (1, 1000, 1001), (500, 513, 3), (193, 300, 80), (1301, 300, 48)]:
        a, b, bias, dy = inputs(shape, np.float32, transposes)

        def both(a=a, b=b, bias=bias, dy=dy):
            y, saved = matmul.forward(a, b, bias, **options(transposes, True))
            return y, *matmul.backward(dy, saved)

        assert_same_bits_on_threads(both)


def test_rows_do_not_know_each_other():
    """A row alone and among others: the sum over K runs in one order."""
    for shape in [(193, 300, 49), (1301, 300, 48)]:
        a, b, bias, _ = inputs(shape, np.float32)
        whole, _ = matmul.forward(a, b, bias)
        for row in (0, 95, 96, 192):
            for rows in (1, 2, 97):
                some, _ = matmul.forward(a[row : row + rows], b, bias)
                assert_same_bits(whole[row : row + rows], some)


@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_non_contiguous_and_read_only_inputs(transposes):
    arrays = inputs((13, 31, 49), np.float32, transposes)
    a, b, bias, dy = arrays
    y, saved = matmul.forward(a, b, bias, **options(transposes, True))
    results = [y, *matmul.backward(dy, saved)]
    for change in (non_contiguous, read_only, np.asfortranarray, unaligned):
        a, b, bias, dy = (change(array) for array in arrays)
        y, saved = matmul.forward(a, b, bias, **options(transposes, True))
        assert_same_bits([y, *matmul.backward(dy, saved)], results)


def unaligned(array):
    """The same values, a byte off."""
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


@pytest.mark.parametrize("relu", [False, True])
def test_no_depth_leaves_the_bias(relu):
    bias = np.array([1, -2, 3], np.float32)
    y, saved = matmul.forward(
        np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32), bias, relu=relu
    )
    assert y.tolist() == [[1, 0 if relu else -2, 3]] * 2
    da, db, dbias = matmul.backward(np.ones((2, 3), np.float32), saved)
    assert da.shape == (2, 0) and db.shape == (0, 3)
    assert dbias.tolist() == [2, 0 if relu else 2, 2]
    plain, _ = matmul.forward(np.zeros((2, 0)), np.zeros((0, 3)), relu=relu)
    assert plain.tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("transposes", TRANSPOSES)
@pytest.mark.parametrize("shape", [(0, 3, 2), (3, 2, 0), (0, 0, 0), (0, 5, 0)])
def test_empty_axes(shape, transposes, relu):
    a, b, bias, dy = inputs(shape, np.float32, transposes)
    y, saved = matmul.forward(a, b, bias, **options(transposes, relu))
    da, db, dbias = matmul.backward(dy, saved)
    assert y.shape == dy.shape
    assert (da.shape, db.shape, dbias.shape) == (a.shape, b.shape, bias.shape)
    assert not da.any() and not db.any() and not dbias.any()


def test_needs_select_gradients():
    a, b, bias, dy = inputs((5, 3, 7), np.float32)
    _, saved = matmul.forward(a, b, bias)
    whole = matmul.backward(dy, saved)
    for k in range(3):
        needs = tuple(j == k for j in range(3))
        some = matmul.backward(dy, saved, needs)
        assert_same_bits(some[k], whole[k])
        assert [gradient is not None for gradient in some] == list(needs)
    _, saved = matmul.forward(a, b)
    assert matmul.backward(dy, saved)[2] is None


@pytest.mark.parametrize("transposes", TRANSPOSES)
@pytest.mark.parametrize("shape", [(5, 3, 7), (193, 300, 49)])
def test_gradient_of_b_is_written_where_it_is_wanted(shape, transposes):
    a, b, bias, dy = inputs(shape, np.float32, transposes)
    _, saved = matmul.forward(a, b, bias, **options(transposes))
    wanted = matmul.backward(dy, saved)
    place = guarded(nan_poisoned(b.shape, np.float32))
    found = matmul.backward(dy, saved, out_db=place)
    assert found[1] is place
    assert_same_bits(list(found), list(wanted))
    for wrong in (place[1:], place.astype(np.float64)):
        with pytest.raises(ValueError, match=r"matmul: expected out_db of shape .* got"):
            matmul.backward(dy, saved, out_db=wrong)
    for wrong in (np.asfortranarray(place), read_only(place)):
        with pytest.raises(ValueError, match="expected out_db, which is written in place, to be"):
            matmul.backward(dy, saved, out_db=wrong)


def test_gradient_of_a_stack_has_no_place():
    a, b = np.ones((2, 3, 4)), np.ones((2, 4, 5))
    y, saved = matmul.forward(a, b)
    with pytest.raises(ValueError, match=r"expected b to be a matrix, got shape \(2, 4, 5\)"):
        matmul.backward(y, saved, out_db=np.ones((2, 4, 5)))


@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_nan_and_infinity_stay_in_their_row_and_column(transposes):
    for shape in [(5, 3, 7), (193, 300, 49)]:
        a, b, bias, _ = inputs(shape, np.float32, transposes)
        m, _, n = shape
        (a.T if transposes[0] else a)[2, 1] = np.nan
        (b.T if transposes[1] else b)[2, n - 1] = np.inf
        bias[0] = np.nan
        y, _ = matmul.forward(a, b, bias, **options(transposes, True))
        assert np.isnan(y[2]).all() and np.isnan(y[:, 0]).all()
        others = np.delete(y, 2, 0)[:, 1:]
        assert np.isfinite(others[:, :-1]).all()
        column = np.delete((a.T if transposes[0] else a)[:, 2], 2)
        assert np.array_equal(others[:, -1], np.where(column > 0, np.inf, 0))
        assert y.shape == (m, n)


def test_known_product():
    a, b = np.array([[1, 2], [3, 4]], np.float32), np.array([[5, -6], [7, 8]], np.float32)
    y, saved = matmul.forward(a, b, np.array([0, -11], np.float32), relu=True)
    assert y.tolist() == [[19, 0], [43, 3]]
    da, db, dbias = matmul.backward(np.ones((2, 2), np.float32), saved)
    assert da.tolist() == [[5, 7], [-1, 15]]
    assert db.tolist() == [[4, 3], [6, 4]]
    assert dbias.tolist() == [2, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex64, ">f4"])
def test_wrong_dtypes_are_named(dtype):
    dtype = np.dtype(dtype)
    good = np.zeros((2, 2), np.float32)
    bad = np.zeros((2, 2), dtype)
    message = rf"matmul: expected {{}} of float32 or float64, got {dtype}"
    for name, arrays in {
        "a": (bad, good),
        "b": (good, bad),
        "bias": (good, good, np.zeros(2, dtype)),
    }.items():
        with pytest.raises(TypeError, match=message.format(name)):
            matmul.forward(*arrays)
    with pytest.raises(TypeError, match=r"matmul.backward: expected dy of float32 or float64"):
        matmul.backward(bad, matmul.forward(good, good)[1])


def test_mixed_dtypes_and_other_types_are_named():
    good, double = np.zeros((2, 2), np.float32), np.zeros((2, 2))
    with pytest.raises(TypeError, match=r"expected b of float32 like the rest, got float64"):
        matmul.forward(good, double)
    with pytest.raises(TypeError, match=r"expected bias of float32 like the rest, got float64"):
        matmul.forward(good, good, np.zeros(2))
    with pytest.raises(TypeError, match=r"expected a to be a NumPy array, got list"):
        matmul.forward([[1.0]], good)
    with pytest.raises(ValueError, match=r"expected dy of shape \(2, 2\) and float32, got .*64"):
        matmul.backward(double, matmul.forward(good, good)[1])


@pytest.mark.parametrize(
    ("a", "b", "bias", "message"),
    [
        ((2, 3), (4, 5), None, r"expected b with 3 rows to match a \(2, 3\), got \(4, 5\)"),
        ((3,), (3, 5), None, r"expected two matrices, got shapes \(3,\) and \(3, 5\)"),
        ((2, 2, 3), (3, 3, 5), None, r"expected leading axes that broadcast, got shapes \(2, 2"),
        ((2, 3), (3, 5), (4,), r"expected a bias of shape \(5,\), got \(4,\)"),
        ((2, 3), (3, 5), (1, 5), r"expected a bias of shape \(5,\), got \(1, 5\)"),
        ((2, 3), (3, 5), (0,), r"expected a bias of shape \(5,\), got \(0,\)"),
    ],
)
def test_wrong_shapes_are_named(a, b, bias, message):
    a, b = np.zeros(a, np.float32), np.zeros(b, np.float32)
    with pytest.raises(ValueError, match=f"matmul: {message}"):
        matmul.forward(a, b, None if bias is None else np.zeros(bias, np.float32))


@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_shapes_are_checked_after_transposing(transposes):
    a, b, _, dy = inputs((2, 3, 5), np.float32, transposes)
    _, saved = matmul.forward(a, b, **options(transposes))
    other = (not transposes[0], transposes[1])
    with pytest.raises(ValueError, match=r"matmul: expected b with 2 rows to match a \(3, 2\)"):
        matmul.forward(a, b, **options(other))
    for wrong in (dy.T, dy[None], dy[:1], dy[:, :0]):
        with pytest.raises(ValueError, match=r"matmul.backward: expected dy of shape \(2, 5\)"):
            matmul.backward(wrong, saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(5, 3, 7), (100, 784, 130)])
def test_against_pytorch_linear(torch, shape, relu):
    """y = x W' + b, as Linear lays out its weight."""
    x, weight, bias, dy = inputs(shape, np.float32, (False, True))
    tensors = [torch.from_numpy(array.copy()).requires_grad_() for array in (x, weight, bias)]
    y_torch = torch.nn.functional.linear(*tensors)
    y_torch = torch.relu(y_torch) if relu else y_torch
    y_torch.backward(torch.from_numpy(dy))
    y, saved = matmul.forward(x, weight, bias, transpose_b=True, relu=relu)
    assert_close(y, y_torch.detach().numpy(), 1e-5)
    for gradient, tensor in zip(matmul.backward(dy, saved), tensors, strict=True):
        assert_close(gradient, tensor.grad.numpy(), 1e-4)


@pytest.mark.parametrize("registers", range(1, 40))
def test_groups_of_columns_are_the_whole_and_share_nothing(registers):
    """The last register overlaps the one before it, which so has to be in its group."""
    across = min((registers + 2) // 3, TASKS)
    starts = [group_start.py_func(group, across, registers) for group in range(across + 1)]
    assert starts[0] == 0 and starts[-1] == registers
    assert all(first < last for first, last in itertools.pairwise(starts))
    assert registers == 1 or starts[-1] - starts[-2] >= 2
