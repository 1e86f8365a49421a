"""Rows by id, their gradient, and their greatest norm."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import _memory, embedding
from kernels.embedding import cpu, reference
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import poisoned_memory, scratch_of

DTYPES = [(np.float32, 1e-6), (np.float64, 1e-15)]

# Vocabulary, columns, positions: one, odd, prime; serial, parallel, zeros past the caches.
SHAPES = [(1, 1, 1), (5, 3, 7), (257, 67, 1009), (70_001, 17, 300), (8209, 128, 2203)]


def inputs(vocabulary, size, count, dtype, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, vocabulary, count)
    weight, dy = rng.standard_normal((vocabulary, size)), rng.standard_normal((count, size))
    return ids, weight.astype(dtype), dy.astype(dtype)


def poisoned_output(shape, dtype):
    """Aligned as the op's are, where that is a matter of the path taken."""
    array = _memory.empty(shape, dtype)
    array.fill(np.nan)
    return array


def reference_gradient(dy, ids, vocabulary, padding_idx=-1, by_frequency=False):
    dweight = nan_poisoned((vocabulary, dy.shape[1]), np.float64)
    reference.backward(dy, ids, padding_idx, by_frequency, out_dweight=dweight)
    return dweight


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("implementation", embedding.IMPLEMENTATIONS)
def test_implementation_writes_the_reference(implementation, dtype, tolerance, shape):
    module = embedding.IMPLEMENTATIONS[implementation]
    vocabulary, size, count = shape
    ids, weight, dy = inputs(vocabulary, size, count, dtype)
    before = [ids.copy(), weight.copy(), dy.copy()]
    y = nan_poisoned((count, size), dtype)
    module.forward(ids=ids, weight=weight, out_y=y)
    assert_same_bits(y, weight[ids])
    for padding_idx, by_frequency in ((-1, False), (int(ids[0]), True)):
        dweight = poisoned_output((vocabulary, size), dtype)
        module.backward(
            dy=dy,
            ids=ids,
            padding_idx=padding_idx,
            by_frequency=by_frequency,
            **scratch_of(module, "backward", {"ids": ids}),
            out_dweight=dweight,
        )
        expected = reference_gradient(dy, ids, vocabulary, padding_idx, by_frequency)
        assert_close(dweight, expected, tolerance)
        assert (dweight[expected == 0] == 0).all()
    assert_same_bits([ids, weight, dy], before)


