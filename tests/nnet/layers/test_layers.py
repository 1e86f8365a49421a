"""Layers: their constructors, what they keep, and what they say of bad input."""

import numpy as np
import pytest

import nnet as nn
from kernels import matmul
from tests.helpers import assert_close, assert_same_bits

rng = np.random.default_rng(3)


def floats(*shape):
    return nn.Tensor(rng.normal(size=shape).astype(np.float32))


def test_a1_batch_norm_normalizes_each_channel_far_from_zero():
    layer = nn.BatchNorm1d(3)
    x = nn.Tensor(rng.normal(1e4, 0.1, (512, 3)).astype(np.float32))
    y = layer(x).data.astype(np.float64)
    var = x.data.astype(np.float64).var(0)
    assert_close(y.mean(0), np.zeros(3), 1e-3)
    assert_close(y.var(0), var / (var + 1e-5), 1e-3)


def test_a3_running_averages_by_momentum():
    layer = nn.BatchNorm2d(2, momentum=0.2)
    batches = [rng.normal(2, 3, (4, 2, 3, 3)).astype(np.float32) for _ in range(3)]
    mean, var = np.zeros(2), np.ones(2)
    for batch in batches:
        layer(nn.Tensor(batch))
        flat = batch.transpose(1, 0, 2, 3).reshape(2, -1).astype(np.float64)
        mean, var = 0.8 * mean + 0.2 * flat.mean(1), 0.8 * var + 0.2 * flat.var(1, ddof=1)
    assert_close(layer.running_mean, mean, 1e-6)
    assert_close(layer.running_var, var, 1e-6)
    assert layer.num_batches_tracked.item() == 3
    assert layer.running_mean.dtype == np.float32


def test_a3_plain_averages_without_momentum():
    layer = nn.BatchNorm1d(2, momentum=None)
    batches = [rng.normal(2, 3, (5, 2)) for _ in range(4)]
    for batch in batches:
        layer(nn.Tensor(batch.astype(np.float32)))
    assert_close(layer.running_mean, np.mean([b.mean(0) for b in batches], 0), 1e-6)
    assert_close(layer.running_var, np.mean([b.var(0, ddof=1) for b in batches], 0), 1e-5)


def test_a10_an_output_depends_on_its_batch_mates_in_training_only():
    layer = nn.BatchNorm1d(3)
    x, y = floats(4, 3), floats(4, 3)
    y.data[0] = x.data[0]
    assert not np.allclose(layer(x).data[0], layer(y).data[0])
    layer.eval()
    kept = layer.running_mean.tolist()
    assert (layer(x)[0] == layer(y)[0]).all() and layer.running_mean.tolist() == kept
    assert (layer(x[:1])[0] == layer(x)[0]).all()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm1d(3), (1, 3)),
        (nn.BatchNorm1d(3), (1, 3, 1)),
        (nn.BatchNorm2d(3), (1, 3, 1, 1)),
        (nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), (1, 3)),
    ],
)
def test_a3_one_value_a_channel_in_training_is_an_error(layer, shape):
    before = {name: value.tolist() for name, value in layer.state_dict().items()}
    with pytest.raises(ValueError, match="expected more than one value per channel in training"):
        layer(floats(*shape))
    assert {name: value.tolist() for name, value in layer.state_dict().items()} == before
    assert layer.eval()(floats(*shape)).shape == shape


def test_batch_norm_without_running_statistics_or_weights():
    layer = nn.BatchNorm1d(3, affine=False, track_running_stats=False)
    assert not layer.state_dict() and not list(layer.parameters())
    x = floats(8, 3)
    assert (layer(x) == layer.eval()(x)).all()
    assert abs(layer(x).mean(0).data).max() < 1e-6


def test_a9_a_constant_channel_gives_beta_and_finite_gradients():
    layer = nn.BatchNorm1d(2)
    layer.bias.data[...] = [3, 4]
    x = nn.ones(4, 2, requires_grad=True)
    y = layer(x)
    (y * y).sum().backward()
    assert y.tolist() == [[3, 4]] * 4 and np.isfinite(x.grad.data).all()


def test_a5_no_gradient_reaches_a_bias_under_batch_norm():
    linear, norm = nn.Linear(5, 3).double(), nn.BatchNorm1d(3).double()
    norm(linear(nn.Tensor(rng.normal(size=(16, 5))))).square().sum().backward()
    assert abs(linear.bias.grad.data).max() < 1e-10 < abs(linear.weight.grad.data).max()


def test_b2_dropout_layer_acts_in_training_only():
    layer = nn.Dropout(0.5)
    x = nn.ones(1000)
    assert set(layer(x).tolist()) == {0.0, 2.0}
    assert layer.eval()(x) is x


def test_b1_dropout_of_two_layers_and_two_calls_differ():
    one, other = nn.Dropout(), nn.Dropout()
    x = nn.ones(1000)
    masks = [one(x).data, one(x).data, other(x).data]
    assert all(not np.array_equal(masks[i], masks[j]) for i, j in [(0, 1), (0, 2), (1, 2)])


