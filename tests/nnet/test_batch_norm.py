"""Batch normalization layers."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("relu", [False, True])
def test_an_added_residual_equals_three_layers(training, relu):
    layer = nn.BatchNorm2d(3, dtype=np.float64).train(training)
    results = []
    for fused in (True, False):
        layer.reset_parameters()
        layer.zero_grad()
        x = nn.Tensor(normal(4, 3, 5, 5), requires_grad=True)
        residual = nn.Tensor(normal(4, 3, 5, 5, seed=1), requires_grad=True)
        if fused:
            y = layer(x, relu=relu, residual=residual)
        else:
            y = layer(x) + residual
            y = y.relu() if relu else y
        (y * y).sum().backward()
        parameters = [parameter.grad.data.copy() for parameter in layer.parameters()]
        results.append([y.data, x.grad.data, residual.grad.data, *parameters])
    for one, other in zip(*results, strict=True):
        assert_close(one, other, 1e-12)


@pytest.mark.parametrize("relu", [False, True])
def test_a2_gradients_with_a_residual(relu):
    def function(x, weight, bias, residual):
        return F.batch_norm(
            x, None, None, weight, bias, training=True, relu=relu, residual=residual
        )

    points = normal(5, 3), normal(3), normal(3), normal(5, 3, seed=1)
    check_gradients(function, *points)


def test_the_input_may_be_its_own_residual():
    check_gradients(
        lambda x: F.batch_norm(x, None, None, training=True, relu=True, residual=x),
        normal(5, 3),
        tolerance=1e-6,
    )


def test_a_residual_that_does_not_fit_is_named():
    x = nn.ones(2, 3, 4, 4)
    with pytest.raises(ValueError, match=r"residual of shape \(2, 3, 4, 4\), got \(2, 3, 1, 1\)"):
        nn.BatchNorm2d(3)(x, residual=nn.ones(2, 3, 1, 1))
    with pytest.raises(TypeError, match="residual of float32 like the rest, got float64"):
        nn.BatchNorm2d(3)(x, residual=x.double())
