"""What the notes claim of activations: saturation, dead units, zig-zag, Maxout (C1 to C9, C11)."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet.inspection.dead_units import dead_units
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

FUNCTIONS = {
    "sigmoid": F.sigmoid,
    "tanh": F.tanh,
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 0.7),
    "hardtanh": F.hardtanh,
    "gelu": F.gelu,
    "gelu tanh": lambda x: F.gelu(x, "tanh"),
    "silu": F.silu,
    "softplus": F.softplus,
    "logsigmoid": F.logsigmoid,
    "softmax": lambda x: F.softmax(x, 1),
    "log_softmax": lambda x: F.log_softmax(x, 0),
    "softmin": lambda x: F.softmin(x, 1),
    "maxout": lambda x: F.maxout(x, 2, dim=0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_c1_c2_c3_c4_c6_c7_gradients_of_activations(name):
    check_gradients(FUNCTIONS[name], np.random.default_rng(0).normal(0, 2, (4, 5)))


def test_c5_gradients_to_input_and_slopes():
    rng = np.random.default_rng(0)
    check_gradients(F.prelu, rng.normal(size=(3, 4, 5)), rng.normal(size=4))
    check_gradients(F.prelu, rng.normal(size=(3, 4, 5)), rng.normal(size=1))


def test_c5_slopes_start_at_a_quarter_and_go_without_weight_decay():
    layer, slope = nn.Linear(2, 3), nn.PReLU(3)
    assert slope.weight.tolist() == [0.25] * 3
    groups = [{"params": layer.parameters()}, {"params": slope.parameters(), "weight_decay": 0.0}]
    optimizer = nn.optim.SGD(groups, lr=0.5, weight_decay=0.5)
    before = layer.weight.numpy().copy()
    (slope(layer(nn.ones(4, 2))) * 0.0).sum().backward()
    optimizer.step()
    assert slope.weight.tolist() == [0.25] * 3
    assert_close(layer.weight.detach(), 0.75 * before, 1e-6)
    slope.weight.data.fill(1)
    slope.reset_parameters()
    assert slope.weight.tolist() == [0.25] * 3


def trained_unit(function, bias=-10.0, steps=1500):
    """One unit from there on, to be x + 1 for x from 0 to 1; its last output and gradient."""
    unit = nn.Linear(1, 1)
    unit.weight.data.fill(1.0)
    unit.bias.data.fill(bias)
    x = nn.Tensor(np.linspace(0, 1, 16, dtype=np.float32)[:, None])
    optimizer = nn.optim.SGD(unit.parameters(), lr=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        y = function(unit(x))
        F.mse_loss(y, x + 1).backward()
        optimizer.step()
    return y.detach().numpy(), unit.weight.grad.numpy(), unit.bias.item()


def test_c3_a_dead_unit_has_no_output_and_no_gradient():
    y, gradient, bias = trained_unit(F.relu, steps=20)
    assert not y.any() and not gradient.any() and bias == -10


def test_c4_a_leak_revives_what_relu_leaves_dead():
    y, _, bias = trained_unit(F.leaky_relu)
    assert y.min() > 0.9 and bias > 0.9
    y, _, bias = trained_unit(F.relu)
    assert not y.any() and bias == -10


def test_c6_selu_keeps_mean_0_and_variance_1():
    nn.manual_seed(0)
    x = nn.randn(1000, 200)
    for _ in range(10):
        x = F.selu(F.linear(x, nn.randn(200, 200) / 200**0.5))
    assert abs(x.mean().item()) < 0.1 and abs(x.std().item() - 1) < 0.1


def test_c7_two_pieces_double_the_parameters():
    count = lambda layer: sum(p.numel() for p in layer.parameters())  # noqa: E731
    assert count(nn.Maxout(7, 5)) == 2 * count(nn.Linear(7, 5))
    assert count(nn.MaxoutConv2d(3, 8, 3)) == 2 * count(nn.Conv2d(3, 8, 3))


def test_c7_with_a_piece_of_zeros_maxout_is_relu():
    layer = nn.Maxout(7, 5)
    layer.weight.data[:5] = 0
    layer.bias.data[:5] = 0
    x = nn.randn(20, 7)
    weight, bias = layer.weight.detach()[5:], layer.bias.detach()[5:]
    assert_close(layer(x).detach(), F.relu(F.linear(x, weight, bias)), 1e-6)


def test_c7_maxout_options_and_errors():
    assert repr(nn.Maxout(3, 2, pieces=4)) == (
        "Maxout(in_features=3, out_features=2, pieces=4, bias=True)"
    )
    assert nn.Maxout(3, 2, bias=False)(nn.ones(3)).shape == (2,)
    assert nn.Maxout(3, 2, dtype=nn.float64).weight.dtype == np.float64
    with pytest.raises(ValueError, match="Maxout: expected pieces >= 1, got 0"):
        nn.Maxout(3, 2, pieces=0)
    with pytest.raises(ValueError, match="pieces that divide 3, got 2"):
        F.maxout(nn.ones(3), 2)
    with pytest.raises(IndexError, match="expected dim from -1 to 0, got 1"):
        F.maxout(nn.ones(3), 2, dim=1)


def share_of_one_sign(x):
    """Sample by sample: the share of a unit's weights whose gradients have its output's sign."""
    rng = np.random.default_rng(0)
    shares = []
    for row in x:
        weight = nn.Tensor(rng.normal(size=(1, row.size)).astype(np.float32), requires_grad=True)
        sign = rng.choice([-1.0, 1.0])
        (F.linear(nn.Tensor(row[None]), weight) * sign).sum().backward()
        shares.append(np.mean(weight.grad.numpy() * sign > 0))
    return np.mean(shares)


def test_c8_all_positive_inputs_make_a_units_gradients_share_one_sign():
    before = nn.Tensor(np.random.default_rng(1).normal(size=(200, 50)).astype(np.float32))
    assert share_of_one_sign(F.sigmoid(before).numpy()) == 1
    assert share_of_one_sign(F.tanh(before).numpy()) == pytest.approx(0.5, abs=0.02)


def test_c9_a_long_valley_makes_descent_zig_zag():
    point = nn.Parameter(np.array([-7.0, 2.0]))
    scale = nn.Tensor(np.array([1 / 20, 1.0]))
    optimizer = nn.optim.SGD([point], lr=0.95)
    heights = [point.numpy()[1]]
    for _ in range(30):
        optimizer.zero_grad()
        (point * point * scale).sum().backward()
        optimizer.step()
        heights.append(point.numpy()[1])
    assert np.all(np.sign(heights[1:]) == -np.sign(heights[:-1]))
    assert point.tolist() == pytest.approx([-0.350, 0.0848], abs=5e-4)


def trained_share(lr):
    nn.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 10)).astype(np.float32)
    batches = [(nn.Tensor(x), nn.Tensor(x[:, :1] * x[:, 1:2]))]
    model = nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 1))
    optimizer = nn.optim.SGD(model.parameters(), lr=lr)
    for _ in range(30):
        for inputs, targets in batches:
            optimizer.zero_grad()
            F.mse_loss(model(inputs), targets).backward()
            optimizer.step()
    return dead_units(model, batches).share


def test_c11_the_share_of_dead_units_rises_with_the_learning_rate():
    shares = [trained_share(lr) for lr in (0.01, 0.5, 1.0, 2.0)]
    assert shares[0] < 0.02 and shares[-1] > 0.3
    assert shares == sorted(shares)


def test_c11_units_are_features_and_channels_over_all_batches():
    features = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2), nn.ReLU())
    for layer in features[::2]:
        layer.weight.data.fill(0)
    features[0].bias.data[:] = [-1, 1, 0, 2]
    features[2].bias.data[:] = [1, 1]
    features.train()
    found = dead_units(features, [(nn.ones(3, 2), None)] * 2)
    assert found.layers == {"1": 0.5, "3": 0.0} and found.share == pytest.approx(2 / 6)
    assert all(module.training for module in features.modules())
    assert not features[1]._forward_hooks

    images = nn.Sequential(nn.ReLU())
    first, second = -np.ones((2, 3, 4, 4), np.float32), -np.ones((1, 3, 4, 4), np.float32)
    first[1, 0, 2, 3] = second[0, 2, 0, 0] = 1
    batches = [(nn.Tensor(first), None), (nn.Tensor(second), None)]
    assert dead_units(images, batches).share == pytest.approx(1 / 3)


def test_c11_dead_units_errors():
    with pytest.raises(ValueError, match="dead_units: expected a model with activation modules"):
        dead_units(nn.Linear(1, 1), [(nn.ones(1, 1), None)])
    with pytest.raises(ValueError, match="dead_units: expected at least one batch"):
        dead_units(nn.ReLU(), [])
    assert dead_units(nn.Tanh(), [(nn.ones(1, 1), None)], kinds=nn.Tanh).share == 0


def test_wrong_options_are_named():
    x = nn.ones(3)
    with pytest.raises(ValueError, match="elu: expected alpha >= 0, got -1"):
        F.elu(x, -1)
    with pytest.raises(ValueError, match="celu: expected alpha other than 0"):
        F.celu(x, 0)
    with pytest.raises(ValueError, match="softplus: expected beta other than 0"):
        F.softplus(x, 0)
    with pytest.raises(ValueError, match="hardtanh: expected min_val <= max_val, got 2 and 1"):
        F.hardtanh(x, 2, 1)
    with pytest.raises(ValueError, match="Hardtanh: expected min_val < max_val, got 1 and 1"):
        nn.Hardtanh(1, 1)
    with pytest.raises(ValueError, match="gelu: expected approximate 'none' or 'tanh', got 'erf'"):
        F.gelu(x, "erf")
    with pytest.raises(IndexError, match="softmax: expected dim from -1 to 0, got 1"):
        F.softmax(x, 1)
    for name in FUNCTIONS.keys() - {"relu", "relu6", "hardtanh", "sigmoid", "tanh"}:
        with pytest.raises(TypeError, match="expected input of float32 or float64, got int64"):
            FUNCTIONS[name](nn.tensor([[1, 2], [3, 4]]))
    with pytest.raises(TypeError, match="expected weight of float32 like the rest, got float64"):
        F.prelu(x, nn.Tensor(np.ones(1)))


def test_prelu_takes_a_weight_without_axes():
    weight = nn.tensor(0.5, requires_grad=True)
    for x in (nn.tensor(-2.0), nn.tensor([-2.0])):
        y = F.prelu(x, weight)
        assert y.shape == x.shape and y.item() == -1
        weight.grad = None
        y.sum().backward()
        assert weight.grad.shape == () and weight.grad.item() == -2