def test_c3_relu_has_no_gradient_at_zero_and_below():
    x = nn.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    nn.ReLU()(x).sum().backward()
    assert x.grad.tolist() == [0, 0, 1]


def test_c1_sigmoid_is_stable_and_flat_far_out():
    x = nn.tensor([-1000.0, -10.0, 10.0, 1000.0], requires_grad=True)
    y = nn.Sigmoid()(x)
    y.sum().backward()
    assert y.data[0] == 0 and y.data[3] == 1 and x.grad.data.max() < 5e-5
    assert_close(nn.Tanh()(x), 2 * nn.Sigmoid()(2 * x).data - 1, 1e-6)


def test_shapes_of_layers():
    x = floats(2, 3, 8, 8)
    assert nn.Conv2d(3, 6, 3, padding="same", groups=3)(x).shape == (2, 6, 8, 8)
    assert nn.Conv2d(3, 4, (3, 1), stride=(2, 1))(x[0]).shape == (4, 3, 8)
    assert nn.MaxPool2d(3, stride=2, padding=1)(x).shape == (2, 3, 4, 4)
    assert nn.AvgPool2d((2, 4))(x).shape == (2, 3, 4, 2)
    assert nn.AdaptiveAvgPool2d((None, 3))(x[0]).shape == (3, 8, 3)
    assert nn.Flatten()(x).shape == (2, 192) and nn.Flatten(0, 1)(x).shape == (6, 8, 8)
    assert nn.Unflatten(1, (3, 1))(x).shape == (2, 3, 1, 8, 8)
    assert nn.Identity(1, two=2)(x) is x and nn.Flatten(1, 1)(x) is x and x.flatten(2, -2) is x
    assert nn.Linear(8, 5, bias=False)(x).shape == (2, 3, 8, 5)
    assert_close(nn.Softmax(1)(x).sum(1), np.ones((2, 8, 8)), 1e-6)
    assert_close(nn.LogSoftmax(1)(x).exp(), nn.Softmax(1)(x).data, 1e-6)
    assert nn.Linear(2, 2, dtype=np.float64).weight.dtype == np.float64
    assert nn.Linear(0, 2).weight.shape == (2, 0)


def test_losses_as_layers_hand_their_options_on():
    x, labels = floats(4, 3), nn.tensor([0, 1, 2, 1])
    weight = nn.tensor([1.0, 2.0, 3.0])
    F = nn.functional
    options = {"ignore_index": 1, "reduction": "sum", "label_smoothing": 0.1}
    loss = nn.CrossEntropyLoss(weight, **options)
    assert loss(x, labels) == F.cross_entropy(x, labels, weight, **options)
    assert list(loss.state_dict()) == ["weight"] and not nn.CrossEntropyLoss().state_dict()
    del options["label_smoothing"]
    log = F.log_softmax(x, 1)
    assert nn.NLLLoss(weight, **options)(log, labels) == F.nll_loss(log, labels, weight, **options)
    assert nn.MSELoss(reduction="sum")(x, x * 0) == F.mse_loss(x, x * 0, reduction="sum")


