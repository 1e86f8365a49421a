"""Dropout's layers (inventory B1 to B6, B8; corrections E4, E9)."""

import itertools

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits
from tests.nnet.gradients import check_gradients


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def with_same_masks(function):
    """The function drawing the same masks in every call, so that differences see one mask."""

    def run(*arguments):
        nn.manual_seed(11)
        return function(*arguments)

    return run


@pytest.mark.parametrize("inverted", [True, False])
def test_b1_b2_e4_expectation_in_training_is_the_output_in_use(inverted):
    """Kept units are scaled by the probability of being kept, not of being dropped."""
    layer = nn.Dropout(0.2, inverted=inverted)
    x = nn.ones(1_000_000)
    trained, used = layer(x).data, layer.eval()(x).data
    assert set(np.unique(trained)) == {np.float32(0), np.float32(1.25 if inverted else 1)}
    assert_close(used, np.full(x.shape, 1.0 if inverted else 0.8), 1e-7)
    spread = trained.std() / np.sqrt(x.numel())
    assert abs(trained.mean(dtype=np.float64) - used[0]) < 4 * spread


def test_b1_gradients_in_training_and_in_use():
    for p, inverted, training in itertools.product((0.3, 1.0), (True, False), (True, False)):
        check_gradients(
            with_same_masks(lambda x, a=(p, training): F.dropout(x, *a, inverted=inverted)),  # noqa: B023
            normal(5, 7),
        )


def test_b2_classic_of_none_or_all():
    x = nn.Tensor([np.nan, 1.0])
    assert F.dropout(x, 0.0, inverted=False) is x
    assert F.dropout(x, 0.0, training=False, inverted=False) is x
    assert F.dropout(x, 1.0, inverted=False).tolist() == [0, 0]


def test_b2_a_checkpoint_of_the_masks_is_two_integers():
    layer, x = nn.Dropout(), nn.ones(1000)
    layer(x)
    state = nn.random.get_state()
    expected = [layer(x).data, layer(x).data]
    assert [type(part) for part in state] == [int, int]
    nn.random.set_state(state)
    assert_same_bits([layer(x).data, layer(x).data], expected)


@pytest.mark.parametrize("n", [1, 4, 10])
def test_b3_weight_scaling_is_the_normalized_geometric_mean_of_all_networks(n):
    """Srivastava et al. 2014 state it for one softmax layer: all 2^n masks, to 1e-12."""
    p_drop = 0.3
    x, weight, bias = normal(n), normal(3, n, seed=1), normal(3, seed=2)
    mean_log = np.zeros(3)
    for mask in itertools.product((0, 1), repeat=n):
        kept = sum(mask)
        logits = F.linear(nn.Tensor(x * np.array(mask)), nn.Tensor(weight), nn.Tensor(bias))
        probability = p_drop ** (n - kept) * (1 - p_drop) ** kept
        mean_log += probability * F.log_softmax(logits, dim=0).data
    geometric = np.exp(mean_log) / np.exp(mean_log).sum()
    scaled = F.dropout(nn.Tensor(x), p_drop, training=False, inverted=False)
    found = F.softmax(F.linear(scaled, nn.Tensor(weight), nn.Tensor(bias)), dim=0)
    assert_close(found.data, geometric, 1e-12)


def test_b4_monte_carlo_mean_and_std():
    """One linear unit on dropped inputs: mean sum w x, variance sum (w x)^2 p / (1 - p)."""
    nn.manual_seed(0)
    p, k = 0.4, 4000
    model = nn.Sequential(nn.Dropout(p), nn.Linear(6, 2, dtype=np.float64))
    x = normal(3, 6)
    mean, std = nn.monte_carlo(model, nn.Tensor(x), k=k)
    products = x[:, None] * model[1].weight.data
    expected_std = np.sqrt((products**2).sum(2) * p / (1 - p))
    expected = products.sum(2) + model[1].bias.data
    assert (abs(mean.data - expected) < 4 * expected_std / np.sqrt(k)).all()
    assert_close(std.data, expected_std, 0.05)
    assert not mean.requires_grad and mean.dtype == std.dtype == np.float64


