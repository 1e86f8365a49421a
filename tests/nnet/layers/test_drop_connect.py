"""DropConnect (inventory B9, B10)."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from kernels import bernoulli_mask
from tests.helpers import assert_close, assert_same_bits, rms
from tests.nnet.gradients import check_gradients


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def with_same_masks(function):
    def run(*arguments):
        nn.manual_seed(11)
        return function(*arguments)

    return run


def convolution(input, weight, bias):
    return F.conv2d(input, weight, bias, padding=1)


@pytest.mark.parametrize("share", [1, 2, None])
def test_b9_gradients_of_the_linear_map(share):
    def run(x, weight, bias):
        return F.drop_connect(F.linear, x, weight, bias, 0.4, share=share)

    check_gradients(with_same_masks(run), normal(5, 7), normal(3, 7, seed=1), normal(3, seed=2))
    check_gradients(with_same_masks(run), normal(5, 2, 7), normal(3, 7), normal(3))


@pytest.mark.parametrize("share", [1, 2, None])
def test_b9_gradients_of_the_convolution(share):
    def run(x, weight, bias):
        return F.drop_connect(convolution, x, weight, bias, 0.4, share=share)

    check_gradients(with_same_masks(run), normal(3, 2, 4, 3), normal(3, 2, 3, 3), normal(3))


@pytest.mark.parametrize("function", [F.linear, convolution])
def test_b9_masks_belong_to_examples_groups_or_the_batch(function):
    """The same example again and again: equal outputs where masks are shared, and only there."""
    nn.manual_seed(0)
    one = normal(1, 40) if function is F.linear else normal(1, 2, 5, 5)
    weight = nn.Tensor(normal(3, 40) if function is F.linear else normal(3, 2, 3, 3))
    x = nn.Tensor(np.repeat(one, 6, axis=0))
    for share, distinct in ((1, 6), (2, 3), (4, 2), (6, 1), (None, 1)):
        y = F.drop_connect(function, x, weight, p=0.5, share=share).data.reshape(6, -1)
        assert len(np.unique(y.round(9), axis=0)) == distinct
        assert_close(y[0], y[(share or 6) - 1], 1e-12)


def test_b9_axes_between_share_the_examples_mask():
    nn.manual_seed(0)
    x = nn.Tensor(np.repeat(normal(2, 1, 40), 3, axis=1))
    y = F.drop_connect(F.linear, x, nn.Tensor(normal(4, 40)), p=0.5).data
    assert y.shape == (2, 3, 4)
    assert_close(y[:, 1], y[:, 0], 1e-12)
    assert_close(y[:, 2], y[:, 0], 1e-12)


def test_b9_columns_tied_together_are_dropout_exactly():
    """Dropping all weights of an input at once drops the input."""
    keep, inputs, units = 0.6, 50, 8
    x, weight = normal(1, inputs), normal(units, inputs, seed=1)
    nn.manual_seed(4)
    dropped = F.dropout(nn.Tensor(x), 1 - keep, inverted=False)
    expected = F.linear(dropped, nn.Tensor(weight)).data
    tied, _ = bernoulli_mask.forward(
        np.ones((inputs, units)), 1 - keep, seed=4, stream=0, scale=1, plane=units
    )
    found = F.linear(nn.Tensor(x), nn.Tensor(tied.T * weight)).data
    assert_same_bits(found, expected)


def test_b9_gradient_is_exactly_zero_where_dropped():
    for share in (1, None):
        layer = nn.DropConnect(nn.Linear(40, 30), share=share)
        layer(nn.randn(1, 40)).sum().backward()
        dropped = (layer.layer.weight.grad.data == 0).mean()
        assert 0.4 < dropped < 0.6


def _assert_moments(u, mean, variance):
    """Of masks along the first axis: mean and variance within 4 standard errors."""
    masks = len(u)
    assert (abs(u.mean(0) - mean) < 4 * np.sqrt(variance / masks)).all()
    fourth = np.mean((u - u.mean(0)) ** 4, 0)
    assert (abs(u.var(0) - variance) < 4 * np.sqrt((fourth - variance**2) / masks)).all()


def test_b10_moments_and_mean_of_relu_against_masks():
    """1e4 masks for the batch; 1e5 for an example each, whose mean of ReLU errs by 0.7 %."""
    nn.manual_seed(0)
    keep = 0.6
    linear = nn.Linear(60, 5, dtype=np.float64)
    x = normal(1, 60)
    mean = keep * x @ linear.weight.data.T + linear.bias.data
    variance = keep * (1 - keep) * x**2 @ linear.weight.data.T**2
    with nn.no_grad():
        layer = nn.DropConnect(linear, 1 - keep, share=None)
        _assert_moments(
            np.concatenate([layer(nn.Tensor(x)).data for _ in range(10_000)]), mean, variance
        )
        copies = nn.Tensor(np.repeat(x, 100_000, axis=0))
        u = nn.DropConnect(linear, 1 - keep)(copies).data
        _assert_moments(u, mean, variance)
    used = nn.DropConnect(linear, 1 - keep, nn.ReLU(), samples=200_000).eval()(nn.Tensor(x)).data
    relu = np.maximum(u, 0).mean(0)
    assert rms(used - relu) < 0.02 * rms(relu)


def test_b10_inference_of_a_convolution():
    nn.manual_seed(0)
    conv = nn.Conv2d(2, 3, 3, padding=1, dtype=np.float64)
    x = nn.Tensor(normal(2, 2, 5, 4))
    results = {
        inference: nn.DropConnect(
            conv, 0.3, nn.ReLU(), inference=inference, samples=4000, share=share
        ).eval()(x)
        for inference, share in (("gaussian", 1), ("monte_carlo", None), ("mean", 1))
    }
    assert_close(results["gaussian"], results["monte_carlo"].data, 0.02)
    assert_close(
        results["mean"],
        np.maximum(F.conv2d(x, conv.weight * 0.7, conv.bias, padding=1).data, 0),
        1e-12,
    )
    assert not results["gaussian"].requires_grad


def test_b10_without_activation_use_is_the_mean_weights():
    layer = nn.DropConnect(nn.Linear(6, 3), 0.25).eval()
    x = nn.randn(4, 6)
    before = nn.random.get_state()
    expected = x.data @ (0.75 * layer.layer.weight.data).T + layer.layer.bias.data
    assert_close(layer(x), expected, 1e-6)
    assert nn.random.get_state() == before


def test_b10_nothing_dropped_is_the_layer():
    linear = nn.Linear(6, 3)
    layer = nn.DropConnect(linear, 0.0, nn.ReLU())
    x = nn.randn(4, 6)
    expected = np.maximum(linear(x).data, 0)
    assert_same_bits(layer(x).data, expected)
    assert_same_bits(layer.eval()(x).data, expected)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(6, 3), (6,)),
        (nn.Conv1d(2, 3, 3), (2, 9)),
        (nn.Conv2d(2, 3, 3, stride=2, groups=1), (2, 9, 8)),
    ],
)
def test_b9_one_example_and_empty_batches(layer, shape):
    for share in (1, None):
        wrapped = nn.DropConnect(layer, 0.5, nn.Tanh(), share=share)
        for training in (True, False):
            wrapped.train(training)
            assert wrapped(nn.ones(*shape)).shape == layer(nn.ones(*shape)).shape
            empty = nn.Tensor(np.empty((0, *shape), np.float32))
            assert wrapped(empty).shape == layer(empty).shape


def test_b9_masks_repeat_with_the_seed_and_are_new_in_every_call():
    for layer in (nn.Linear(20, 3), nn.Conv1d(2, 3, 3)):
        wrapped, x = (
            nn.DropConnect(layer),
            nn.randn(*((4, 20) if isinstance(layer, nn.Linear) else (4, 2, 9))),
        )
        nn.manual_seed(3)
        first, second = wrapped(x).data, wrapped(x).data
        nn.manual_seed(3)
        assert_same_bits(wrapped(x).data, first)
        assert (first != second).any()


def test_b9_trains_and_saves():
    nn.manual_seed(0)
    layer = nn.DropConnect(nn.Linear(20, 2), 0.3)
    model = nn.Sequential(layer, nn.Tanh())
    assert list(model.state_dict()) == ["0.layer.weight", "0.layer.bias"]
    assert "p=0.3, share=1, inference='gaussian', samples=100" in repr(layer)
    x = nn.Tensor(normal(200, 20).astype(np.float32))
    target = nn.Tensor((x.data[:, :2] > 0).astype(np.float32))
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    _, std = nn.monte_carlo(model.eval(), x, 5)
    assert (std.data > 0).all() and not layer.training


X, W = nn.ones(2, 3), nn.ones(4, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.DropConnect(nn.ReLU()), TypeError, "a Linear or a convolution, got ReLU"),
        (lambda: nn.DropConnect(nn.Linear(1, 1), 1.0), ValueError, "p from 0 to below 1, got 1.0"),
        (lambda: nn.DropConnect(nn.Linear(1, 1), share=0), ValueError, "share of at least 1"),
        (lambda: nn.DropConnect(nn.Linear(1, 1), samples=0), ValueError, "samples of at least 1"),
        (
            lambda: nn.DropConnect(nn.Linear(1, 1), inference="exact"),
            ValueError,
            "inference as one of .* got 'exact'",
        ),
        (lambda: F.drop_connect(F.linear, X, W, p=-0.5), ValueError, "p from 0 to below 1"),
        (lambda: F.drop_connect(F.linear, X, W, share=0), ValueError, "share of at least 1"),
        (lambda: F.drop_connect(F.linear, X[0], W), ValueError, "examples along its first axis"),
        (lambda: F.drop_connect(F.linear, nn.ones(2, 4), W), ValueError, r"x of shape \(N, 3\)"),
        (lambda: F.drop_connect(F.linear, X, nn.tensor([[1]])), TypeError, "got int64"),
        (
            lambda: F.drop_connect_gaussian(F.linear, F.relu, X, W, samples=0),
            ValueError,
            "samples of at least 1, got 0",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def rectified_linear():
    class Rectified(nn.Linear):
        def forward(self, x):
            return super().forward(x).relu()

    return Rectified(4, 3)


def scaled_convolution():
    class Scaled(nn.Conv2d):
        def __init__(self, *sizes, **options):
            super().__init__(*sizes, **options)
            self.scale = nn.Parameter([3.0])

        def forward(self, x):
            return super().forward(x) * self.scale

    return Scaled(2, 3, 3, padding=1)


def padded(kind, mode, **options):
    return kind(2, 3, 3, padding=1, padding_mode=mode, **options)


LAYERS = {
    "circular series": (lambda: padded(nn.Conv1d, "circular"), (2, 7)),
    "reflected images": (lambda: padded(nn.Conv2d, "reflect", bias=False), (2, 5, 4)),
    "repeated edges, stride 2": (lambda: padded(nn.Conv2d, "replicate", stride=2), (2, 5, 4)),
    "padding to the same size": (lambda: nn.Conv2d(2, 3, 3, padding="same"), (2, 5, 4)),
    "groups and dilation": (lambda: nn.Conv1d(2, 4, 2, groups=2, dilation=2), (2, 7)),
    "maxout": (lambda: nn.Maxout(4, 3, pieces=5), (4,)),
    "maxout of convolutions": (lambda: nn.MaxoutConv2d(2, 3, 3, pieces=2, padding=1), (2, 5, 4)),
    "own forward": (rectified_linear, (4,)),
    "own forward and parameter": (scaled_convolution, (2, 5, 4)),
    "weight normalization": (lambda: nn.weight_norm(nn.Linear(4, 3)), (4,)),
    "weight normalization, circular": (
        lambda: nn.weight_norm(padded(nn.Conv1d, "circular")),
        (2, 7),
    ),
    "spectral normalization": (lambda: nn.spectral_norm(nn.Linear(4, 3)).eval(), (4,)),
}


def gradients_of(layer, module, x):
    module.zero_grad()
    x = nn.Tensor(x, requires_grad=True)
    y = layer(x)
    (y * y).sum().backward()
    return [y.data, x.grad.data, *(p.grad.data.copy() for p in module.parameters())]


@pytest.mark.parametrize("name", LAYERS)
def test_b9_nothing_dropped_is_the_layer_whatever_it_is(name):
    make, shape = LAYERS[name]
    layer = make()
    x = normal(5, *shape).astype(np.float32)
    for training in (True, False):
        layer.train(training and name != "spectral normalization")
        expected = gradients_of(layer, layer, x)
        wrapped = nn.DropConnect(layer, 0.0)
        wrapped.training = training
        assert_same_bits(gradients_of(wrapped, layer, x), expected)
        assert_same_bits(wrapped(nn.Tensor(x[0])).data, layer(nn.Tensor(x[0])).data)


@pytest.mark.parametrize("name", LAYERS)
def test_b10_mean_weights_run_through_the_layers_own_forward(name):
    make, shape = LAYERS[name]
    layer = make().eval()
    x = normal(5, *shape).astype(np.float32)
    found = gradients_of(nn.DropConnect(layer, 0.25).eval(), layer, x)
    if hasattr(layer, "weight_g"):
        layer.weight_g.data *= 0.75
    elif hasattr(layer, "weight_orig"):
        nn.remove_spectral_norm(layer)
        layer.weight.data *= 0.75
    else:
        layer.weight.data *= 0.75
    expected = layer(nn.Tensor(x)).data
    assert_close(found[0], expected, 1e-6)


def plain_twin(make, layer):
    """Another layer like it, whose weight is a parameter."""
    twin = make().eval()
    twin.load_state_dict(layer.state_dict())
    if hasattr(twin, "weight_g"):
        nn.remove_weight_norm(twin)
    elif hasattr(twin, "weight_orig"):
        nn.remove_spectral_norm(twin)
    return twin


# Of these the masks of examples are drawn within the product, not one by one.
WITHIN = {"weight normalization", "spectral normalization"}


@pytest.mark.parametrize(
    ("name", "share"),
    [
        (name, share)
        for name in LAYERS
        for share in (1, 3, None)
        if share is None or name not in WITHIN
    ],
)
def test_b9_masks_run_through_the_layers_own_forward(name, share):
    make, shape = LAYERS[name]
    layer, size = make(), share or 4
    wrapped = nn.DropConnect(layer, 0.5, share=share)
    layer.eval()
    x = normal(4, *shape).astype(np.float32)
    starts = range(0, 4, size)
    nn.manual_seed(5)
    keys = [nn.random.next_stream() for _ in starts]
    nn.manual_seed(5)
    found = gradients_of(wrapped, layer, x)
    twin = plain_twin(make, layer)
    weight, parts = twin.weight.data.copy(), []
    for start, (seed, stream) in zip(starts, keys, strict=True):
        kept, _ = bernoulli_mask.forward(weight, 0.5, seed=seed, stream=stream, scale=1.0)
        twin.weight.data[...] = kept
        parts.append(twin(nn.Tensor(x[start : start + size])).data)
    assert_close(found[0], np.concatenate(parts), 1e-6)
    assert all(np.isfinite(each).all() and each.any() for each in found)


def test_b9_circular_padding_by_hand():
    conv = nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    nn.init.ones_(conv.weight)
    x = nn.tensor([[[1.0, 2.0, 4.0]]])
    for training in (True, False):
        assert nn.DropConnect(conv, 0.0).train(training)(x).tolist() == [[[7.0, 7.0, 7.0]]]
    assert nn.DropConnect(conv, 0.5).eval()(x).tolist() == [[[3.5, 3.5, 3.5]]]
    gaussian = nn.DropConnect(conv, 0.5, nn.ReLU(), samples=4000).eval()(x).data
    assert abs(gaussian - 3.5).max() < 0.2


def test_b9_hooks_and_a_forward_set_on_the_layer_are_called():
    layer = nn.Linear(4, 3)
    x = nn.randn(5, 4)
    layer.register_forward_hook(lambda module, arguments, output: output + 100)
    assert nn.DropConnect(layer, 0.0)(x).data.min() > 50
    other = nn.Linear(4, 3)
    other.forward = lambda t: t + 100
    assert_same_bits(nn.DropConnect(other, 0.0)(x).data, x.data + 100)
    with pytest.raises(TypeError, match="Linear: expected a forward that is a method of it"):
        nn.DropConnect(other, 0.5)(x)

    def doubled(self, t):
        return 2 * nn.Linear.forward(self, t)

    third = nn.Linear(4, 3)
    third.forward = doubled.__get__(third)
    half = nn.DropConnect(third, 0.5).eval()
    assert_close(half(x), (x @ third.weight.t() + 2 * third.bias).data, 1e-6)


@pytest.mark.parametrize("name", ["maxout", "maxout of convolutions", "own forward"])
def test_b10_what_is_not_linear_in_its_weight_has_no_gaussian_moments(name):
    make, shape = LAYERS[name]
    with pytest.raises(ValueError, match="expected inference 'mean' or 'monte_carlo' .* behind "):
        nn.DropConnect(make(), 0.5, nn.Tanh())
    for inference in ("mean", "monte_carlo"):
        layer = nn.DropConnect(make(), 0.5, nn.Tanh(), inference=inference, samples=2).eval()
        assert layer(nn.ones(5, *shape)).shape == layer.layer(nn.ones(5, *shape)).shape
