"""Weights computed from others: weight and spectral normalization; mean-only batch norm."""

import copy

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet.functional.normalization.weight_norm import weight_normalized
from tests.helpers import assert_close, central_differences, rms
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(3)


def floats(*shape):
    return nn.Tensor(rng.normal(1, 2, shape).astype(np.float32))


@pytest.mark.parametrize(
    ("shape", "dim"),
    [((4, 5), 0), ((4, 5), 1), ((4, 5), None), ((3, 2, 2, 3), 0), ((3, 2, 2, 3), 1), ((4, 1), 0)],
)
def test_j_gradients_of_weight_norm(shape, dim):
    v = rng.normal(size=shape)
    sizes = () if dim is None else tuple(s if i == dim else 1 for i, s in enumerate(shape))
    check_gradients(lambda g, v: weight_normalized(g, v, dim), rng.normal(size=sizes), v)


@pytest.mark.parametrize("dim", [0, 1, None])
def test_j_weight_norm_keeps_the_weight_and_its_gradient_is_orthogonal_to_v(dim):
    layer = nn.Linear(7, 5)
    before = layer.weight.data.copy()
    nn.weight_norm(layer, dim=dim)
    assert_close(layer.weight, before, 1e-6)
    axes = {0: 1, 1: 0, None: None}[dim]
    assert_close(layer.weight_g.data.ravel(), np.linalg.norm(before, axis=axes).ravel(), 1e-6)
    (layer(floats(6, 7)) * floats(6, 5)).sum().backward()
    v, dv = layer.weight_v.data, layer.weight_v.grad.data
    along = np.sum(v.astype(np.float64) * dv, axis=axes)
    assert rms(np.asarray(along)) < 1e-5 * rms(v) * rms(dv) * v.size
    assert layer.weight_g.grad.shape == layer.weight_g.shape


def test_j_weight_norm_length_and_direction_are_apart():
    layer = nn.weight_norm(nn.Conv2d(3, 4, 3))
    first = layer.weight.data.copy()
    layer.weight_v.data *= 7
    assert_close(layer.weight, first, 1e-6)
    layer.weight_g.data *= 2
    assert_close(layer.weight, 2 * first, 1e-6)


@pytest.mark.parametrize("norm", [nn.weight_norm, nn.spectral_norm])
def test_j_a_computed_weight_is_used_copied_and_trained(norm):
    nn.manual_seed(0)
    model = nn.Sequential(norm(nn.Linear(4, 8)), nn.ReLU(), nn.Linear(8, 1))
    model.eval()
    x = nn.Tensor(np.random.default_rng(0).normal(1, 2, (16, 4)).astype(np.float32))
    twin = copy.deepcopy(model)
    assert (twin(x) == model(x)).all()
    fused = model(x)
    parts = model[2](model[1](model[0](x)))
    assert_close(fused, parts.data, 1e-6)
    twin[0].weight_v.data *= -1
    if norm is nn.weight_norm:
        assert not (twin(x) == model(x)).all()
    model.train()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.02)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), nn.Tensor(x.data[:, :1] / 4))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    ("norm", "remove", "names"),
    [
        (nn.weight_norm, nn.remove_weight_norm, ["weight_g", "weight_v"]),
        (nn.spectral_norm, nn.remove_spectral_norm, ["weight_orig", "weight_u", "weight_v"]),
    ],
)
def test_j_norms_of_weights_can_be_taken_back(norm, remove, names):
    layer = norm(nn.Linear(4, 3)).eval()
    assert list(layer.state_dict()) == ["bias", *names]
    assert repr(layer) == repr(nn.Linear(4, 3))
    with pytest.raises(ValueError, match="expected a parameter 'weight' in Linear"):
        norm(layer)
    with pytest.raises(AttributeError, match="no assignment to 'weight', which is computed"):
        layer.weight = nn.Parameter(np.zeros((3, 4), np.float32))
    weight = layer.weight.data.copy()
    remove(layer)
    assert type(layer) is nn.Linear and list(layer.state_dict()) == ["bias", "weight"]
    assert isinstance(layer.weight, nn.Parameter) and (layer.weight.data == weight).all()
    with pytest.raises(ValueError, match="'weight' to be the last one computed"):
        remove(layer)