@pytest.mark.parametrize("shape", SHAPES[-2:], ids=str)
def test_the_gradients_of_large_tables_are_written_past_the_caches(shape):
    """Which the test above depends on: aligned as they come from the pool."""
    vocabulary, size, _ = shape
    assert cpu._past_caches(poisoned_output((vocabulary, size), np.float32))
    assert not cpu._past_caches(poisoned_output((vocabulary // 2, size), np.float32))


@pytest.mark.parametrize("by_frequency", [False, True])
def test_reference_backward_against_central_differences(by_frequency):
    ids, weight, dy = inputs(6, 3, 9, np.float64)
    counts = np.bincount(ids, minlength=6)

    def loss(point):
        y = np.empty((9, 3))
        reference.forward(ids, point, out_y=y)
        return np.sum(dy * y)

    expected = central_differences(loss, weight)
    if by_frequency:
        expected /= np.maximum(1, counts)[:, None]
    assert_close(reference_gradient(dy, ids, 6, -1, by_frequency), expected, 1e-8)


@settings(deadline=None, max_examples=40)
@given(
    vocabulary=st.integers(1, 300),
    size=st.integers(0, 90),
    shape=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    int32=st.booleans(),
    seed=st.integers(0, 99),
)
def test_ids_of_any_shape(vocabulary, size, shape, int32, seed):
    rng = np.random.default_rng(seed)
    ids = np.asarray(rng.integers(0, vocabulary, shape), np.int32 if int32 else np.int64)
    weight = rng.standard_normal((vocabulary, size)).astype(np.float32)
    dy = rng.standard_normal((*shape, size)).astype(np.float32)
    y, saved = embedding.forward(ids, weight)
    assert_same_bits(y, weight[ids])
    expected = reference_gradient(dy.reshape(ids.size, size), ids.reshape(-1), vocabulary)
    assert_close(embedding.backward(dy, saved), expected, 1e-6)


def zipf(vocabulary, count, seed=0):
    """Ids as in a text, where one of them is a third of all."""
    ids = np.random.default_rng(seed).zipf(1.5, count)
    return np.where(ids <= vocabulary, ids - 1, 0)


@pytest.mark.parametrize("shape", [(1000, 100, 3001), (20_000, 64, 5000)], ids=str)
def test_same_bits_on_1_2_and_3_threads(shape):
    vocabulary, size, count = shape
    _, weight, dy = inputs(vocabulary, size, count, np.float32)
    ids = zipf(vocabulary, count)

    def run():
        y, saved = embedding.forward(ids, weight, padding_idx=3)
        dweight = embedding.backward(dy, saved)
        shrunk = weight.copy()
        embedding.renormalize(ids, shrunk, 7.0)
        return y, dweight, shrunk

    assert_same_bits_on_threads(run)
    assert_close(run()[1], reference_gradient(dy, ids, vocabulary, 3), 1e-6)


def test_nothing_beside_the_arrays_is_written(monkeypatch):
    ids, weight, dy = inputs(1009, 67, 701, np.float32)
    with poisoned_memory(monkeypatch):
        _, saved = embedding.forward(ids, weight, scale_grad_by_freq=True)
        dweight = embedding.backward(dy, saved)
        assert_close(dweight, reference_gradient(dy, ids, 1009, by_frequency=True), 1e-6)
        embedding.renormalize(ids, weight, 1.0)


def test_a_frequent_id_is_summed_in_float64():
    count = 300_000
    dy = np.full((count, 9), 1e-4, np.float32)
    dy[0] = 100
    _, saved = embedding.forward(np.zeros(count, np.int64), np.zeros((2, 9), np.float32))
    exact = 100 + (count - 1) * float(np.float32(1e-4))
    assert np.abs(embedding.backward(dy, saved)[0] - exact).max() <= np.spacing(np.float32(exact))


def test_nan_stays_in_its_row():
    ids, weight, dy = inputs(50, 20, 99, np.float32)
    dy[7, 3] = np.nan
    dweight = embedding.backward(dy, embedding.forward(ids, weight)[1])
    assert np.isnan(dweight[ids[7], 3]) and np.isnan(dweight).sum() == 1


def test_strided_and_read_only_inputs():
    ids, weight, dy = inputs(30, 20, 17, np.float32)
    y, saved = embedding.forward(ids, weight)
    expected = [y, embedding.backward(dy, saved)]
    for change in (non_contiguous, read_only):
        y, saved = embedding.forward(change(ids), change(weight))
        assert_same_bits([y, embedding.backward(change(dy), saved)], expected)


def test_no_ids_and_no_columns():
    weight = np.ones((3, 4), np.float32)
    y, saved = embedding.forward(np.zeros((0, 5), np.int64), weight)
    assert y.shape == (0, 5, 4)
    assert (embedding.backward(y, saved) == 0).all()
    embedding.renormalize(np.zeros(0, np.int64), weight, 1.0)
    y, saved = embedding.forward(np.zeros((2, 0), np.int64), np.ones((0, 4), np.float32))
    assert embedding.backward(y, saved).shape == (0, 4)
    y, saved = embedding.forward(np.array(1), weight)
    assert y.shape == (4,) and embedding.backward(y, saved).sum() == 4


@pytest.mark.parametrize(
    ("ids", "weight", "options", "error", "message"),
    [
        ([1], np.ones((3, 2)), {}, TypeError, "ids to be an array of int64 or int32, got list"),
        (np.ones(3), np.ones((3, 2)), {}, TypeError, "int64 or int32, got float64"),
        (np.ones(3, np.int16), np.ones((3, 2)), {}, TypeError, "int64 or int32, got int16"),
        (np.array([0]), np.ones((3, 2), np.float16), {}, TypeError, "weight of float32 or"),
        (np.array([0]), np.ones(3), {}, ValueError, r"weight of shape \(V, D\), got \(3,\)"),
        (np.array([0]), np.ones((3, 2)), {"padding_idx": 3}, ValueError, "from 0 to 2, got 3"),
        (np.array([0]), np.ones((3, 2)), {"padding_idx": -1}, ValueError, "from 0 to 2, got -1"),
        (np.array([0, 2, -1]), np.ones((3, 2)), {}, ValueError, "from 0 to 2 .* got -1 at pos.* 2"),
        (np.array(3), np.ones((3, 2)), {}, ValueError, "for a vocabulary of 3, got 3$"),
        (
            np.array([[0, 1], [2, 3]]),
            np.ones((3, 2)),
            {},
            ValueError,
            r"from 0 to 2 for a vocabulary of 3, got 3 at position \(1, 1\)",
        ),
        (np.array([0]), np.ones((0, 2)), {}, ValueError, "for a vocabulary of 0, got 0"),
    ],
)
def test_bad_input(ids, weight, options, error, message):
    with pytest.raises(error, match=f"^embedding: expected.*{message}"):
        embedding.forward(ids, weight, **options)


def test_bad_gradients():
    ids = np.array([0, 2])
    _, saved = embedding.forward(ids, np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"dy of shape \(2, 4\), got \(2, 3\)"):
        embedding.backward(np.ones((2, 3)), saved)
    with pytest.raises(TypeError, match="dy of float64 like weight, got float32"):
        embedding.backward(np.ones((2, 4), np.float32), saved)
    for out, message in (
        (np.ones((4, 4)), r"\(3, 4\) and float64, got \(4, 4\)"),
        (np.ones((3, 4), np.float32), r"float64, got \(3, 4\) and float32"),
        (np.ones((4, 3)).T, "out, which is written in place, to be contiguous"),
    ):
        with pytest.raises(ValueError, match=message):
            embedding.backward(np.ones((2, 4)), saved, out)
    out = nan_poisoned((3, 4), np.float64)
    assert embedding.backward(np.ones((2, 4)), saved, out) is out
    assert out[:, 0].tolist() == [1, 0, 1]
    ids[1] = 3
    with pytest.raises(ValueError, match="from 0 to 2 for a vocabulary of 3, got 3"):
        embedding.backward(np.ones((2, 4)), saved)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, np.inf, 3.5, 0.5])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_rows_that_are_looked_up_are_shrunk_once(dtype, tolerance, norm_type):
    ids, weight, _ = inputs(401, 37, 1200, dtype)
    ids = ids // 2
    weight[5] = 0
    norms = np.linalg.norm(weight.astype(np.float64), norm_type, axis=1)
    max_norm = 1.001 * float(np.median(norms))
    found, wanted = weight.copy(), weight.astype(np.float64)
    work = scratch_of(cpu, "renormalize", {"ids": ids})
    cpu.renormalize(ids, max_norm, norm_type, **work, inout_weight=found)
    reference.renormalize(ids, max_norm, norm_type, inout_weight=wanted)
    assert_close(found, wanted, tolerance)
    assert np.linalg.norm(found[ids], norm_type, axis=1).max() <= max_norm * (1 + 1e-6)
    kept = (norms <= max_norm) | ~np.isin(np.arange(401), ids)
    assert kept.any() and not kept.all()
    assert_same_bits(found[kept], weight[kept])


@pytest.mark.parametrize(
    ("weight", "max_norm", "norm_type", "message"),
    [
        (np.ones((3, 2)), -1.0, 2.0, "max_norm of at least 0, got -1.0"),
        (np.ones((3, 2)), np.nan, 2.0, "max_norm of at least 0, got nan"),
        (np.ones((3, 2)), 1.0, 0.0, "norm_type above 0, got 0.0"),
        (read_only(np.ones((3, 2))), 1.0, 2.0, "contiguous, aligned and writeable"),
        (non_contiguous(np.ones((3, 2))), 1.0, 2.0, "contiguous, aligned and writeable"),
        (np.ones((1, 2)), 1.0, 2.0, "from 0 to 0 for a vocabulary of 1, got 2 at position 1"),
    ],
)
def test_norms_that_cannot_be_bounded(weight, max_norm, norm_type, message):
    before = weight.copy()
    with pytest.raises(ValueError, match=message):
        embedding.renormalize(np.array([0, 2]), weight, max_norm, norm_type)
    assert_same_bits(weight, before)


def test_rows_of_several_tasks_are_shrunk():
    weight = np.full((1009, 67), 3.0, np.float32)
    embedding.renormalize(np.arange(1009), weight, 1.0)
    np.testing.assert_allclose(weight, 67**-0.5, 1e-6)
