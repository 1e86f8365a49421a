"""Batch normalization folded into the layer below, and biases without effect under it."""

import warnings

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close, assert_same_bits

rng = np.random.default_rng(0)


def floats(*shape):
    return nn.Tensor(rng.normal(size=shape).astype(np.float32))


def trained(norm):
    """Statistics and parameters as of somewhere in training."""
    for tensor in (norm.running_mean, norm.weight, norm.bias):
        if tensor is not None:
            tensor.data[...] = rng.normal(size=norm.num_features)
    norm.running_var.data[...] = rng.uniform(0.5, 2, norm.num_features)
    return norm


PAIRS = {
    "linear": (nn.Linear(3, 6), nn.BatchNorm1d(6), (5, 3)),
    "linear without bias": (nn.Linear(3, 6, bias=False), nn.BatchNorm1d(6), (5, 3)),
    "conv1d": (nn.Conv1d(3, 6, 3), nn.BatchNorm1d(6), (5, 3, 7)),
    "conv2d": (nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.BatchNorm2d(6), (5, 4, 7, 7)),
    "not affine": (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, affine=False), (5, 3, 7, 7)),
    "gamma alone": (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6, bias=False), (5, 3, 7, 7)),
    "transposed": (nn.ConvTranspose2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), (2, 3, 5, 5)),
    "transposed groups": (nn.ConvTranspose2d(4, 6, 2, groups=2), nn.BatchNorm2d(6), (2, 4, 5, 5)),
    "transposed 1d": (nn.ConvTranspose1d(4, 6, 2, groups=2), nn.BatchNorm1d(6), (2, 4, 5)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a5_folding_changes_no_output_in_use(name):
    layer, norm, shape = PAIRS[name]
    x, norm = floats(*shape), trained(norm).eval()
    before = [p.data.copy() for p in (*layer.parameters(), *norm.parameters())]
    folded = nn.fold_into(layer, norm)
    assert_close(folded(x), norm(layer(x)).data, 1e-5)
    assert type(folded) is type(layer) and folded.bias.dtype == np.float32
    assert_same_bits([p.data for p in (*layer.parameters(), *norm.parameters())], before)


def test_a5_a_whole_model_is_folded_however_deep():
    block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), trained(nn.BatchNorm2d(4)))
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False),
        trained(nn.BatchNorm2d(4)),
        nn.ReLU(),
        block,
        nn.ReLU(),
        trained(nn.BatchNorm2d(4)),
        nn.Flatten(),
        nn.Linear(64, 5),
        trained(nn.BatchNorm1d(5)),
    )
    x = floats(2, 3, 6, 6)
    folded = nn.fold_batch_norm(model)
    assert model.training and not folded.training and len(model) == 9
    assert_close(folded(x), model.eval()(x).data, 1e-5)
    kinds = [type(module).__name__ for module in folded.modules()]
    assert kinds.count("BatchNorm2d") == 1 and "BatchNorm1d" not in kinds
    assert list(folded.state_dict())[:2] == ["0.weight", "0.bias"]


def test_what_keeps_no_running_statistics_is_not_folded():
    norm = nn.BatchNorm1d(3, track_running_stats=False)
    model = nn.Sequential(nn.Linear(2, 3), norm)
    assert len(nn.fold_batch_norm(model)) == 2
    with pytest.raises(ValueError, match="fold_into: expected .* with running statistics"):
        nn.fold_into(model[0], norm)
    with pytest.raises(ValueError, match="fold_into: expected .* of 3 channels, got 4"):
        nn.fold_into(model[0], nn.BatchNorm1d(4))
    with pytest.raises(TypeError, match="fold_into: .* got ReLU and BatchNorm1d"):
        nn.fold_into(nn.ReLU(), norm)


def test_a5_a_bias_under_batch_normalization_gets_no_gradient():
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3)).double()
    x = nn.Tensor(rng.normal(size=(16, 5)))
    (model(x) * nn.Tensor(rng.normal(size=(16, 3)))).sum().backward()
    assert abs(model[0].bias.grad.data).max() < 1e-12 < abs(model[0].weight.grad.data).max()


def test_a5_dead_biases_are_named_and_removed():
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()),
        nn.Conv2d(4, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(16, 4),
        nn.BatchNorm1d(4),
        nn.Linear(4, 2),
    )
    with pytest.warns(UserWarning, match=r"0\.0\.bias, 4\.bias: without effect") as caught:
        assert nn.dead_biases(model) == ["0.0.bias", "4.bias"]
    assert caught[0].filename == __file__
    x = floats(8, 3, 6, 6)
    model(x)
    trains, uses = [], []
    for _ in range(2):
        running = [buffer.data.copy() for buffer in model.buffers()]
        trains.append(model.train()(x).data)
        for buffer, before in zip(model.buffers(), running, strict=True):
            buffer.data[...] = before
        uses.append(model.eval()(x).data)
        assert nn.remove_dead_biases(model) is model
    assert_close(trains[1], trains[0], 1e-5)
    assert_close(uses[1], uses[0], 1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.dead_biases(model) == []
    assert "4.bias" not in model.state_dict() and model[6].bias is not None


def test_a5_the_bias_of_a_model_that_is_a_pair_itself():
    with pytest.warns(UserWarning, match=r"^0\.bias: without effect"):
        nn.dead_biases(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))


def test_a5_a_residual_network_is_folded_after_one_pass():
    nn.manual_seed(0)
    model = nn.models.ResNet(channels=1, blocks=1, width=4, classes=3)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            trained(module)
    x = floats(2, 1, 8, 8)
    expected = model.eval()(x).data
    folded = nn.fold_batch_norm(model, x)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert not any(module._forward_hooks for module in folded.modules())
    assert_close(folded(x), expected, 1e-5)


class Shared(nn.Module):
    """Uses what it gives its normalization a second time."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.norm = trained(nn.BatchNorm1d(3))

    def forward(self, x):
        inside = self.linear(x)
        return self.norm(inside) + inside


def test_an_output_with_two_uses_is_not_folded_silently():
    with pytest.raises(ValueError, match=r"used by that alone, got outputs .* differ by"):
        nn.fold_batch_norm(Shared(), floats(5, 3))


def test_a_layer_that_runs_twice_is_not_folded():
    linear = nn.Linear(3, 3)
    model = nn.Sequential(linear, nn.Sequential(trained(nn.BatchNorm1d(3))), linear)
    x = floats(5, 3)
    folded = nn.fold_batch_norm(model, x)
    assert isinstance(folded[1][0], nn.BatchNorm1d)
    assert_close(folded(x), model.eval()(x).data, 1e-6)