def test_j_both_norms_of_weights_of_one_layer():
    layer = nn.weight_norm(nn.weight_norm(nn.Linear(4, 3)), name="bias")
    with pytest.raises(ValueError, match="last one"):
        nn.remove_weight_norm(layer)
    nn.remove_weight_norm(nn.remove_weight_norm(layer, "bias"))
    assert type(layer) is nn.Linear


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (8, 3, 3, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_j_spectral_norm_against_an_svd(shape, dtype):
    weight = rng.normal(size=shape).astype(dtype)
    layer = nn.Linear(3, 2, dtype=dtype)
    layer.weight = nn.Parameter(weight)
    nn.spectral_norm(layer)
    for _ in range(100):
        w = layer.weight
    largest = np.linalg.svd(weight.reshape(shape[0], -1), compute_uv=False)[0]
    assert_close(w, weight / largest, 1e-3)
    assert w.dtype == dtype
    assert np.linalg.norm(w.data.reshape(shape[0], -1), 2) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("dim", [0, 1])
def test_j_gradient_of_spectral_norm(dim):
    """With u and v found, sigma's gradient is u v', so the exact gradient is the one given."""
    w = rng.normal(size=(4, 5, 2))
    layer = nn.Linear(3, 2, dtype=np.float64)
    layer.weight = nn.Parameter(w)
    nn.spectral_norm(layer, n_power_iterations=3000, dim=dim)
    weights = rng.normal(size=w.shape)
    (layer.weight * nn.Tensor(weights)).sum().backward()

    def exact(moved):
        matrix = np.moveaxis(moved, dim, 0).reshape(moved.shape[dim], -1)
        return np.sum(moved * weights) / np.linalg.svd(matrix, compute_uv=False)[0]

    assert_close(layer.weight_orig.grad, central_differences(exact, w), 1e-6)


def test_j_spectral_norm_moves_on_in_training_only():
    layer = nn.spectral_norm(nn.Linear(40, 30))
    layer.eval()
    u = layer.weight_u.data.copy()
    layer(floats(2, 40))
    assert (layer.weight_u.data == u).all()
    layer.train()
    layer(floats(2, 40))
    assert not (layer.weight_u.data == u).all()


@pytest.mark.parametrize("shape", [(16, 3), (6, 3, 4), (4, 3, 4, 5)])
def test_j_mean_only_batch_norm(shape):
    x, bias = rng.normal(size=shape), rng.normal(size=3)
    check_gradients(lambda x, b: F.mean_only_batch_norm(x, None, b, training=True), x, bias)
    check_gradients(lambda x: F.mean_only_batch_norm(x, None, training=True), x)
    mean = nn.Tensor(rng.normal(size=3))
    check_gradients(lambda x, b: F.mean_only_batch_norm(x, mean, b), x, bias)

    layer = nn.MeanOnlyBatchNorm(3, momentum=0.5)
    far = rng.normal(1e4, 0.1, shape).astype(np.float32)
    axes = (0, *range(2, len(shape)))
    y = layer(nn.Tensor(far))
    expected = far.astype(np.float64) - far.mean(axis=axes, dtype=np.float64, keepdims=True)
    assert_close(y, expected, 1e-6)
    assert_close(layer.running_mean, far.mean(axis=axes, dtype=np.float64) / 2, 1e-6)
    spread = (1, 3) + (1,) * (len(shape) - 2)
    layer.eval()
    assert_close(layer(nn.Tensor(far)), far - layer.running_mean.data.reshape(spread), 1e-6)


def test_j_weight_norm_and_mean_only_batch_norm_ignore_the_length_of_v():
    layer, norm = nn.weight_norm(nn.Linear(5, 4)), nn.MeanOnlyBatchNorm(4)
    x = floats(8, 5)
    y = norm(layer(x)).data.copy()
    layer.weight_v.data *= 10
    layer.bias.data += 3
    assert_close(norm(layer(x)), y, 1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.weight_norm(3), TypeError, "weight_norm: expected a module, got int"),
        (lambda: nn.weight_norm(nn.ReLU()), ValueError, "a parameter 'weight' in ReLU"),
        (lambda: nn.weight_norm(nn.Linear(2, 2), dim=2), ValueError, "dim from 0 to 1, got 2"),
        (lambda: nn.weight_norm(nn.Linear(2, 2), dim=-1), ValueError, "dim from 0 to 1, got -1"),
        (lambda: nn.spectral_norm(nn.Linear(2, 2), "bias"), ValueError, "two axes or more"),
        (lambda: nn.spectral_norm(nn.Linear(2, 2), dim=2), ValueError, "and dim 2"),
        (
            lambda: nn.spectral_norm(nn.Linear(2, 2), n_power_iterations=0),
            ValueError,
            "n_power_iterations >= 1",
        ),
        (lambda: nn.spectral_norm(nn.Linear(2, 2), eps=0), ValueError, "eps > 0"),
        (lambda: nn.MeanOnlyBatchNorm(3)(floats(4, 2)), ValueError, r"\(N, 3, ...\), got \(4, 2\)"),
        (lambda: nn.MeanOnlyBatchNorm(3)(floats(1, 3)), ValueError, "more than one value"),
        (lambda: F.mean_only_batch_norm(floats(2, 3), None), ValueError, "expected running_mean"),
        (
            lambda: F.mean_only_batch_norm(floats(2, 3), None, floats(2), training=True),
            ValueError,
            r"bias of shape \(3,\)",
        ),
    ],
)
def test_j_weight_norm_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_spectral_norm_of_a_subclass_takes_the_axis_of_outputs():
    class Upsampling(nn.ConvTranspose2d):
        pass

    nn.manual_seed(0)
    layer = nn.spectral_norm(Upsampling(3, 5, 2), n_power_iterations=50)
    assert layer.weight_u.shape == (5,) and layer.weight_v.shape == (3 * 2 * 2,)
    rows = np.moveaxis(layer.weight.data, 1, 0).reshape(5, -1)
    assert np.linalg.norm(rows, 2) == pytest.approx(1, abs=1e-4)
