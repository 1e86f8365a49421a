"""Attention by a learned score: shares, padding, gradients."""

import math

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits
from tests.nnet.gradients import check_gradients

Q, K = 3, 5

KINDS = {
    "bahdanau": lambda **kind: nn.BahdanauAttention(Q, K, 4, **kind),
    "dot": lambda **kind: nn.LuongAttention(K, K, "dot", **kind),
    "general": lambda **kind: nn.LuongAttention(Q, K, "general", **kind),
    "concat": lambda **kind: nn.LuongAttention(Q, K, "concat", hidden_size=4, **kind),
    "local-p dot": lambda **kind: nn.LuongAttention(K, K, "dot", local=2, **kind),
    "local-p general": lambda **kind: nn.LuongAttention(Q, K, "general", local=3, **kind),
    "local-p concat": lambda **kind: nn.LuongAttention(Q, K, "concat", local=1, **kind),
}
EVERY = pytest.mark.parametrize("kind", KINDS)


def layer(kind, dtype=np.float64):
    nn.manual_seed(3)
    return KINDS[kind](dtype=dtype)


def inputs(attention, n=4, queries=3, keys=7, values=2, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (n, queries, attention.query_size), (n, keys, attention.key_size), (n, keys, values)
    return tuple(rng.normal(0, 1, shape) for shape in shapes)


LENGTHS = np.array([7, 3, 0, 1])


@EVERY
def test_i8_rows_sum_to_1_and_padding_gets_0(kind):
    attention = layer(kind)
    query, keys, values = map(nn.Tensor, inputs(attention))
    context, weights = attention(query, keys, values, key_lengths=LENGTHS)
    assert context.shape == (4, 3, 2) and weights.shape == (4, 3, 7)
    shares = weights.data
    np.testing.assert_allclose(shares.sum(axis=-1)[LENGTHS > 0], 1, rtol=1e-12)
    assert (shares >= 0).all()
    for n, length in enumerate(LENGTHS):
        assert not shares[n, :, length:].any()
    np.testing.assert_allclose(context.data, shares @ values.data, atol=1e-12)


@EVERY
def test_i8_no_keys_no_weight_no_gradient(kind):
    attention = layer(kind)
    tensors = [nn.Tensor(array, requires_grad=True) for array in inputs(attention)]
    context, weights = attention(*tensors, key_lengths=LENGTHS)
    assert not context.data[2].any() and not weights.data[2].any()
    (context * context + weights.sum(-1, keepdim=True)).sum().backward()
    for tensor in tensors:
        assert np.isfinite(tensor.grad.data).all() and not tensor.grad.data[2].any()
    for tensor in tensors[1:]:
        for n, length in enumerate(LENGTHS):
            assert not tensor.grad.data[n, length:].any()
    for name, parameter in attention.named_parameters():
        assert np.isfinite(parameter.grad.data).all() and parameter.grad.data.any(), name


@EVERY
def test_i8_nothing_is_learned_where_no_sample_has_keys(kind):
    attention = layer(kind)
    tensors = [nn.Tensor(array, requires_grad=True) for array in inputs(attention)]
    context, _ = attention(*tensors, key_lengths=[0] * 4)
    context.sum().backward()
    assert all(not each.grad.data.any() for each in (*tensors, *attention.parameters()))


@EVERY
def test_i8_score_attention_gradients_against_central_differences(kind):
    attention = layer(kind)
    points = inputs(attention)
    names = [name for name, _ in attention.named_parameters()]
    weights = [parameter.data.copy() for parameter in attention.parameters()]

    def run(query, keys, values, *parameters):
        _replace(attention, dict(zip(names, parameters, strict=True)))
        context, shares = attention(query, keys, values, key_lengths=LENGTHS)
        return nn.cat([context, shares], -1)

    check_gradients(run, *points, *weights, tolerance=1e-6)


def _replace(module, tensors):
    """Make plain tensors of a module's parameters."""
    for name, tensor in tensors.items():
        *path, last = name.split(".")
        object.__setattr__(module.get_submodule(".".join(path)), last, tensor)


@EVERY
def test_i8_whatever_the_padding_and_the_rest_of_the_batch(kind):
    attention = layer(kind, np.float32)
    query, keys, values = (array.astype(np.float32) for array in inputs(attention))
    context, weights = attention(*map(nn.Tensor, (query, keys, values)), key_lengths=LENGTHS)
    keys[1, 3:], values[1, 3:] = 9, -9
    again, _ = attention(*map(nn.Tensor, (query, keys, values)), key_lengths=LENGTHS)
    assert_same_bits(again.data, context.data)
    alone, shares = attention(
        *(nn.Tensor(array[1:2]) for array in (query, keys[:, :3], values[:, :3]))
    )
    assert_close(alone.data, context.data[1:2], 1e-6)
    assert_close(shares.data, weights.data[1:2, :, :3], 1e-6)


@EVERY
def test_i8_one_query_a_sample_and_values_that_are_the_keys(kind):
    attention = layer(kind)
    query, keys, _ = map(nn.Tensor, inputs(attention))
    context, weights = attention(query, keys, keys)
    one, share = attention(query[:, 1], keys)
    assert_close(one.data, context.data[:, 1], 1e-12)
    assert_close(share.data, weights.data[:, 1], 1e-12)


def test_i8_scores_as_in_the_papers():
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(1, 1, Q)), rng.normal(size=(1, 4, K))

    def softmax(score):
        return np.exp(score) / np.exp(score).sum()

    def shares(attention):
        return attention(nn.Tensor(q), nn.Tensor(k))[1].data[0, 0]

    additive = layer("bahdanau")
    w, u = additive.query_projection.weight.data, additive.key_projection.weight.data
    score = [additive.weight.data @ np.tanh(w @ q[0, 0] + u @ key) for key in k[0]]
    assert_close(shares(additive), softmax(score), 1e-12)
    general = layer("general")
    score = [q[0, 0] @ general.weight.data @ key for key in k[0]]
    assert_close(shares(general), softmax(score), 1e-12)
    concat = layer("concat")
    v = concat.score_weight.data
    score = [v @ np.tanh(concat.weight.data @ np.concatenate([q[0, 0], key])) for key in k[0]]
    assert_close(shares(concat), softmax(score), 1e-12)


