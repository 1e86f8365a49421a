"""Layers with a weight, and all that asks what a layer is: wrappers, costs, folding, norms."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet.layers.weighted import Weighted
from nnet.module.calls import is_linear
from tests.helpers import assert_close, assert_same_bits, rms

rng = np.random.default_rng(0)


def floats(*shape):
    return nn.Tensor(rng.normal(size=shape).astype(np.float32))


# What makes each, and the shape of a sample.
LAYERS = {
    "linear": (lambda: nn.Linear(3, 4), (3,)),
    "maxout": (lambda: nn.Maxout(3, 4, pieces=5), (3,)),
    "conv1d": (lambda: nn.Conv1d(3, 4, 2), (3, 7)),
    "conv1d, circular": (lambda: nn.Conv1d(3, 4, 3, padding=1, padding_mode="circular"), (3, 7)),
    "conv2d": (lambda: nn.Conv2d(4, 6, 3, stride=2, groups=2), (4, 7, 5)),
    "conv2d, reflected": (
        lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect", bias=False),
        (3, 5, 4),
    ),
    "maxout of convolutions": (lambda: nn.MaxoutConv2d(3, 4, 2, pieces=5), (3, 5, 4)),
    "transposed 1d": (lambda: nn.ConvTranspose1d(3, 5, 2, stride=2, bias=False), (3, 7)),
    "transposed 2d": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2), (4, 5, 4)),
}

# A weight of these counts inputs along its first axis.
TRANSPOSED = {"transposed 1d", "transposed 2d"}


def subclass_of(layer):
    """The layer as one of a class of one's own, which changes nothing."""
    layer.__class__ = type("Own", (type(layer),), {})
    return layer


MADE = {
    **{name: (make, shape, name) for name, (make, shape) in LAYERS.items()},
    **{
        f"subclass of {name}": (lambda make=make: subclass_of(make()), shape, name)
        for name, (make, shape) in LAYERS.items()
    },
}


@pytest.fixture(params=MADE)
def made(request):
    """A layer, a batch for it, and what it is in LAYERS."""
    make, shape, name = MADE[request.param]
    nn.manual_seed(0)
    return make(), floats(5, *shape), name


def test_every_layer_with_a_map_of_its_weight_is_here():
    kinds = {
        kind for kind in vars(nn).values() if isinstance(kind, type) and issubclass(kind, Weighted)
    }
    assert kinds == {type(make()) for make, _ in LAYERS.values()}


def test_a_layer_tells_its_units_and_axes(made):
    layer, x, name = made
    y = layer(x)
    assert layer.outputs == y.shape[1] and 2 + layer.axes == y.ndim == x.ndim
    assert layer.units_axis == (name in TRANSPOSED)
    told = layer.out_channels if layer.axes else layer.out_features
    assert told == layer.outputs and f"{told}," in repr(layer)


def test_the_map_with_other_weights_is_the_layer_that_has_them(made):
    layer, x, _ = made
    weight = floats(*layer.weight.shape)
    bias = None if layer.bias is None else floats(*layer.bias.shape)
    found = layer.map(x, weight, bias).data
    layer.weight = nn.Parameter(weight)
    if bias is not None:
        layer.bias = nn.Parameter(bias)
    assert_same_bits(found, layer(x).data)


def test_what_says_that_it_is_linear_is(made):
    layer, x, name = made
    one, other = floats(*layer.weight.shape), floats(*layer.weight.shape)
    parts = layer.map(x, one, None) + layer.map(x, other, None)
    apart = abs((layer.map(x, one + other, None) - parts).data).max()
    assert is_linear(layer) == (apart < 1e-4) == ("maxout" not in name)


def test_another_forward_is_not_taken_for_linear():
    class Squared(nn.Linear):
        def forward(self, input):
            return super().forward(input) * super().forward(input)

    replaced = nn.Linear(3, 4)
    replaced.forward = lambda x: x
    assert not is_linear(Squared(3, 4)) and not is_linear(replaced)


def test_drop_connect_uses_the_layers_own_map(made):
    layer, x, _ = made
    wrapped = nn.DropConnect(layer, 0.25)
    used, one = wrapped.eval()(x), wrapped(x[0])
    assert wrapped.train()(x).shape == used.shape
    layer.weight.data *= 0.75
    assert_close(used, layer(x).data, 1e-5)
    assert_close(one, layer(x[:1])[0].data, 1e-5)


def test_drop_connects_gaussian_has_the_variance_of_masks():
    """Where the layer is linear in its weight; of others it is refused."""
    for name, (make, shape) in LAYERS.items():
        nn.manual_seed(1)
        layer, x = make().double(), floats(1, *shape).double()
        if "maxout" in name:
            with pytest.raises(ValueError, match="expected inference 'mean' or 'monte_carlo'"):
                nn.DropConnect(layer, 0.3, nn.ReLU())
            continue
        mean = nn.DropConnect(layer, 0.3).eval()(x).detach()
        found, expected = (
            nn.DropConnect(
                layer, 0.3, lambda u, m=mean: (u - m) ** 2, inference=inference, samples=3000
            ).eval()(x)
            for inference in ("gaussian", "monte_carlo")
        )
        apart = found.data - expected.data
        assert rms(apart) < 0.1 * rms(expected.data), name


def test_costs_are_the_products_of_weights_and_inputs(made):
    """Of ones, without padding, each output is the number of products that made it."""
    layer, x, name = made
    if getattr(layer, "padding_mode", "zeros") != "zeros":
        return
    found = nn.summary(layer, x.shape).macs
    for parameter in layer.parameters():
        parameter.data[...] = 1
    ones = layer(nn.ones(*x.shape)).data
    products = (ones - (layer.bias is not None)).sum() * getattr(layer, "pieces", 1)
    assert found == products > 0, name


