"""Activations against PyTorch's: every option, every axis, outputs, gradients, names (C1 to C6)."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

LAYERS = {
    "C1 Sigmoid": ("Sigmoid", {}),
    "C1 LogSigmoid": ("LogSigmoid", {}),
    "C2 Tanh": ("Tanh", {}),
    "C2 Hardtanh": ("Hardtanh", {}),
    "C2 Hardtanh limits": ("Hardtanh", {"min_val": -0.3, "max_val": 2.0, "inplace": True}),
    "C3 ReLU": ("ReLU", {"inplace": True}),
    "C3 ReLU6": ("ReLU6", {}),
    "C4 LeakyReLU": ("LeakyReLU", {}),
    "C4 LeakyReLU slope": ("LeakyReLU", {"negative_slope": 0.3, "inplace": True}),
    "C4 LeakyReLU falling": ("LeakyReLU", {"negative_slope": -0.3}),
    "C5 PReLU": ("PReLU", {}),
    "C5 PReLU channels": ("PReLU", {"num_parameters": 6, "init": -0.1}),
    "C6 ELU": ("ELU", {}),
    "C6 ELU alpha": ("ELU", {"alpha": 0.3, "inplace": True}),
    "C6 SELU": ("SELU", {"inplace": True}),
    "C6 CELU": ("CELU", {}),
    # PyTorch's gradient rounds 1 / alpha to float32: one that is exact.
    "C6 CELU alpha": ("CELU", {"alpha": 0.25}),
    "C6 CELU falling": ("CELU", {"alpha": -2.0}),
    "C6 GELU": ("GELU", {}),
    "C6 GELU tanh": ("GELU", {"approximate": "tanh"}),
    "C6 SiLU": ("SiLU", {"inplace": True}),
    "C6 Softplus": ("Softplus", {}),
    "C6 Softplus options": ("Softplus", {"beta": 3.0, "threshold": 4.0}),
    "C6 Softplus falling": ("Softplus", {"beta": -2.0, "threshold": 4.0}),
}
DTYPES = [(np.float32, 1e-5), (np.float64, 1e-10)]


def both_ways(ours, theirs, x, tolerance):
    mine, reference = nn.Tensor(x.copy(), requires_grad=True), torch.tensor(x, requires_grad=True)
    # A layer may overwrite what it was given, which a leaf cannot be.
    y, expected = ours(mine * 1), theirs(reference * 1)
    dy = np.random.default_rng(1).uniform(0.5, 1.5, y.shape).astype(x.dtype)
    y.backward(nn.Tensor(dy))
    expected.backward(torch.tensor(dy))
    assert y.dtype == x.dtype
    assert_close(y, expected.detach().numpy(), tolerance)
    assert_close(mine.grad, reference.grad.numpy(), tolerance)


@pytest.mark.parametrize("shape", [(4, 6), (2, 6, 5), (1, 6, 3, 4)], ids=str)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("name", LAYERS)
def test_c1_c2_c3_c4_c5_c6_activation_layers_are_pytorchs(name, dtype, tolerance, shape):
    kind, options = LAYERS[name]
    ours, theirs = getattr(nn, kind)(**options), getattr(torch.nn, kind)(**options)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.to(dtype)
    theirs.to(torch.float64 if dtype == np.float64 else torch.float32)
    x = np.random.default_rng(0).normal(0, 2, shape).astype(dtype)
    both_ways(ours, theirs, x, tolerance)
    for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert_close(mine.detach(), reference.detach().numpy(), 0)
        assert_close(mine.grad, reference.grad.numpy(), tolerance)


@pytest.mark.parametrize("shape", [(), (5,)], ids=str)
@pytest.mark.parametrize("name", [name for name in LAYERS if name != "C5 PReLU channels"])
def test_c6_one_sample_and_one_number(name, shape):
    kind, options = LAYERS[name]
    x = np.asarray(np.random.default_rng(3).normal(0, 2, shape)).astype(np.float32)
    both_ways(getattr(nn, kind)(**options), getattr(torch.nn, kind)(**options), x, 1e-5)


@pytest.mark.parametrize("shape", [(), (7,), (4, 6), (2, 3, 20), (2, 0, 3), (3, 4, 5, 6)], ids=str)
@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax", "Softmin"])
def test_c6_softmax_along_every_axis(kind, shape):
    x = np.asarray(np.random.default_rng(0).normal(0, 3, shape)).astype(np.float32)
    for dim in range(-max(len(shape), 1), max(len(shape), 1)):
        ours, theirs = getattr(nn, kind)(dim), getattr(torch.nn, kind)(dim)
        assert repr(ours) == repr(theirs)
        both_ways(ours, theirs, x, 1e-5)
        both_ways(ours, theirs, x.astype(np.float64), 1e-10)


def test_c6_softmax_in_another_dtype():
    x = np.random.default_rng(0).normal(0, 3, (4, 5)).astype(np.float32)
    for name in ("softmax", "log_softmax", "softmin"):
        y = getattr(F, name)(nn.Tensor(x), 1, dtype=nn.float64)
        expected = getattr(torch.nn.functional, name)(torch.tensor(x), 1, dtype=torch.float64)
        assert y.dtype == np.float64
        assert_close(y, expected.numpy(), 1e-12)


def test_c7_maxout_is_the_greatest_of_pytorchs_linear_maps():
    layer = nn.Maxout(5, 4, pieces=3)
    x = np.random.default_rng(0).normal(size=(2, 7, 5)).astype(np.float32)
    weight, bias = (torch.tensor(p.numpy(), requires_grad=True) for p in layer.parameters())
    reference = torch.tensor(x, requires_grad=True)
    maps = torch.nn.functional.linear(reference, weight, bias)
    expected = maps.reshape(2, 7, 3, 4).max(dim=2).values
    mine = nn.Tensor(x, requires_grad=True)
    y = layer(mine)
    (y * y).sum().backward()
    (expected * expected).sum().backward()
    assert_close(y, expected.detach().numpy(), 1e-5)
    assert_close(mine.grad, reference.grad.numpy(), 1e-5)
    assert_close(layer.weight.grad, weight.grad.numpy(), 1e-5)
    assert_close(layer.bias.grad, bias.grad.numpy(), 1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 8, 9), (3, 8, 9)], ids=str)
def test_c7_maxout_of_convolutions(shape):
    layer = nn.MaxoutConv2d(3, 4, 3, pieces=2, padding=1, stride=2)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    weight, bias = (torch.tensor(p.numpy(), requires_grad=True) for p in layer.parameters())
    maps = torch.nn.functional.conv2d(torch.tensor(x), weight, bias, stride=2, padding=1)
    expected = maps.reshape(*shape[:-3], 2, 4, 4, 5).max(dim=-4).values
    y = layer(nn.Tensor(x))
    (y * y).sum().backward()
    (expected * expected).sum().backward()
    assert_close(y, expected.detach().numpy(), 1e-5)
    assert_close(layer.weight.grad, weight.grad.numpy(), 1e-5)
    assert_close(layer.bias.grad, bias.grad.numpy(), 1e-5)