@pytest.mark.parametrize("normalized", [True, False])
def test_i8_local_p_looks_through_a_gaussian_window(normalized):
    nn.manual_seed(0)
    attention = nn.LuongAttention(K, K, "dot", local=2, normalized=normalized, dtype=np.float64)
    rng = np.random.default_rng(1)
    q, k = rng.normal(size=K), rng.normal(size=(9, K))
    lengths = np.array([6])
    hidden = np.tanh(attention.position.weight.data @ q)
    p = 6 / (1 + math.exp(-attention.position_score.data @ hidden))
    s = np.arange(9)
    inside = (np.abs(s - p) <= 2) & (s < 6)
    soft = np.where(inside, np.exp(k @ q), 0)
    expected = soft / soft.sum() * np.exp(-((s - p) ** 2) / (2 * 1.0**2))
    if normalized:
        expected /= expected.sum()
    _, weights = attention(nn.Tensor(q[None]), nn.Tensor(k[None]), key_lengths=lengths)
    assert_close(weights.data[0], expected, 1e-12)
    memory = attention.prepare(nn.Tensor(k[None]), key_lengths=lengths)
    assert attention.positions(nn.Tensor(q[None, None]), memory).item() == pytest.approx(p)


def test_i8_local_p_learns_where_to_look():
    nn.manual_seed(0)
    attention = nn.LuongAttention(2, 2, "dot", local=3)
    keys, query = nn.zeros(1, 20, 2), nn.ones(1, 2)
    values = nn.Tensor(np.arange(20, dtype=np.float32).reshape(1, 20, 1))
    optimizer = nn.optim.Adam(attention.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        context, _ = attention(query, keys, values)
        ((context - 16.0) ** 2).sum().backward()
        optimizer.step()
    assert abs(context.item() - 16) < 0.2


def test_i8_masked_softmax():
    x = np.array([[1.0, np.nan, 2.0], [np.inf, 1.0, 0.0]])
    mask = np.array([[True, False, True], [False, False, False]])
    tensor = nn.Tensor(x, requires_grad=True)
    y = F.masked_softmax(tensor, mask)
    assert_close(y.data, [[1 / (1 + math.e), 0, math.e / (1 + math.e)], [0, 0, 0]], 1e-12)
    y.backward(nn.Tensor(np.arange(6.0).reshape(2, 3)))
    assert np.isfinite(tensor.grad.data).all() and not tensor.grad.data[~mask].any()
    points = np.random.default_rng(0).normal(size=(2, 3, 4))
    some = np.random.default_rng(1).random((3, 4)) < 0.6
    check_gradients(lambda x: F.masked_softmax(x, some), points)
    check_gradients(lambda x: F.masked_softmax(x, None), points)
    with pytest.raises(TypeError, match="masked_softmax: expected a mask of bool, got int64"):
        F.masked_softmax(tensor, nn.tensor([1, 0, 1]))
    with pytest.raises(ValueError, match=r"mask that broadcasts to \(2, 3\), got \(2,\)"):
        F.masked_softmax(tensor, np.ones(2, bool))
    with pytest.raises(TypeError, match="expected input of float32 or float64, got int64"):
        F.masked_softmax(nn.tensor([1]), None)


def test_i8_scores_have_gradients_and_name_what_is_wrong():
    rng = np.random.default_rng(0)
    query, key, weight = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4)), rng.normal(size=4)
    check_gradients(F.additive_score, query, key, weight)
    check_gradients(F.dot_score, query, key)
    with pytest.raises(ValueError, match=r"dot_score: expected query \(N, Q, E\) and key"):
        F.dot_score(nn.Tensor(query), nn.Tensor(key[..., :3]))
    with pytest.raises(TypeError, match="additive_score: expected key to be a tensor, got ndarray"):
        F.additive_score(nn.Tensor(query), key, nn.Tensor(weight))