def test_batch_normalization_is_folded_where_the_layer_is_linear(made):
    layer, x, name = made
    norms = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}
    norm = norms[x.ndim](layer(x).shape[1])
    model = nn.Sequential(layer, norm)
    for _ in range(3):
        model(floats(*x.shape))
    expected = model.eval()(x).data
    for folded in (nn.fold_batch_norm(model), nn.fold_batch_norm(model, x)):
        assert_close(folded(x), expected, 1e-5)
        left = [each for each in folded.modules() if isinstance(each, type(norm))]
        assert len(left) == ("maxout" in name)


def test_spectral_norm_takes_the_axis_of_units(made):
    layer, _, name = made
    axis = int(name in TRANSPOSED)
    size = layer.weight.shape[axis]
    nn.spectral_norm(layer, n_power_iterations=100)
    assert layer.weight_u.shape == (size,)
    rows = np.moveaxis(layer.weight.data, axis, 0).reshape(size, -1)
    assert np.linalg.norm(rows, 2) == pytest.approx(1, abs=1e-3)


def test_weight_norm_changes_no_output(made):
    layer, x, _ = made
    expected = layer(x).data
    assert_close(nn.weight_norm(layer)(x), expected, 1e-5)


def test_a_network_of_the_layer_and_relu_is_both_one_after_the_other(made):
    layer, x, _ = made
    assert_close(nn.Sequential(layer, nn.ReLU())(x), np.maximum(layer(x).data, 0), 1e-6)


class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2)

    def forward(self, x):
        return self.attention(x, x, x)[0]


def test_attention_costs_its_projections():
    assert nn.summary(Attends(), (5, 3, 8)).macs == 15 * 8 * 8 * 4
    assert nn.summary(nn.TransformerEncoderLayer(8, 2, 16), (5, 3, 8)).macs == 15 * (4 * 64 + 256)


def test_nothing_else_is_changed_by_a_cost_that_is_asked_for(made):
    layer, x, _ = made
    before = layer(x).data
    nn.summary(layer, x.shape)
    assert_same_bits(layer(x).data, before)


class ByName(nn.Module):
    """Gives a layer what it takes by name."""

    def __init__(self, layer, *names):
        super().__init__()
        self.layer = layer
        self.names = names

    def forward(self, x):
        return self.layer(**dict.fromkeys(self.names, x))


@pytest.mark.parametrize(
    ("layer", "names", "shape"),
    [
        (nn.Linear(8, 6), ["input"], (5, 8)),
        (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1), ["input"], (2, 4, 5, 5)),
        (nn.MultiheadAttention(8, 2), ["query", "key", "value"], (5, 3, 8)),
        (nn.MultiheadAttention(8, 2), ["value", "query", "key"], (5, 3, 8)),
        (nn.LuongAttention(8, 8, "concat"), ["keys", "query"], (3, 5, 8)),
    ],
)
def test_what_is_given_by_name_costs_the_same(layer, names, shape):
    class ByPlace(ByName):
        def forward(self, x):
            return self.layer(*[x] * len(self.names))

    found, expected = (nn.summary(kind(layer, *names), shape).macs for kind in (ByName, ByPlace))
    assert found == expected > 0


def test_a_forward_with_other_parameters_costs_what_its_layer_does():
    class Upsampling(nn.ConvTranspose1d):
        def forward(self, *, image):
            return super().forward(image)

    plain = nn.ConvTranspose1d(3, 5, 2)
    assert nn.summary(ByName(Upsampling(3, 5, 2), "image"), (2, 3, 7)).macs == (
        nn.summary(plain, (2, 3, 7)).macs
    )


def test_whitening_in_use_costs_a_product():
    assert nn.summary(nn.Whitening(6, eps=1.0), (5, 6)).macs == 5 * 6 * 6


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_rows_have_the_parameters_of_wrapped_layers_too(p):
    wrapped = nn.DropConnect(nn.Linear(3, 3), p)
    found = nn.summary(nn.Sequential(wrapped, nn.ReLU(), wrapped), (5, 3))
    assert sum(row.parameters for row in found.rows) == found.parameters == 12


def test_the_axis_of_units_is_that_of_the_weight_alone():
    class Gated(nn.ConvTranspose2d):
        def __init__(self, *sizes):
            super().__init__(*sizes)
            self.gate = nn.Parameter(np.ones((2, 7), np.float32))

    assert nn.spectral_norm(Gated(3, 5, 2), "gate").gate_u.shape == (2,)


def spread(model, *shape):
    return nn.monte_carlo(model, nn.ones(*shape), 8)[1].data.max()


@pytest.mark.parametrize("rate", [0.5, np.float32(0.5), np.float64(0.5)])
def test_layers_draw_whatever_number_their_rate_is(rate):
    attends = Attends().eval()
    assert spread(attends, 5, 3, 8) == 0
    attends.attention.dropout = rate
    assert spread(attends, 5, 3, 8) > 0


def test_layers_draw_where_their_class_has_the_rate():
    class Noisy(nn.Module):
        dropout = 0.5

        def forward(self, x):
            return F.dropout(x, self.dropout, self.training)

    class Flagged(Noisy):
        def __init__(self):
            super().__init__()
            self.dropout = True  # no rate, and so nothing that draws

    assert spread(Noisy().eval(), 50) > 0 == spread(Flagged().eval(), 50)


def test_every_layer_that_can_drop_connections_draws(made):
    layer, x, _ = made
    assert spread(nn.DropConnect(layer, 0.5), *x.shape) > 0
