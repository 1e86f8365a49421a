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


def of_use(model, *shape):
    """Its output for a random input, without anything that hooks could be asked for."""
    x = floats(*shape)
    return x, model.eval()(x).data.copy()


def same_relu_twice():
    relu = nn.ReLU()
    layers = nn.Linear(4, 5), relu, nn.Linear(5, 5), relu, trained(nn.BatchNorm1d(5))
    return nn.Sequential(*layers)


def same_linear_twice():
    linear = nn.Linear(5, 5)
    norms = trained(nn.BatchNorm1d(5)), trained(nn.BatchNorm1d(5))
    return nn.Sequential(nn.Linear(4, 5), linear, norms[0], nn.Tanh(), linear, norms[1])


def same_linear_in_two_sequentials():
    linear, norm = nn.Linear(4, 4), trained(nn.BatchNorm1d(4))
    return nn.Sequential(nn.Sequential(linear, norm), nn.Sequential(nn.Tanh(), linear))


def same_normalization_twice():
    norm = trained(nn.BatchNorm1d(4))
    return nn.Sequential(nn.Linear(4, 4), norm, nn.Tanh(), nn.Linear(4, 4), norm)


def replaced_forward(position):
    model = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))
    layer = model[position]
    plain = layer.forward
    layer.forward = lambda x: plain(x).relu() + 1
    return model


def own_order():
    class Backwards(nn.Sequential):
        def forward(self, x):
            for module in reversed(list(self)):
                x = module(x)
            return x

    return Backwards(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))


def own_iteration():
    class Backwards(nn.Sequential):
        def __iter__(self):
            return reversed(list(super().__iter__()))

    return Backwards(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))


def order_set_on_one():
    model = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))
    linear, norm = model
    model.forward = lambda x: linear(norm(x))
    return model


def own_forward_of_layer():
    class Rectified(nn.Linear):
        def forward(self, x):
            return super().forward(x).relu()

    return nn.Sequential(Rectified(4, 4), trained(nn.BatchNorm1d(4)))


def own_forward_of_normalization():
    class Shifted(nn.BatchNorm1d):
        def forward(self, x):
            return super().forward(x + x * x)

    return nn.Sequential(nn.Linear(4, 4), trained(Shifted(4)))


def own_call():
    class Doubled(nn.Linear):
        def __call__(self, x):
            return super().__call__(x) * super().__call__(x)

    return nn.Sequential(Doubled(4, 4), trained(nn.BatchNorm1d(4)))


def maxout():
    return nn.Sequential(nn.Maxout(4, 4, pieces=3), trained(nn.BatchNorm1d(4)))


def hooked(position):
    model = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))
    model[position].register_forward_hook(lambda module, arguments, output: output * output)
    return model


def normalization_first():
    return nn.Sequential(trained(nn.BatchNorm1d(4)), nn.Linear(4, 4), nn.Tanh())


def used_outside_of_the_sequential():
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))
            self.stem = self.body[0]

        def forward(self, x):
            return self.body(x) + self.stem(x)

    return Branches()


UNFOLDED = {
    "the same ReLU twice": same_relu_twice,
    "the same Linear twice": same_linear_twice,
    "a Linear in two Sequentials": same_linear_in_two_sequentials,
    "a normalization twice": same_normalization_twice,
    "a forward set on the layer": lambda: replaced_forward(0),
    "a forward set on the normalization": lambda: replaced_forward(1),
    "a Sequential with its own forward": own_order,
    "a Sequential with its own iteration": own_iteration,
    "a forward set on the Sequential": order_set_on_one,
    "a layer with its own forward": own_forward_of_layer,
    "a normalization with its own forward": own_forward_of_normalization,
    "a layer with its own call": own_call,
    "maxout": maxout,
    "a hook on the layer": lambda: hooked(0),
    "a hook on the normalization": lambda: hooked(1),
    "the normalization first": normalization_first,
    "a layer used outside": used_outside_of_the_sequential,
}


@pytest.mark.parametrize("name", UNFOLDED)
@pytest.mark.parametrize("with_example", [False, True])
def test_what_is_not_known_to_follow_is_not_folded(name, with_example):
    model = UNFOLDED[name]()
    x, expected = of_use(model, 5, 4)
    folded = nn.fold_batch_norm(model, x if with_example else None)
    assert_close(folded(x), expected, 1e-5)
    norms = [sum(isinstance(m, nn.BatchNorm1d) for m in each.modules()) for each in (folded, model)]
    assert norms[0] == norms[1]


@pytest.mark.parametrize("name", UNFOLDED)
def test_biases_of_what_is_not_known_to_follow_are_not_dead(name):
    model = UNFOLDED[name]()
    assert nn.dead_biases(model) == []
    x, expected = of_use(model, 5, 4)
    before = list(model.state_dict())
    nn.remove_dead_biases(model)
    assert list(model.state_dict()) == before
    assert_same_bits(model(x).data, expected)


