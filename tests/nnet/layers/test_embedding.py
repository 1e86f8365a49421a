"""Embeddings: function, layer, training."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits

IDS = np.array([[1, 2, 1, 0], [0, 4, 1, 0]])


def table(dtype=np.float64):
    values = np.random.default_rng(0).standard_normal((5, 3)).astype(dtype)
    return nn.tensor(values, requires_grad=True)


def test_gradient_is_the_sum_over_positions():
    weight = table()
    dy = np.random.default_rng(1).standard_normal((2, 4, 3))
    y = F.embedding(nn.tensor(IDS), weight)
    assert_same_bits(y.data, weight.data[IDS])
    (y * nn.tensor(dy)).sum().backward()
    one_hot = np.eye(5)[IDS.reshape(-1)]
    assert_close(weight.grad.data, one_hot.T @ dy.reshape(-1, 3), 1e-15)


def test_same_as_a_product_with_one_hot_rows():
    weight = table()
    ids = nn.tensor(IDS)
    y = F.one_hot(ids, 5).data.astype(np.float64) @ weight.data
    assert_close(F.embedding(ids, weight).data, y, 1e-15)


def test_normal_at_first_but_zero_at_the_padding():
    nn.manual_seed(0)
    layer = nn.Embedding(1000, 50, padding_idx=-1)
    values = layer.weight.data
    assert layer.padding_idx == 999 and (values[999] == 0).all()
    assert abs(values[:999].mean()) < 0.02 and abs(values[:999].std() - 1) < 0.02
    layer(nn.tensor([[1, 999], [999, 2]])).sum().backward()
    assert (layer.weight.grad.data[999] == 0).all() and layer.weight.grad.data[1].sum() == 50


def test_pretrained_vectors_are_frozen_unless_asked():
    vectors = nn.tensor([[1.0, 2.0], [3.0, 4.0]])
    frozen = nn.Embedding.from_pretrained(vectors, padding_idx=0)
    assert not frozen(nn.tensor([0, 1])).requires_grad
    assert frozen.weight.data[0].tolist() == [1, 2]
    free = nn.Embedding.from_pretrained(vectors, freeze=False, max_norm=1.0)
    assert free.weight.requires_grad
    free(nn.tensor([1]))
    assert_close(vectors.data, [[1, 2], [0.6, 0.8]], 1e-6)


def test_max_norm_changes_the_weight_that_an_optimizer_has_moved():
    layer = nn.Embedding(20, 8, max_norm=0.5)
    optimizer = nn.optim.SGD(layer.parameters(), lr=1.0)
    ids = nn.tensor([[3, 4], [3, 19]])
    layer(ids).sum().backward()
    optimizer.step()
    y = layer(ids)
    norms = np.linalg.norm(layer.weight.data, axis=1)
    assert (norms[[3, 4, 19]] <= 0.5 + 1e-6).all() and norms[0] > 0.5
    assert_same_bits(y.data, layer.weight.data[ids.data])


def test_gradient_is_written_where_the_optimizer_reads_it():
    layer = nn.Embedding(20, 8)
    weight, ids = layer.weight, nn.tensor([[3, 4], [3, 19]])
    expected = np.bincount([3, 4, 3, 19], minlength=20)[:, None] * np.ones((1, 8))
    optimizer = nn.optim.SGD(layer.parameters(), lr=0.0)
    layer(ids).sum().backward()
    optimizer.step()  # moves parameters into one buffer
    optimizer.zero_grad()
    (layer(ids) + layer(ids)).sum().backward()
    assert_close(weight.grad.data, 2 * expected, 1e-6)
    layer(ids).sum().backward()
    assert_close(weight.grad.data, 3 * expected, 1e-6)
    assert np.shares_memory(weight.grad.data, weight._home.gradient)
    kept = weight.grad
    optimizer.zero_grad()
    layer(ids).sum().backward()
    assert_close(kept.data, 3 * expected, 1e-6)
    assert_close(weight.grad.data, expected, 1e-6)
    tied = F.linear(layer(ids), weight)
    optimizer.zero_grad()
    tied.sum().backward()
    with_ids = weight.data[ids.data].sum(axis=(0, 1)) + expected * weight.data.sum(axis=0)
    assert_close(weight.grad.data, with_ids, 1e-5)


def test_state_and_repr():
    layer = nn.Embedding(7, 3, padding_idx=2, max_norm=1.5, scale_grad_by_freq=True)
    assert list(layer.state_dict()) == ["weight"]
    other = nn.Embedding(7, 3)
    other.load_state_dict(layer.state_dict())
    assert_same_bits(other.weight.data, layer.weight.data)
    text = "7, 3, padding_idx=2, max_norm=1.5, scale_grad_by_freq=True"
    assert layer.extra_repr() == text
    assert other.extra_repr() == "7, 3"


def test_learns_which_words_are_alike():
    """Words of two kinds that stand before the same words get vectors that point the same way."""
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    words = rng.integers(0, 20, 400)
    following = nn.tensor(words % 2 * 5 + rng.integers(0, 5, 400))
    model = nn.Sequential(nn.Embedding(20, 8), nn.Linear(8, 10))
    optimizer = nn.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        F.cross_entropy(model(nn.tensor(words)), following).backward()
        optimizer.step()
    scores = model(nn.tensor(np.arange(20))).data
    assert ((scores.argmax(axis=1) >= 5) == (np.arange(20) % 2)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"padding_idx": 5}, "padding_idx from -5 to 4, got 5"),
        ({"padding_idx": -6}, "padding_idx from -5 to 4, got -6"),
        ({"sparse": True}, "sparse=False, gradients here are dense"),
        ({"_weight": nn.zeros(3, 5)}, r"_weight of shape \(5, 3\), got \(3, 5\)"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=f"Embedding: expected {message}|embedding.*{message}"):
        nn.Embedding(5, 3, **options)


def test_bad_input():
    layer = nn.Embedding(5, 3)
    with pytest.raises(ValueError, match=r"from 0 to 4 for a vocabulary of 5, got 5 at.* \(1, 0\)"):
        layer(nn.tensor([[1, 2], [5, 0]]))
    with pytest.raises(TypeError, match="ids to be an array of int64 or int32, got float32"):
        layer(nn.tensor([1.0]))
    with pytest.raises(TypeError, match="expected input to be a tensor, got ndarray"):
        layer(np.array([1]))
    with pytest.raises(TypeError, match="weight of float32 or float64, got int64"):
        F.embedding(nn.tensor([0]), nn.tensor([[1]]))
    with pytest.raises(ValueError, match="sparse=False"):
        F.embedding(nn.tensor([0]), layer.weight, sparse=True)
    with pytest.raises(ValueError, match=r"weight of shape \(V, D\), got \(3,\)"):
        F.embedding(nn.tensor([0]), nn.zeros(3), padding_idx=0)
    with pytest.raises(ValueError, match=r"embeddings of shape \(V, D\), got \(2,\)"):
        nn.Embedding.from_pretrained(nn.zeros(2))
    with pytest.raises(TypeError, match="embeddings as a float tensor, got int64"):
        nn.Embedding.from_pretrained(nn.tensor([[1]]))
    with pytest.raises(ValueError, match="num_embeddings of at least 0, got -1"):
        nn.Embedding(-1, 3)