def test_b4_monte_carlo_is_the_mean_and_the_sample_deviation_of_its_passes():
    layer, x = nn.Dropout(0.4), nn.Tensor(normal(3, 6))
    for k in (1, 2, 5):
        nn.manual_seed(k)
        mean, std = nn.monte_carlo(layer, x, k)
        nn.manual_seed(k)
        passes = [layer(x).data for _ in range(k)]
        assert_close(mean.data, np.mean(passes, axis=0), 1e-14)
        assert_close(std.data, np.std(passes, axis=0, ddof=min(1, k - 1)), 1e-14)


def test_b4_monte_carlo_restores_modes_and_leaves_statistics():
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(), nn.Sequential(nn.Dropout(), nn.ReLU()))
    model[2].eval()
    before = [module.training for module in model.modules()]
    state = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    x = nn.randn(8, 4)
    _, std = nn.monte_carlo(model, x, 3)
    assert (std.data > 0).any()
    assert [module.training for module in model.modules()] == before
    assert_same_bits([v.numpy() for v in model.state_dict().values()], list(state.values()))
    with pytest.raises(ValueError, match="1-D|shape"):
        nn.monte_carlo(model, nn.randn(8, 5))
    assert [module.training for module in model.modules()] == before
    assert (nn.monte_carlo(model, x, k=1)[1].data == 0).all()
    for k in (0, 1.5, True):
        with pytest.raises(ValueError, match="k of at least 1"):
            nn.monte_carlo(model, x, k=k)


def test_b4_layers_with_a_rate_of_dropout_draw_too():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropout = 0.5

        def forward(self, x):
            return F.dropout(x, self.dropout, self.training)

    assert (nn.monte_carlo(Recurrent().eval(), nn.ones(100), 20)[1].data > 0).all()


def test_b5_gaussian_dropout_moments():
    p = 0.3
    y = nn.GaussianDropout(p)(nn.ones(1_000_000)).data.astype(np.float64)
    variance = p / (1 - p)
    assert abs(y.mean() - 1) < 4 * np.sqrt(variance / y.size)
    assert abs(y.var() - variance) < 4 * variance * np.sqrt(2 / y.size)
    dropped = nn.Dropout(p)(nn.ones(1_000_000)).data.astype(np.float64)
    assert_close(dropped.var(), y.var(), 0.01)


def test_b5_gaussian_dropout_gradient_and_modes():
    check_gradients(with_same_masks(lambda x: F.gaussian_dropout(x, 0.4)), normal(5, 7))
    x = nn.ones(3)
    before = nn.random.get_state()
    assert F.gaussian_dropout(x, 0.0) is x and nn.GaussianDropout().eval()(x) is x
    assert nn.random.get_state() == before
    for p in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match="p from 0 to below 1"):
            nn.GaussianDropout(p)
        with pytest.raises(ValueError, match="p from 0 to below 1"):
            F.gaussian_dropout(x, p)


def test_b6_sgd_with_masks_finds_the_marginalized_minimum():
    """E |y - (R*X) w|^2 = |y - p X w|^2 + p (1 - p) |G w|^2, G = diag(X'X)^(1/2), p kept."""
    nn.manual_seed(0)
    keep, n, inputs = 0.6, 200, 5
    x = normal(n, inputs)
    y = x @ np.array([1.0, -2.0, 0.5, 3.0, -1.0]) + 0.1 * normal(n, seed=1)
    gram = x.T @ x
    closed = np.linalg.solve(
        keep**2 * gram + keep * (1 - keep) * np.diag(np.diag(gram)), keep * x.T @ y
    )
    weight = nn.Parameter(np.zeros((1, inputs)))
    optimizer = nn.optim.SGD([weight], lr=0.05)
    mean = np.zeros(inputs)
    steps, warm_up = 3000, 500
    data, target = nn.Tensor(x), nn.Tensor(y[:, None])
    for step in range(steps):
        optimizer.zero_grad()
        dropped = F.dropout(data, 1 - keep, inverted=False)
        F.mse_loss(F.linear(dropped, weight), target).backward()
        optimizer.step()
        if step >= warm_up:
            mean += weight.data[0] / (steps - warm_up)
    assert np.linalg.norm(mean - closed) < 0.05 * np.linalg.norm(closed)

    def marginalized(w):
        return np.sum((y - keep * x @ w) ** 2) + keep * (1 - keep) * np.sum(np.diag(gram) * w * w)

    masks = np.random.default_rng(3).random((4000, n, inputs)) < keep
    sampled = [np.sum((y - (mask * x) @ mean) ** 2) for mask in masks]
    assert abs(np.mean(sampled) / marginalized(mean) - 1) < 0.05
    assert marginalized(mean) < 1.001 * marginalized(closed)


