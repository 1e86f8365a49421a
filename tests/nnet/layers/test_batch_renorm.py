"""Batch renormalization, batch-instance and switchable normalization."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(3)


def floats(*shape):
    return nn.Tensor(rng.normal(1, 2, shape).astype(np.float32))


def train_once(layer, x, dy):
    """Output, gradient to x, gradients by name, averages by name of one training step."""
    layer.zero_grad()
    x = nn.Tensor(x.data.copy(), requires_grad=True)
    y = layer(x)
    y.backward(dy)
    gradients = {name: each.grad.data for name, each in layer.named_parameters()}
    kept = {name: each.data.copy() for name, each in layer.named_buffers()}
    return y.data, x.grad.data, gradients, kept


def randomize(layer):
    layer.weight.data[...] = rng.normal(1, 0.3, layer.weight.shape)
    layer.bias.data[...] = rng.normal(0, 1, layer.bias.shape)


@pytest.mark.parametrize(
    ("kind", "of", "shape"),
    [
        (nn.BatchRenorm1d, nn.BatchNorm1d, (9, 5)),
        (nn.BatchRenorm1d, nn.BatchNorm1d, (4, 5, 7)),
        (nn.BatchRenorm2d, nn.BatchNorm2d, (4, 5, 3, 6)),
    ],
)
def test_j_batch_renorm_without_room_is_batch_norm(kind, of, shape):
    ours, plain = kind(5, r_max=1.0, d_max=0.0), of(5, momentum=0.01)
    randomize(plain)
    ours.load_state_dict(plain.state_dict())
    for _ in range(3):
        x, dy = floats(*shape), floats(*shape)
        for one, other in zip(train_once(ours, x, dy), train_once(plain, x, dy), strict=True):
            if isinstance(one, dict):
                assert list(one) == list(other)
                one, other = (
                    np.concatenate([v.ravel() for v in one.values()]),
                    np.concatenate([v.ravel() for v in other.values()]),
                )
            assert_close(one, other, 1e-6)
    assert_close(ours.eval()(x), plain.eval()(x).data, 1e-6)


def test_j_batch_renorm_within_the_limits_normalizes_by_the_running_averages():
    mean, var = nn.Tensor(rng.normal(0, 0.2, 3)), nn.Tensor(rng.uniform(0.8, 1.2, 3))
    x = nn.Tensor(rng.normal(size=(50, 3)))
    averages = nn.Tensor(mean.data.copy()), nn.Tensor(var.data.copy())
    y = F.batch_renorm(x, *averages, training=True)
    assert_close(y, F.batch_norm(x, mean, var).data, 1e-12)
    assert_close(averages[0], 0.9 * mean.data + 0.1 * x.data.mean(0), 1e-12)
    assert_close(averages[1], 0.9 * var.data + 0.1 * x.data.var(0, ddof=1), 1e-12)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5)])
def test_j_gradients_of_batch_renorm(shape):
    """At the limits r and d are constants for the differences too."""
    far = nn.Tensor(np.array([50.0, -50.0, 50.0])), nn.Tensor(np.array([1e-2, 1e-2, 1e4]))

    def run(x, w, b):
        return F.batch_renorm(x, *far, w, b, training=True, momentum=0.0, r_max=2.0, d_max=0.5)

    x, weight, bias = rng.normal(size=shape), rng.normal(size=3), rng.normal(size=3)
    check_gradients(run, x, weight, bias)
    check_gradients(lambda x: run(x, None, None), x)


MIXED = [
    (lambda *a, **o: F.batch_instance_norm(*a, **o), (3,)),
    (lambda *a, **o: F.switchable_norm(*a, **o), (3, 3)),
]


@pytest.mark.parametrize(("function", "own"), MIXED, ids=["batch-instance", "switchable"])
@pytest.mark.parametrize("shape", [(4, 3, 5), (2, 3, 2, 3)])
@pytest.mark.parametrize("training", [True, False])
def test_j_gradients_of_mixtures(function, own, shape, training):
    mean, var = nn.Tensor(rng.normal(size=3)), nn.Tensor(rng.uniform(0.5, 2, 3))

    def run(x, *rest):
        return function(x, mean, var, *rest, training=training, momentum=0.0)

    x, weight, bias = rng.normal(size=shape), rng.normal(size=3), rng.normal(size=3)
    mixture = [rng.uniform(0.2, 0.8, size) for size in own]
    check_gradients(run, x, *mixture, weight, bias)
    check_gradients(run, x, *mixture)


@pytest.mark.parametrize("shape", [(4, 6, 9), (4, 6, 5, 3)])
def test_j_mixtures_of_one_statistic_are_its_normalization(shape):
    x, weight, bias = floats(*shape), floats(6), floats(6)
    batch = F.batch_norm(x, None, None, weight, bias, training=True)
    instance = F.instance_norm(x, None, None, weight, bias)
    layer = F.group_norm(x, 1, weight, bias)
    for gate, expected in ((nn.ones(6), batch), (nn.zeros(6), instance)):
        y = F.batch_instance_norm(x, None, None, gate, weight, bias, training=True)
        assert_close(y, expected.data, 1e-6)
    for which, expected in enumerate((instance, layer, batch)):
        only = nn.Tensor(np.where(np.arange(3) == which, 100, 0).astype(np.float32))
        y = F.switchable_norm(x, None, None, only, only, weight, bias, training=True)
        assert_close(y, expected.data, 2e-6)


@pytest.mark.parametrize("kind", [nn.BatchInstanceNorm2d, nn.SwitchableNorm2d])
def test_j_mixtures_far_from_zero_and_their_averages(kind):
    x = rng.normal(1e4, 0.1, (8, 3, 9, 9)).astype(np.float32)
    layer = kind(3, momentum=None)
    for half in (x[:4], x[4:]):
        layer(nn.Tensor(half))
    halves = [h.transpose(1, 0, 2, 3).reshape(3, -1).astype(np.float64) for h in (x[:4], x[4:])]
    assert_close(layer.running_mean, np.mean([h.mean(1) for h in halves], 0), 1e-6)
    assert_close(layer.running_var, np.mean([h.var(1, ddof=1) for h in halves], 0), 1e-5)
    assert layer.num_batches_tracked.item() == 2
    wide = x.astype(np.float64)
    mixed = kind(3, eps=1e-5)(nn.Tensor(x))
    if kind is nn.BatchInstanceNorm2d:
        axes = (0, 2, 3)
        centred = wide - wide.mean(axes, keepdims=True)
        expected = centred / np.sqrt(wide.var(axes, keepdims=True) + 1e-5)
        assert_close(mixed, expected, 1e-5)
    assert abs(float(mixed.data.mean())) < 1e-3
    assert float(mixed.data.std()) == pytest.approx(1, abs=0.01)


def test_j_mixtures_in_use_do_not_depend_on_the_batch():
    for layer in (nn.BatchInstanceNorm2d(3), nn.SwitchableNorm2d(3)):
        layer(floats(4, 3, 5, 5))
        layer.eval()
        x = floats(4, 3, 5, 5)
        whole = layer(x)
        assert (layer(x[:1])[0] == whole[0]).all()


def test_j_mixtures_are_not_folded_as_batch_normalization():
    for kind in (nn.BatchInstanceNorm2d, nn.SwitchableNorm2d):
        model = nn.Sequential(nn.Conv2d(2, 3, 1), kind(3))
        assert len(nn.fold_batch_norm(model)) == 2
    model = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchRenorm2d(3)).eval()
    x = floats(2, 2, 4, 4)
    assert_close(nn.fold_batch_norm(model)(x), model(x).data, 1e-5)


def test_j_the_gate_stays_between_0_and_1():
    layer = nn.BatchInstanceNorm1d(3)
    layer.gate.data[...] = -0.5, 0.5, 1.5
    layer(floats(4, 3, 5))
    assert layer.gate.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("kind", [nn.BatchRenorm2d, nn.BatchInstanceNorm2d, nn.SwitchableNorm2d])
def test_j_layers_reset_and_add_and_rectify(kind):
    layer = kind(3)
    first = {name: value.tolist() for name, value in layer.state_dict().items()}
    x, residual = floats(4, 3, 5, 5), floats(4, 3, 5, 5)
    plain = kind(3)(x)
    fused = layer(x, relu=True, residual=residual)
    assert_close(fused, np.maximum(plain.data + residual.data, 0), 1e-6)
    for value in layer.state_dict().values():
        value.data.fill(7)
    layer.reset_parameters()
    assert {name: value.tolist() for name, value in layer.state_dict().items()} == first


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.BatchRenorm1d(3)(floats(1, 3)), "more than one value per channel"),
        (lambda: nn.BatchRenorm1d(3)(floats(4, 2)), "with 3 channels"),
        (lambda: nn.BatchRenorm2d(3, r_max=0.5)(floats(2, 3, 2, 2)), "r_max >= 1 and d_max >= 0"),
        (
            lambda: F.batch_renorm(floats(2, 3), floats(2), floats(3), training=True),
            r"running_mean of shape \(3,\)",
        ),
        (
            lambda: F.batch_renorm(floats(2, 3), None, None, training=True),
            "expected running_mean and running_var, got None",
        ),
        (lambda: nn.SwitchableNorm2d(3)(floats(2, 3, 1, 1)), "more than one value an instance"),
        (lambda: nn.BatchInstanceNorm1d(3)(floats(2, 4, 5)), "with 3 channels"),
        (
            lambda: F.switchable_norm(floats(2, 3, 4), None, None, floats(3), floats(3)),
            "running_mean and running_var outside training",
        ),
        (
            lambda: F.switchable_norm(
                floats(2, 3, 4), None, None, floats(2), floats(3), training=True
            ),
            r"mean_weight of shape \(3,\), got \(2,\)",
        ),
        (
            lambda: F.batch_instance_norm(floats(2, 3, 4), None, None, floats(2), training=True),
            r"gate of shape \(3,\)",
        ),
        (
            lambda: F.batch_instance_norm(
                floats(2, 3, 4), None, None, floats(3), training=True, eps=0.0
            ),
            "expected eps > 0",
        ),
    ],
)
def test_j_renorm_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
