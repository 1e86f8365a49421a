"""Batch normalization layers: the rows A1 to A10."""

import copy
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits, rms
from tests.nnet.gradients import check_gradients

LAYERS = [
    (nn.BatchNorm1d, (8, 3)),
    (nn.BatchNorm1d, (4, 3, 5)),
    (nn.BatchNorm2d, (4, 3, 5, 2)),
    (nn.BatchNorm3d, (4, 3, 2, 3, 2)),
]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def rows(array):
    """(N, C, ...) as (N * positions, C)."""
    return np.moveaxis(array, 1, -1).reshape(-1, array.shape[1])


@pytest.mark.parametrize(("kind", "shape"), LAYERS)
def test_a1_mean_0_and_variance_var_over_var_plus_eps(kind, shape):
    x = normal(*shape) * 3 + 5
    y = rows(kind(3, dtype=np.float64)(nn.Tensor(x)).data)
    var = rows(x).var(0)
    assert_close(y.mean(0), np.zeros(3), 1e-12)
    assert_close(y.var(0), var / (var + 1e-5), 1e-12)


@pytest.mark.parametrize(("kind", "shape"), [(nn.BatchNorm1d, (512, 3)), LAYERS[2]])
def test_a1_batch_norm_far_from_zero_float32_keeps_five_digits(kind, shape):
    """Mean 1e4, deviation 0.1; the wanted y is computed in float64 from the same inputs."""
    x = (1e4 + 0.1 * normal(*shape)).astype(np.float32)
    y = rows(kind(3)(nn.Tensor(x)).data)
    wide = rows(x).astype(np.float64)
    expected = (wide - wide.mean(0)) / np.sqrt(wide.var(0) + 1e-5)
    assert np.abs(y - expected).max() <= 1e-5
    assert_close(y.astype(np.float64).mean(0), np.zeros(3), 1e-6)


def test_e2_normalized_values_lie_within_the_root_of_m_minus_1():
    x = np.zeros((10, 1))
    x[0] = 1e6
    y = nn.BatchNorm1d(1, eps=1e-12, dtype=np.float64)(nn.Tensor(x)).data
    assert abs(y.max() - 3) < 1e-6  # the bound itself: all but one are equal


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("kind", "shape"), LAYERS)
def test_a2_gradients_of_the_layers(kind, shape, training):
    layer = kind(3, dtype=np.float64).train(training)
    layer.weight.data[...], layer.bias.data[...] = [1, -2, 0.5], [0, 1, 2]
    check_gradients(layer, normal(*shape), tolerance=1e-7)


@pytest.mark.parametrize("relu", [False, True])
def test_a2_gradients_with_a_residual(relu):
    def function(x, weight, bias, residual):
        return F.batch_norm(
            x, None, None, weight, bias, training=True, relu=relu, residual=residual
        )

    check_gradients(function, normal(5, 3), normal(3), normal(3), normal(5, 3, seed=1))


def test_a2_gradients_to_x_sum_to_0():
    x = nn.Tensor(normal(16, 3, 4), requires_grad=True)
    (nn.BatchNorm1d(3, dtype=np.float64)(x) * nn.Tensor(normal(16, 3, 4, seed=1))).sum().backward()
    assert np.abs(x.grad.data.sum((0, 2))).max() < 1e-12


def test_a3_in_use_an_output_does_not_depend_on_batch_mates():
    layer = nn.BatchNorm2d(3)
    x = nn.Tensor(normal(6, 3, 4, 4).astype(np.float32))
    layer(x)
    layer.eval()
    whole = layer(x).data
    for i in range(6):
        assert np.array_equal(layer(x[i : i + 1]).data[0], whole[i])


@pytest.mark.parametrize(("kind", "shape"), LAYERS)
def test_a4_one_gamma_and_beta_a_feature_map_as_on_rows(kind, shape):
    x = normal(*shape)
    layer, flat = kind(3, dtype=np.float64), nn.BatchNorm1d(3, dtype=np.float64)
    for each in (layer, flat):
        each.weight.data[...], each.bias.data[...] = [1, -2, 0.5], [0, 1, 2]
    assert_close(rows(layer(nn.Tensor(x)).data), flat(nn.Tensor(rows(x))).data, 1e-12)
    assert_close(layer.running_var, flat.running_var.data, 1e-12)