BAD_OPTIONS = {
    "padding_mode": (
        lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"),
        "Conv2d: expected padding_mode",
    ),
    "padding": (
        lambda: nn.Conv2d(1, 1, 3, padding="half"),
        "Conv2d: expected padding as sizes, 'same' or 'valid', got 'half'",
    ),
    "same": (
        lambda: nn.Conv2d(1, 1, 3, padding="same", stride=2),
        r"Conv2d: expected stride 1 with padding 'same', got \(2, 2\)",
    ),
    "groups": (
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        "Conv2d: expected groups to divide in_channels 3 and out_channels 4, got 2",
    ),
    "stride": (
        lambda: nn.Conv2d(1, 1, 3, stride=0),
        r"Conv2d: expected stride of at least 1, got \(0, 0\)",
    ),
    "negative padding": (
        lambda: nn.Conv2d(1, 1, 3, padding=(0, -1)),
        r"Conv2d: expected padding of at least 0, got \(0, -1\)",
    ),
    "dropout": (lambda: nn.Dropout(1.1), r"Dropout: expected p from 0 to 1, got 1\.1"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_wrong_options_are_errors(name):
    call, message = BAD_OPTIONS[name]
    with pytest.raises(ValueError, match=message):
        call()


BAD_INPUTS = {
    "Linear": (nn.Linear(3, 2), (4, 5), r"linear: expected input of shape \(\.\.\., 3\), got"),
    "Conv2d": (nn.Conv2d(3, 2, 3), (4, 2, 8, 8), r"conv2d: expected .*3 channels"),
    "Conv2d axes": (nn.Conv2d(3, 2, 3), (8, 8), r"conv2d: expected input of shape .*got \(8, 8\)"),
    "BatchNorm1d": (
        nn.BatchNorm1d(3),
        (4, 3, 2, 2),
        r"BatchNorm1d: expected input of shape \(N, C\) or \(N, C, L\) with 3 channels, got",
    ),
    "BatchNorm2d": (
        nn.BatchNorm2d(3),
        (4, 2, 5, 5),
        r"BatchNorm2d: expected input of shape \(N, C, H, W\) with 3 channels, got \(4, 2, 5, 5\)",
    ),
    "BatchNorm2d axes": (nn.BatchNorm2d(3), (4, 3), r"BatchNorm2d: expected .*got \(4, 3\)"),
    "MaxPool2d": (nn.MaxPool2d(2), (4, 4), r"max_pool2d: expected input .*got \(4, 4\)"),
    "MaxPool2d small": (nn.MaxPool2d(3), (1, 1, 2, 2), r"max_pool2d: expected .*got \(1, 1, 2, 2"),
    "AvgPool2d": (nn.AvgPool2d(2), (4,), r"avg_pool2d: expected input .*got \(4,\)"),
    "AdaptiveAvgPool2d": (
        nn.AdaptiveAvgPool2d(1),
        (2, 2),
        r"adaptive_avg_pool2d: expected input .*got \(2, 2\)",
    ),
    "Unflatten": (nn.Unflatten(1, (2, 2)), (1, 5), r"cannot reshape array of size 5"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_wrong_shapes_at_every_layer(name):
    layer, shape, message = BAD_INPUTS[name]
    with pytest.raises(ValueError, match=message):
        layer(floats(*shape))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Linear(3, 2), (4, 3)),
        (nn.Conv2d(3, 2, 3), (4, 3, 8, 8)),
        (nn.BatchNorm1d(3), (4, 3)),
        (nn.BatchNorm2d(3), (4, 3, 5, 5)),
        (nn.Dropout(), (4, 3)),
        (nn.LeakyReLU(), (4, 3)),
        (nn.GELU(), (4, 3)),
        (nn.Softmax(1), (4, 3)),
        (nn.LogSoftmax(1), (4, 3)),
        (nn.MaxPool2d(2), (4, 3, 8, 8)),
        (nn.AvgPool2d(2), (4, 3, 8, 8)),
        (nn.AdaptiveAvgPool2d(1), (4, 3, 8, 8)),
        (nn.Sequential(nn.Linear(3, 2), nn.ReLU()), (4, 3)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_wrong_dtypes_and_types_at_every_layer(layer, shape):
    state = nn.random.get_state()
    with pytest.raises(TypeError, match="expected .* float32 or float64, got int64"):
        layer(nn.zeros(*shape, dtype=np.int64))
    with pytest.raises(TypeError, match="to be a tensor, got ndarray"):
        layer(np.zeros(shape, np.float32))
    if list(layer.parameters()):
        with pytest.raises(
            TypeError, match="expected weight of float64 like the rest, got float32"
        ):
            layer(nn.zeros(*shape, dtype=np.float64))
    assert nn.random.get_state() == state


@pytest.mark.parametrize("loss", [nn.CrossEntropyLoss(), nn.NLLLoss()])
def test_wrong_targets_at_every_loss(loss):
    x = floats(2, 4)
    with pytest.raises(ValueError, match=r"expected labels .*got 4"):
        loss(x, nn.tensor([4, 0]))
    with pytest.raises(ValueError, match=r"expected target of shape \(2,\) for input \(2, 4\)"):
        loss(x, nn.tensor([[1], [0]]))
    with pytest.raises(TypeError, match="expected target of an integer dtype, got bool"):
        loss(x, nn.tensor([True, False]))
    with pytest.raises(TypeError, match="expected input of float32 or float64, got int64"):
        loss(x.long(), nn.tensor([1, 0]))
    with pytest.raises(ValueError, match="expected target of shape"):
        nn.MSELoss()(x, x[0])


def test_linear_writes_its_gradient_where_the_optimizer_reads_it(monkeypatch):
    layer = nn.Linear(3, 3, bias=False)
    weight, x = layer.weight, nn.tensor([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]])
    optimizer = nn.optim.SGD(layer.parameters(), lr=0.0)

    def gradient(times):
        optimizer.zero_grad()
        y = x
        for _ in range(times):
            y = layer(y)
        y.sum().backward()
        return weight.grad.data

    once, twice = gradient(1).copy(), gradient(2).copy()
    optimizer.step()  # moves the weight into a buffer
    places = []
    backward = matmul.backward

    def spied(*arguments):
        places.append(arguments[3] is weight._home.gradient)
        return backward(*arguments)

    monkeypatch.setattr(matmul, "backward", spied)
    assert_same_bits(gradient(1), once)
    # The second use of a weight adds to what the first one wrote.
    assert_same_bits(gradient(2), twice)
    assert places == [True, True, False]
    kept = weight.grad
    assert_same_bits(gradient(1), once)
    assert not places[-1]
    assert_same_bits(kept.data, twice)
