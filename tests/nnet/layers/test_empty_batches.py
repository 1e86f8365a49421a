"""Normalization of no samples: an empty result, gradients of 0, running averages left alone."""

import numpy as np
import pytest

import nnet as nn

LAYERS = {
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), (0, 3)),
    "BatchNorm1d of series": (lambda: nn.BatchNorm1d(3), (0, 3, 4)),
    "BatchNorm2d": (lambda: nn.BatchNorm2d(3), (0, 3, 4, 4)),
    "BatchNorm2d of no positions": (lambda: nn.BatchNorm2d(3), (2, 3, 0, 4)),
    "BatchNorm3d": (lambda: nn.BatchNorm3d(3), (0, 3, 2, 2, 2)),
    "BatchRenorm1d": (lambda: nn.BatchRenorm1d(3), (0, 3)),
    "BatchRenorm2d": (lambda: nn.BatchRenorm2d(3), (0, 3, 4, 4)),
    "MeanOnlyBatchNorm": (lambda: nn.MeanOnlyBatchNorm(3), (0, 3)),
    "InstanceNorm1d": (lambda: nn.InstanceNorm1d(3), (0, 3, 4)),
    "InstanceNorm2d tracking": (
        lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        (0, 3, 4, 4),
    ),
    "InstanceNorm2d of no positions": (
        lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        (2, 3, 0, 4),
    ),
    "GroupNorm": (lambda: nn.GroupNorm(3, 3), (0, 3, 4)),
    "LayerNorm": (lambda: nn.LayerNorm(3), (0, 3)),
    "RMSNorm": (lambda: nn.RMSNorm(3), (0, 5, 3)),
    "LocalResponseNorm": (lambda: nn.LocalResponseNorm(2), (0, 3, 4)),
    "SwitchableNorm1d": (lambda: nn.SwitchableNorm1d(3), (0, 3, 4)),
    "SwitchableNorm2d": (lambda: nn.SwitchableNorm2d(3), (0, 3, 4, 4)),
    "SwitchableNorm2d of batches": (
        lambda: nn.SwitchableNorm2d(3, track_running_stats=False),
        (0, 3, 4, 4),
    ),
    "BatchInstanceNorm1d": (lambda: nn.BatchInstanceNorm1d(3), (0, 3, 4)),
    "BatchInstanceNorm2d": (lambda: nn.BatchInstanceNorm2d(3, affine=False), (0, 3, 4, 4)),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", LAYERS)
def test_no_samples_are_no_result(name, training):
    build, shape = LAYERS[name]
    layer = build().train(training)
    averages = {key: value for key, value in layer.named_buffers() if value.dtype == np.float32}
    for value in averages.values():
        value.data.fill(0.5)
    x = nn.zeros(*shape, requires_grad=True)
    y = layer(x)
    assert y.shape == shape and y.dtype == np.float32
    y.sum().backward()
    assert x.grad.shape == shape
    for parameter in layer.parameters():
        assert not np.any(parameter.grad.data)
    for key, value in averages.items():
        assert (value.data == 0.5).all(), key


def test_one_value_an_instance_is_still_refused():
    for layer in (nn.SwitchableNorm1d(3), nn.BatchInstanceNorm1d(3)):
        for shape in ((2, 3, 1), (0, 3, 1), (2, 3, 0)):
            with pytest.raises(ValueError, match="expected input .* more than one value an inst"):
                layer(nn.zeros(*shape))
