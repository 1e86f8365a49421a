import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import additive_score
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import scratch_of

DTYPES = [(np.float32, 1e-6), (np.float64, 1e-14)]

# (N, Q, K, A): few queries and many, keys in one block and several, columns too.
SHAPES = [(1, 1, 1, 1), (3, 2, 67, 33), (1, 2, 3, 1100)]
SHAPES += [(2, 3, 5, 7), (3, 70, 67, 33), (1, 3, 2, 1100)]


def inputs(shape, dtype, seed=0):
    """Queries, keys, weights and a gradient; some pairs are far out and near each other."""
    n, queries, keys, size = shape
    rng = np.random.default_rng(seed)
    query, key = rng.normal(0, 2, (n, queries, size)), rng.normal(0, 2, (n, keys, size))
    query[:1, :1], key[:1, :1] = 70, -70.5
    weight, dscore = rng.normal(0, 1, size) / 2, rng.normal(0, 1, (n, queries, keys))
    return tuple(array.astype(dtype) for array in (query, key, weight, dscore))


def expected(query, key, weight, dscore):
    query, key, weight, dscore = (a.astype(np.float64) for a in (query, key, weight, dscore))
    score, *gradients = (np.empty_like(a) for a in (dscore, query, key, weight))
    additive_score.reference.forward(query, key, weight, out_score=score)
    names = ("out_dquery", "out_dkey", "out_dweight")
    outputs = dict(zip(names, gradients, strict=True))
    additive_score.reference.backward(dscore, query, key, weight, **outputs)
    return score, *gradients


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("implementation", additive_score.IMPLEMENTATIONS)
def test_i8_additive_score_writes_the_reference(implementation, dtype, tolerance, shape):
    module = additive_score.IMPLEMENTATIONS[implementation]
    query, key, weight, dscore = given_inputs = inputs(shape, dtype)
    before = [array.copy() for array in given_inputs]
    score, dquery, dkey, dweight = (
        nan_poisoned(array.shape, dtype) for array in (dscore, query, key, weight)
    )
    rows = {"query": query, "key": key}
    forward, backward = (scratch_of(module, name, rows) for name in ("forward", "backward"))
    module.forward(query=query, key=key, weight=weight, **forward, out_score=score)
    module.backward(
        dscore=dscore,
        query=query,
        key=key,
        weight=weight,
        **backward,
        out_dquery=dquery,
        out_dkey=dkey,
        out_dweight=dweight,
    )
    results = (score, dquery, dkey, dweight)
    for actual, right in zip(results, expected(*given_inputs), strict=True):
        assert_close(actual, right, tolerance)
    assert_same_bits(list(given_inputs), before)


def test_i8_additive_score_reference_backward_against_central_differences():
    query, key, weight, dscore = inputs((2, 3, 4, 5), np.float64)

    def loss(query, key, weight):
        score = np.empty_like(dscore)
        additive_score.reference.forward(query, key, weight, out_score=score)
        return np.sum(dscore * score)

    _, dquery, dkey, dweight = expected(query, key, weight, dscore)
    assert_close(dquery, central_differences(lambda x: loss(x, key, weight), query), 1e-7)
    assert_close(dkey, central_differences(lambda x: loss(query, x, weight), key), 1e-7)
    assert_close(dweight, central_differences(lambda x: loss(query, key, x), weight), 1e-7)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
def test_i8_each_tanh_is_near_also_far_out(dtype, tolerance):
    """assert_close means over elements; here each is near, whatever the two are apart."""
    points = np.array([0, 1e-3, 0.5, 3, 19, 39.9, 40, 40.1, 60, 300, 1e30, np.inf])
    query = np.concatenate([points, -points])[None, :, None].astype(dtype)
    key = query[:, :-1]
    with np.errstate(invalid="ignore"):
        right = np.tanh(query.astype(np.float64) + key[:, None, :, 0].astype(np.float64))
    for first in (0, len(query[0]) - 2):
        score, _ = additive_score.forward(query[:, first:], key, np.ones(1, dtype))
        np.testing.assert_allclose(score, right[:, first:], rtol=0, atol=3 * tolerance)


@settings(deadline=None, max_examples=30)
@given(shape=st.tuples(*(st.integers(0, 19) for _ in range(4))), seed=st.integers(0, 99))
def test_i8_additive_score_any_shape(shape, seed):
    query, key, weight, dscore = given_inputs = inputs(shape, np.float32, seed)
    score, saved = additive_score.forward(query, key, weight)
    results = score, *additive_score.backward(dscore, saved)
    for actual, right in zip(results, expected(*given_inputs), strict=True):
        assert actual.dtype == np.float32
        assert_close(actual, right, 1e-6)


