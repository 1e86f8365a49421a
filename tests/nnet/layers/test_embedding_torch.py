"""Embeddings against PyTorch."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

OPTIONS = [
    {},
    {"padding_idx": 3},
    {"padding_idx": -1},
    {"max_norm": 3.0},
    {"max_norm": 2.0, "norm_type": 1.0},
    {"max_norm": 1.2, "norm_type": float("inf"), "padding_idx": 0},
    {"max_norm": 2.5, "norm_type": 3.0},
    {"scale_grad_by_freq": True},
    {"scale_grad_by_freq": True, "padding_idx": 5, "max_norm": 1.0},
]


@pytest.mark.parametrize("shape", [(), (7,), (4, 9), (2, 3, 5), (0, 3)], ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
def test_values_gradients_and_the_table_itself(dtype, tolerance, options, shape):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((11, 13)).astype(dtype)
    ids = np.asarray(rng.integers(0, 11, shape))
    dy = rng.standard_normal((*shape, 13)).astype(dtype)
    theirs = torch.tensor(weight, requires_grad=True)
    wanted = torch.nn.functional.embedding(torch.tensor(ids), theirs, **options)
    wanted.backward(torch.tensor(dy))
    ours = nn.tensor(weight.copy(), requires_grad=True)
    found = F.embedding(nn.tensor(ids), ours, **options)
    found.backward(nn.tensor(dy))
    assert_close(found.data, wanted.detach().numpy(), tolerance)
    assert_close(ours.data, theirs.detach().numpy(), tolerance)
    assert_close(ours.grad.data, theirs.grad.numpy(), tolerance)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_layer_with_the_same_weights(options):
    theirs = torch.nn.Embedding(11, 13, **options)
    ours = nn.Embedding(11, 13, **options)
    assert ours.extra_repr() == theirs.extra_repr()
    assert ours.padding_idx == theirs.padding_idx
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    ids = np.random.default_rng(1).integers(0, 11, (6, 5))
    wanted, found = theirs(torch.tensor(ids)), ours(nn.tensor(ids))
    wanted.square().sum().backward()
    (found * found).sum().backward()
    assert_close(found.data, wanted.detach().numpy(), 1e-5)
    assert_close(ours.weight.grad.data, theirs.weight.grad.numpy(), 1e-5)


def test_int32_ids():
    weight = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    ids = np.array([1, 4, 1], np.int32)
    wanted = torch.nn.functional.embedding(torch.tensor(ids), torch.tensor(weight))
    assert_close(F.embedding(nn.Tensor(ids), nn.tensor(weight)).data, wanted.numpy(), 1e-7)