def test_a6_normalizing_outside_back_propagation():
    """The bias grows without end and the loss stays; with the right gradient the bias stays."""
    path = Path(__file__).parents[3] / "examples" / "batch_norm_outside_backprop.py"
    spec = importlib.util.spec_from_file_location("outside_backprop", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    biases, losses = example.train(through_statistics=False, steps=1000)
    assert abs(biases[-1] - 198) < 1
    assert np.ptp(losses) < 5e-7
    assert_close(np.diff(biases), np.full(999, biases[0]), 1e-9)
    biases, losses = example.train(through_statistics=True, steps=1000)
    assert np.abs(biases).max() < 1e-12 and np.ptp(losses) < 1e-12


def test_a7_gamma_and_beta_can_make_it_the_identity():
    x = normal(50, 3) * 4 + 2
    layer = nn.BatchNorm1d(3, dtype=np.float64)
    layer.weight.data[...], layer.bias.data[...] = np.sqrt(x.var(0) + 1e-5), x.mean(0)
    assert_close(layer(nn.Tensor(x)), x, 1e-6)


def test_a8_the_scale_of_the_weights_does_not_matter():
    """BN((a W) u) = BN(W u), and the gradient to a W is 1 / a of that to W."""
    u, dy = nn.Tensor(normal(20, 5)), nn.Tensor(normal(20, 3, seed=2))
    outputs, gradients = [], []
    for scale in (1, 10):
        weight = nn.Tensor(scale * normal(3, 5, seed=1), requires_grad=True)
        y = nn.BatchNorm1d(3, eps=1e-12, dtype=np.float64)(u @ weight.t())
        y.backward(dy)
        outputs.append(y.data)
        gradients.append(scale * weight.grad.data)
    assert_close(outputs[1], outputs[0], 1e-6)
    assert_close(gradients[1], gradients[0], 1e-6)


@pytest.mark.parametrize(("kind", "shape"), LAYERS)
def test_a9_a_constant_channel_gives_beta(kind, shape):
    data = normal(*shape).astype(np.float32)
    data[:, 1] = 0.1
    x = nn.Tensor(data, requires_grad=True)
    layer = kind(3)
    layer.bias.data[...] = [1, 2, 3]
    y = layer(x)
    (y * y).sum().backward()
    assert (y.data[:, 1] == 2).all()
    assert np.isfinite(x.grad.data).all() and np.isfinite(layer.weight.grad.data).all()


def test_a10_in_training_an_output_depends_on_its_batch_mates():
    layer = nn.BatchNorm2d(3)
    x = nn.Tensor(normal(6, 3, 4, 4).astype(np.float32))
    assert rms(layer(x).data[:2] - layer(x[:2]).data) > 0.01
    layer.eval()
    assert np.array_equal(layer(x).data[:2], layer(x[:2]).data)


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


@pytest.mark.parametrize("eps", [0.0, -1e-5, float("nan")])
def test_eps_must_be_positive(eps):
    with pytest.raises(ValueError, match="BatchNorm2d: expected eps > 0, got"):
        nn.BatchNorm2d(3, eps=eps)
    with pytest.raises(ValueError, match="batch_norm: expected eps > 0, got"):
        F.batch_norm(nn.ones(4, 3), None, None, training=True, eps=eps)


def test_other_dtypes_and_shapes_are_named():
    layer = nn.BatchNorm2d(3)
    with pytest.raises(TypeError, match="input of float32 or float64, got int64"):
        layer(nn.ones(2, 3, 4, 4).long())
    with pytest.raises(TypeError, match="got float16"):
        layer(nn.Tensor(np.ones((2, 3, 4, 4), np.float16)))
    with pytest.raises(TypeError, match="expected input to be a tensor, got ndarray"):
        layer(np.ones((2, 3, 4, 4), np.float32))
    with pytest.raises(ValueError, match=r"BatchNorm2d: .* with 3 channels, got \(2, 4, 4, 4\)"):
        layer(nn.ones(2, 4, 4, 4))
    with pytest.raises(ValueError, match=r"BatchNorm3d: expected input of shape \(N, C, D, H, W\)"):
        nn.BatchNorm3d(3)(nn.ones(2, 3, 4, 4))


@pytest.mark.parametrize(("kind", "shape"), LAYERS)
def test_nan_in_is_nan_out_of_that_channel(kind, shape):
    x = normal(*shape).astype(np.float32)
    x.reshape(*shape[:2], -1)[0, 0, 0] = np.nan
    layer = kind(3)
    y = layer(nn.Tensor(x)).data
    assert np.isnan(y[:, 0]).all() and np.isfinite(y[:, 1:]).all()
    assert np.isnan(layer.running_mean.data[0]) and np.isfinite(layer.running_mean.data[1:]).all()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.BatchNorm1d(3), (5, 3)),
        (lambda: nn.BatchNorm2d(3, momentum=None), (5, 3, 2, 2)),
        (lambda: nn.BatchRenorm1d(3), (5, 3)),
        (lambda: nn.SwitchableNorm1d(3), (5, 3, 4)),
        (lambda: nn.BatchInstanceNorm2d(3), (5, 3, 2, 2)),
        (lambda: nn.MeanOnlyBatchNorm(3), (5, 3)),
        (lambda: nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), (5, 3)),
    ],
)
def test_averages_that_are_tracked_no_more_stay_and_the_outputs_too(make, shape):
    model = make()
    norm = next(module for module in model.modules() if hasattr(module, "track_running_stats"))
    x = nn.Tensor(np.random.default_rng(0).normal(3, 2, shape).astype(np.float32))
    model(x)
    twin = copy.deepcopy(model)
    expected = twin(x).data
    norm.track_running_stats = False
    before = [buffer.data.copy() for buffer in norm.buffers()]
    assert_same_bits(model(x).data, expected)
    for wild in (x, x * np.inf):
        model(wild)
        assert_same_bits([buffer.data for buffer in norm.buffers()], before)
    norm.track_running_stats = True
    model(x * 3)
    moved = [(a.data != b).any() for a, b in zip(norm.buffers(), before, strict=True)]
    assert all(moved)
