"""Local response normalization as a layer; values are also tested beside PyTorch's."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(5)


@pytest.mark.parametrize("shape", [(2, 6, 3), (1, 6, 2, 2)])
@pytest.mark.parametrize("size", [2, 5, 9])
def test_c10_local_response_norm_gradients(shape, size):
    x = rng.normal(size=shape)
    check_gradients(lambda x: F.local_response_norm(x, size, alpha=0.5, k=2.0), x)


def test_c10_alexnets_layer_is_the_papers_definition():
    a = 50 * rng.normal(size=(1, 8, 1))
    layer = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
    b = layer(nn.Tensor(a)).numpy()
    for i in range(8):
        total = sum(a[0, j, 0] ** 2 for j in range(max(0, i - 2), min(8, i + 3)))
        assert_close(b[0, i, 0], a[0, i, 0] / (2 + 1e-4 * total) ** 0.75, 1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LocalResponseNorm(0), "LocalResponseNorm: expected size >= 1, got 0"),
        (lambda: nn.LocalResponseNorm(3)(nn.ones(2, 3)), r"with positions, got \(2, 3\)"),
        (lambda: F.local_response_norm(nn.ones(2, 3, 4), 0), "expected size >= 1, got 0"),
    ],
)
def test_c10_local_response_norm_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_c10_local_response_norm_wrong_dtypes_are_named():
    with pytest.raises(TypeError, match="input of float32 or float64, got int64"):
        F.local_response_norm(nn.tensor([[[1]]]), 3)
