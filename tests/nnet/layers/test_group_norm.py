"""Normalizations within a sample: how they relate, their gradients, what they say of bad input."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(3)


def floats(*shape):
    return nn.Tensor(rng.normal(1, 2, shape).astype(np.float32))


def test_j_one_group_is_layer_normalization_and_a_group_a_channel_instance_normalization():
    for shape in [(4, 6, 5), (4, 6, 5, 3)]:
        x, weight, bias = floats(*shape), floats(6), floats(6)
        one_group = F.group_norm(x, 1, weight, bias)
        layer = F.layer_norm(x, shape[1:])
        spread = (6,) + (1,) * (len(shape) - 2)
        affine = layer * weight.reshape(*spread) + bias.reshape(*spread)
        assert_close(one_group, affine, 1e-6)
        assert_close(
            F.group_norm(x, 6, weight, bias), F.instance_norm(x, None, None, weight, bias), 1e-6
        )


def test_j_a_sample_does_not_depend_on_its_batch():
    x = floats(4, 6, 5)
    for layer in (nn.GroupNorm(3, 6), nn.LayerNorm((6, 5)), nn.RMSNorm(5), nn.InstanceNorm1d(6)):
        whole = layer(x)
        for sample in range(4):
            assert (layer(x[sample : sample + 1])[0] == whole[sample]).all()


def test_j_group_norm_far_from_zero_in_float32():
    x = rng.normal(1e4, 0.1, (8, 6, 50)).astype(np.float32)
    wide = x.astype(np.float64)
    for y, axes in ((nn.LayerNorm((6, 50)), (1, 2)), (nn.InstanceNorm1d(6), 2)):
        centred = wide - wide.mean(axes, keepdims=True)
        expected = centred / np.sqrt(wide.var(axes, keepdims=True) + 1e-5)
        assert_close(y(nn.Tensor(x)), expected, 1e-5)


def test_j_gradients_of_layer_norm_and_rms_norm():
    x, weight, bias = rng.normal(size=(3, 2, 5)), rng.normal(size=(2, 5)), rng.normal(size=(2, 5))
    check_gradients(lambda x, w, b: F.layer_norm(x, (2, 5), w, b), x, weight, bias)
    check_gradients(lambda x, w: F.layer_norm(x, 5, w), x, weight[0])
    check_gradients(lambda x, b: F.layer_norm(x, 5, None, b), x, bias[0])
    check_gradients(lambda x, w: F.rms_norm(x, (2, 5), w), x, weight)
    check_gradients(lambda x: F.rms_norm(x, 5, eps=0.1), x)


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 3), (2, 4, 2, 3)])
def test_j_gradients_of_group_norm(shape):
    x, weight, bias = rng.normal(size=shape), rng.normal(size=4), rng.normal(size=4)
    check_gradients(lambda x, w, b: F.group_norm(x, 2, w, b), x, weight, bias)
    check_gradients(lambda x: F.group_norm(x, 1), x)


def test_j_gradients_of_instance_norm():
    x, weight, bias = rng.normal(size=(2, 3, 4)), rng.normal(size=3), rng.normal(size=3)
    check_gradients(lambda x, w, b: F.instance_norm(x, None, None, w, b), x, weight, bias)
    mean, var = nn.Tensor(rng.normal(size=3)), nn.Tensor(rng.uniform(0.5, 2, 3))
    check_gradients(
        lambda x, w, b: F.instance_norm(x, mean, var, w, b, use_input_stats=False),
        x,
        weight,
        bias,
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.GroupNorm(4, 6), "GroupNorm: expected num_groups to divide 6 channels, got 4"),
        (lambda: nn.GroupNorm(0, 6), "num_groups to divide 6 channels, got 0"),
        (lambda: nn.GroupNorm(2, 6)(floats(2, 4)), r"shape \(N, 6, ...\), got \(2, 4\)"),
        (lambda: nn.GroupNorm(2, 6)(floats(6)), r"shape \(N, 6, ...\), got \(6,\)"),
        (lambda: nn.LayerNorm(5)(floats(2, 4)), r"last dimensions are \(5,\), got \(2, 4\)"),
        (lambda: nn.LayerNorm((3, 5))(floats(5)), r"dimensions are \(3, 5\), got \(5,\)"),
        (lambda: F.layer_norm(floats(3), ()), r"last dimensions are \(\), got \(3,\)"),
        (lambda: F.layer_norm(floats(3), 3, floats(2)), r"weight of shape \(3,\) .*, got \(2,\)"),
        (lambda: F.group_norm(floats(3), 3), r"\(N, C, ...\), got \(3,\)"),
        (lambda: F.group_norm(floats(2, 4), 3), "num_groups to divide 4 channels, got 3"),
        (lambda: F.group_norm(floats(2, 4), 2, None, floats(3)), r"bias of shape \(4,\)"),
        (lambda: F.group_norm(floats(1, 4), 4), r"more than one value per group, got \(1, 4\)"),
        (lambda: nn.InstanceNorm2d(3)(floats(3, 4)), r"\(N, C, H, W\), or without N, got \(3, 4\)"),
        (lambda: nn.InstanceNorm1d(3)(floats(2, 3, 1)), "more than one value an instance"),
        (lambda: nn.InstanceNorm1d(3, affine=True)(floats(2, 4, 5)), "expected 3 channels"),
        (lambda: nn.LayerNorm(3, eps=0.0), "LayerNorm: expected eps > 0, got 0"),
        (lambda: nn.RMSNorm(3, eps=-1.0), "RMSNorm: expected eps > 0, got -1"),
        (lambda: nn.GroupNorm(1, 3, eps=float("nan")), "GroupNorm: expected eps > 0, got nan"),
        (lambda: nn.InstanceNorm1d(3, eps=0), "InstanceNorm1d: expected eps > 0, got 0"),
        (lambda: F.layer_norm(floats(3), 3, eps=0.0), "layer_norm: expected eps > 0"),
        (lambda: F.group_norm(floats(2, 4), 2, eps=0.0), "group_norm: expected eps > 0"),
        (lambda: F.instance_norm(floats(2, 4, 2), eps=0.0), "instance_norm: expected eps > 0"),
    ],
)
def test_j_group_norm_bad_values_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_j_group_norm_wrong_dtypes_are_named():
    integers = nn.tensor([[1, 2]])
    for call in (
        lambda x: F.layer_norm(x, 2),
        lambda x: F.rms_norm(x, 2),
        lambda x: F.group_norm(x, 2),
        lambda x: F.instance_norm(x),
        nn.InstanceNorm1d(2),
    ):
        with pytest.raises(TypeError, match="input of float32 or float64, got int64"):
            call(integers)
    with pytest.raises(TypeError, match="weight of float32 like the rest, got float64"):
        F.layer_norm(floats(2), 2, nn.Tensor(np.ones(2)))


def test_j_reset_parameters_gives_ones_and_zeros():
    for layer in (
        nn.LayerNorm(3),
        nn.RMSNorm(3),
        nn.GroupNorm(1, 3),
        nn.InstanceNorm1d(3, affine=True, track_running_stats=True),
    ):
        first = {name: value.tolist() for name, value in layer.state_dict().items()}
        assert first["weight"] == [1, 1, 1] and first.get("bias", [0, 0, 0]) == [0, 0, 0]
        for value in layer.state_dict().values():
            value.data.fill(7)
        layer.reset_parameters()
        assert {name: value.tolist() for name, value in layer.state_dict().items()} == first