CHANNELS = {
    "Dropout1d": [((4, 6, 5), 2), ((24, 5), 1)],
    "Dropout2d": [((4, 6, 5, 3), 2), ((4, 6, 5), 2)],
    "Dropout3d": [((4, 6, 2, 5, 3), 2), ((24, 2, 5, 3), 1)],
    "FeatureAlphaDropout": [((24, 5), 2), ((4, 6, 5), 2), ((4, 6, 2, 3, 2), 2)],
}


@pytest.mark.parametrize(
    ("kind", "shape", "axes"),
    [(kind, *case) for kind, cases in CHANNELS.items() for case in cases],
)
def test_b8_whole_channels_are_dropped(kind, shape, axes):
    nn.manual_seed(1)
    x = nn.Tensor(1 + np.random.default_rng(0).random(shape), requires_grad=True)
    layer = getattr(nn, kind)(0.5)
    y = layer(x)
    y.sum().backward()
    dropped = (x.grad.data == 0).reshape(*shape[:axes], -1)
    assert (dropped.all(axes) | ~dropped.any(axes)).all()
    assert 0.2 < dropped.mean() < 0.8
    assert layer.eval()(x) is x
    nn.manual_seed(1)
    assert_same_bits(layer.train()(x).data, y.data)


def test_b8_between_recurrent_layers_each_step_case_and_unit_has_its_own_mask():
    y = F.dropout(nn.ones(20, 30, 40), 0.5).data
    for axis in range(3):
        assert (y.std(axis) > 0).all()


@pytest.mark.parametrize("kind", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_mean_and_variance(kind):
    nn.manual_seed(0)
    x = nn.randn(1000, 1000)
    y = getattr(nn, kind)(0.3)(x).data.astype(np.float64)
    assert abs(y.mean()) < 0.01 and abs(y.var() - 1) < 0.01
    for function in (F.alpha_dropout, F.feature_alpha_dropout):
        check_gradients(with_same_masks(lambda x, f=function: f(x, 0.4, True)), normal(4, 3, 2))
        assert function(x, 0.3) is x
        assert (function(x, 1.0, True).data == 0).all()


KINDS = [
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "AlphaDropout",
    "FeatureAlphaDropout",
]


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input(kind):
    for p in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=f"{kind}: expected p from 0 to 1, got {p}"):
            getattr(nn, kind)(p)
    with pytest.raises(TypeError, match="expected input of float32 or float64, got int64"):
        getattr(nn, kind)()(nn.tensor([[[[1, 2]]]]))
    if kind in CHANNELS:
        with pytest.raises(ValueError, match=r"axes, got shape \(3,\)"):
            getattr(nn, kind)()(nn.ones(3))


@pytest.mark.parametrize("kind", KINDS)
def test_empty_batches(kind):
    shape = (0, 3, 2, 4, 5)[: {"Dropout1d": 3, "Dropout2d": 4}.get(kind, 5)]
    x = nn.Tensor(np.empty(shape), requires_grad=True)
    y = getattr(nn, kind)()(x)
    y.sum().backward()
    assert y.shape == x.grad.shape == shape