@pytest.mark.parametrize("shape", [(3, 70, 67, 33), (3, 2, 131, 33), (2, 3, 5, 7)], ids=str)
def test_i8_additive_score_same_bits_on_1_2_and_3_threads(shape):
    query, key, weight, dscore = inputs(shape, np.float32)

    def run():
        score, saved = additive_score.forward(query, key, weight)
        return score, *additive_score.backward(dscore, saved)

    assert_same_bits_on_threads(run)


def test_i8_additive_score_same_bits_whatever_else_is_in_the_batch():
    query, key, weight, dscore = inputs((3, 70, 67, 33), np.float32)
    score, saved = additive_score.forward(query, key, weight)
    dquery, dkey, _ = additive_score.backward(dscore, saved)
    alone, saved = additive_score.forward(query[1:2], key[1:2], weight)
    dquery_alone, dkey_alone, _ = additive_score.backward(dscore[1:2], saved)
    assert_same_bits([alone, dquery_alone, dkey_alone], [score[1:2], dquery[1:2], dkey[1:2]])
    few, _ = additive_score.forward(query[:, :5], key[:, :9], weight)
    assert_same_bits(few, score[:, :5, :9].copy())


@pytest.mark.parametrize("queries", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_comes_out_where_it_went_in(dtype, queries):
    query, key, weight, dscore = inputs((2, queries, 5, 7), dtype)
    query[1, 1, 3] = np.nan
    score, saved = additive_score.forward(query, key, weight)
    assert np.isnan(score[1, 1]).all() and np.isnan(score).sum() == 5
    dquery, dkey, dweight = additive_score.backward(dscore, saved)
    assert np.argwhere(np.isnan(dquery)).tolist() == [[1, 1, 3]]
    assert np.isnan(dkey[1, :, 3]).all() and np.isnan(dkey).sum() == 5
    assert np.isnan(dweight[3]) and np.isnan(dweight).sum() == 1


def test_non_contiguous_and_read_only_inputs():
    query, key, weight, dscore = inputs((2, 3, 5, 7), np.float32)
    score, saved = additive_score.forward(query, key, weight)
    gradients = additive_score.backward(dscore, saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other, other_saved = additive_score.forward(changed(query), changed(key), changed(weight))
        found = additive_score.backward(changed(dscore), other_saved)
        assert_same_bits([other, found], [score, gradients])


@pytest.mark.parametrize("shape", [(0, 2, 3, 4), (2, 0, 3, 4), (2, 3, 0, 4), (2, 3, 4, 0)], ids=str)
def test_empty_inputs(shape):
    query, key, weight, dscore = inputs(shape, np.float32)
    score, saved = additive_score.forward(query, key, weight)
    assert score.shape == dscore.shape and not score.any()
    gradients = additive_score.backward(dscore, saved)
    for gradient, array in zip(gradients, (query, key, weight), strict=True):
        assert gradient.shape == array.shape and not gradient.any()


def test_wrong_dtypes_and_shapes_are_named():
    query, key, weight, _ = inputs((2, 3, 4, 5), np.float32)
    forward = additive_score.forward
    with pytest.raises(TypeError, match=r"additive_score: .* float32 or float64, got float16"):
        forward(query.astype(np.float16), key, weight)
    with pytest.raises(TypeError, match=r"expected key of float32 like the rest, got float64"):
        forward(query, key.astype(np.float64), weight)
    with pytest.raises(TypeError, match=r"weight to be a NumPy array, got list"):
        forward(query, key, [1.0])
    with pytest.raises(ValueError, match=r"query of shape \(N, Q, A\), got \(3, 5\)"):
        forward(query[0], key, weight)
    for wrong in (key[:1], key[0], key[..., :3]):
        with pytest.raises(ValueError, match=r"key of shape \(2, K, 5\), got"):
            forward(query, wrong, weight)
    with pytest.raises(ValueError, match=r"weight of shape \(5,\), got \(4,\)"):
        forward(query, key, weight[:4])
    _, saved = forward(query, key, weight)
    with pytest.raises(ValueError, match=r"dscore of shape \(2, 3, 4\), got \(2, 4, 3\)"):
        additive_score.backward(np.zeros((2, 4, 3), np.float32), saved)
    with pytest.raises(TypeError, match=r"dscore of float32 like the rest, got float64"):
        additive_score.backward(np.zeros((2, 3, 4)), saved)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
def test_i8_additive_score_against_pytorch(dtype, tolerance):
    torch = pytest.importorskip("torch")
    query, key, weight, dscore = inputs((3, 11, 13, 33), dtype)
    leaves = [torch.tensor(array, requires_grad=True) for array in (query, key, weight)]
    right = torch.tanh(leaves[0][:, :, None] + leaves[1][:, None]) @ leaves[2]
    right.backward(torch.tensor(dscore))
    score, saved = additive_score.forward(query, key, weight)
    assert_close(score, right.detach().numpy(), tolerance)
    gradients = additive_score.backward(dscore, saved)
    for gradient, leaf in zip(gradients, leaves, strict=True):
        assert_close(gradient, leaf.grad.numpy(), tolerance)