def test_a_pair_within_a_sequential_used_twice_is_folded():
    block = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))
    model = nn.Sequential(block, nn.Tanh(), block)
    x, expected = of_use(model, 5, 4)
    folded = nn.fold_batch_norm(model)
    assert_close(folded(x), expected, 1e-5)
    assert not any(isinstance(module, nn.BatchNorm1d) for module in folded.modules())
    with pytest.warns(UserWarning, match=r"^0\.0\.bias: without effect"):
        nn.dead_biases(model)
    assert_close(nn.remove_dead_biases(model)(x), expected, 1e-5)


@pytest.mark.parametrize("normalized", [nn.weight_norm, nn.spectral_norm])
def test_a_computed_weight_stays_and_the_bias_beside_it_goes(normalized):
    model = nn.Sequential(normalized(nn.Linear(4, 4)), trained(nn.BatchNorm1d(4)))
    x, expected = of_use(model, 5, 4)
    for folded in (nn.fold_batch_norm(model), nn.fold_batch_norm(model, x)):
        assert len(folded) == 2
        assert_close(folded(x), expected, 1e-6)
    with pytest.raises(TypeError, match="fold_into: expected .* weights that are parameters"):
        nn.fold_into(*model)
    assert_close(nn.remove_dead_biases(model)(x), expected, 1e-5)
    assert model[0].bias is None


def test_weights_that_two_layers_share_stay_right():
    model = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)), nn.Tanh(), nn.Linear(4, 4))
    model[3].weight, model[3].bias = model[0].weight, model[0].bias
    x, expected = of_use(model, 5, 4)
    assert_close(nn.fold_batch_norm(model)(x), expected, 1e-5)
    assert_close(nn.remove_dead_biases(model)(x), expected, 1e-5)


def test_a_normalization_of_other_axes_than_the_layers_units_is_not_folded():
    model = nn.Sequential(nn.Linear(4, 3), trained(nn.BatchNorm2d(3)))
    x, expected = of_use(model, 2, 3, 5, 4)
    assert_close(nn.fold_batch_norm(model)(x), expected, 1e-6)
    assert nn.dead_biases(model) == []


def test_batch_renormalization_is_folded():
    model = nn.Sequential(nn.Linear(4, 3), trained(nn.BatchRenorm1d(3)))
    x, expected = of_use(model, 5, 4)
    folded = nn.fold_batch_norm(model)
    assert len(folded) == 1
    assert_close(folded(x), expected, 1e-5)


class Taps(nn.Module):
    """Uses the first layer of a Sequential by itself, too."""

    def __init__(self, named):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)), nn.Tanh())
        self.head = nn.Sequential(nn.Linear(4, 4), trained(nn.BatchNorm1d(4)))
        self.named = named

    def forward(self, x):
        outputs = self.head(self.body(x)), self.body[0](x)
        return dict(zip(("head", "tap"), outputs, strict=True)) if self.named else outputs


@pytest.mark.parametrize("named", [False, True])
def test_an_example_shows_what_a_sequential_cannot_know(named):
    model = Taps(named).eval()
    x = floats(5, 4)
    folded = nn.fold_batch_norm(model, x)
    assert len(folded.body) == 3 and len(folded.head) == 1
    found, expected = folded(x), model(x)
    for key in ("head", "tap") if named else (0, 1):
        assert_close(found[key], expected[key].data, 1e-5)


def test_a_pair_that_is_called_twice_by_hand_is_folded():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.norm = nn.Linear(4, 4), trained(nn.BatchNorm1d(4))

        def forward(self, x):
            for _ in range(2):
                x = self.norm(self.linear(x), relu=True)
            return x

    model = Twice()
    x, expected = of_use(model, 5, 4)
    folded = nn.fold_batch_norm(model, x)
    assert not isinstance(folded.norm, nn.BatchNorm1d)
    assert_close(folded(x), expected, 1e-5)


def test_a_normalization_with_another_input_as_well_is_not_folded():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.norm = nn.Linear(4, 4), trained(nn.BatchNorm1d(4))

        def forward(self, x):
            return self.norm(self.linear(x)) + self.norm(x)

    model = Both()
    x, expected = of_use(model, 5, 4)
    folded = nn.fold_batch_norm(model, x)
    assert isinstance(folded.norm, nn.BatchNorm1d)
    assert_close(folded(x), expected, 1e-6)


def test_an_example_shows_that_channels_are_not_the_layers_units():
    model = nn.Sequential(nn.Linear(4, 6), trained(nn.BatchNorm1d(6)))
    x, expected = of_use(model, 2, 6, 4)
    folded = nn.fold_batch_norm(model, x)
    assert len(folded) == 2
    assert_close(folded(x), expected, 1e-6)


def test_a5_folding_counts_eps_where_variances_are_no_greater():
    layer, norm = nn.Linear(3, 6), trained(nn.BatchNorm1d(6, eps=1e-3)).eval()
    norm.running_var.data[...] = np.linspace(1e-4, 2e-3, 6)
    x = floats(5, 3)
    assert_close(nn.fold_into(layer, norm)(x), norm(layer(x)).data, 1e-5)