@EVERY
def test_wrong_shapes_dtypes_and_lengths_are_named(kind):
    attention = layer(kind)
    name = type(attention).__name__
    query, keys, values = map(nn.Tensor, inputs(attention))
    with pytest.raises(ValueError, match=rf"{name}: expected keys of shape \(N, S, 5\), got"):
        attention(query, keys[..., :2])
    with pytest.raises(ValueError, match=rf"{name}: expected values of shape \(4, 7, V\), got"):
        attention(query, keys, values[:, :3])
    with pytest.raises(ValueError, match=rf"{name}: expected query of shape \(4, L, . ?\) or"):
        attention(query[..., :1], keys)
    with pytest.raises(ValueError, match=r"expected query of shape \(4, L"):
        attention(query[:2], keys)
    with pytest.raises(ValueError, match=r"key_lengths of shape \(4,\), got \(2,\)"):
        attention(query, keys, key_lengths=[1, 2])
    with pytest.raises(ValueError, match="key_lengths from 0 to 7, got 8 for sample 1"):
        attention(query, keys, key_lengths=[1, 8, -1, 2])
    with pytest.raises(TypeError, match="key_lengths to be integers, got float64"):
        attention(query, keys, key_lengths=[1.0, 2, 3, 4])
    with pytest.raises(TypeError, match="expected keys of float64 like the rest, got float32"):
        attention(query, keys.float())
    with pytest.raises(TypeError, match="expected keys to be a tensor, got ndarray"):
        attention(query, keys.data)


def test_wrong_options_are_named():
    with pytest.raises(ValueError, match="score 'dot', 'general' or 'concat', got 'cosine'"):
        nn.LuongAttention(3, 3, "cosine")
    with pytest.raises(ValueError, match="to be equal for score='dot', got 3 and 5"):
        nn.LuongAttention(3, 5, "dot")
    with pytest.raises(ValueError, match="LuongAttention: expected local of at least 1, got 0"):
        nn.LuongAttention(3, 5, local=0)
    with pytest.raises(TypeError, match="BahdanauAttention: expected hidden_size to be an integer"):
        nn.BahdanauAttention(3, 5, 2.5)
    with pytest.raises(ValueError, match="BahdanauAttention: expected key_size of at least 1"):
        nn.BahdanauAttention(3, 0, 2)


def test_state_has_the_documented_names():
    assert set(layer("bahdanau").state_dict()) == {
        "query_projection.weight",
        "key_projection.weight",
        "weight",
    }
    local = nn.LuongAttention(Q, K, "concat", local=2)
    names = {"weight", "score_weight", "position.weight", "position_score"}
    assert set(local.state_dict()) == names
    assert not nn.LuongAttention(K, K, "dot").state_dict()
