"""Recurrent layers: what they compute, what gradients become over time, and what they refuse."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from nnet import warmup
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
)

KINDS = {
    "tanh": (nn.RNN, {}),
    "relu": (nn.RNN, {"nonlinearity": "relu"}),
    "LSTM": (nn.LSTM, {}),
    "projected LSTM": (nn.LSTM, {"proj_size": 2}),
    "peephole LSTM": (nn.PeepholeLSTM, {}),
    "projected peephole LSTM": (nn.PeepholeLSTM, {"proj_size": 2}),
    "GRU": (nn.GRU, {}),
    "GRU before": (nn.GRU, {"reset_after": False}),
}


def layer_of(kind, inputs=3, hidden=4, **options):
    nn.manual_seed(3)
    factory, given = KINDS[kind]
    return factory(inputs, hidden, **given, **options)


def numbers(seed, *shape):
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def flat(found):
    """output, h_n (and c_n) in a row."""
    output, last = found
    return [output, *(last if isinstance(last, tuple) else (last,))]


def state_of(layer, samples, requires_grad=True):
    """A state that fits, as hx takes it."""
    number = layer.num_layers * (1 + layer.bidirectional)
    sizes = [layer.proj_size or layer.hidden_size]
    sizes += [layer.hidden_size] * isinstance(layer, nn.LSTM)
    states = [
        nn.tensor(numbers(50 + i, number, samples, size), dtype=layer.weight_ih_l0.dtype)
        for i, size in enumerate(sizes)
    ]
    for each in states:
        each.requires_grad_(requires_grad)
    return tuple(states) if len(states) == 2 else states[0]


def total(found):
    """A sum in which each output weighs something else."""
    return sum(
        (value * nn.tensor(numbers(80 + i, *value.shape), dtype=value.dtype)).sum()
        for i, value in enumerate(flat(found))
    )


def check_all_gradients(layer, x, lengths=None):
    """Of the input, the states and all weights, in float64, against central differences."""
    hx = state_of(layer, x.shape[1])
    x = nn.Tensor(x, requires_grad=True)
    total(layer(x, hx, lengths=lengths)).backward()
    leaves = [x, *(hx if isinstance(hx, tuple) else (hx,)), *layer.parameters()]
    for leaf in leaves:

        def value(moved, leaf=leaf):
            before, leaf.data = leaf.data, moved
            with nn.no_grad():
                result = total(layer(x, hx, lengths=lengths)).item()
            leaf.data = before
            return result

        assert_close(leaf.grad, central_differences(value, leaf.data), 1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_i1_i4_i5_gradients_through_time(kind):
    sizes = {"inputs": 2, "hidden": 3, "dtype": np.float64}
    layer = layer_of(kind, num_layers=2, bidirectional=True, **sizes)
    check_all_gradients(layer, numbers(0, 5, 3, 2), lengths=[3, 5, 1])
    check_all_gradients(layer_of(kind, bias=False, **sizes), numbers(1, 4, 2, 2))


def test_i2_gradients_vanish_and_explode_with_the_spectral_radius():
    width, steps = 64, 50
    matrix = np.random.default_rng(2).normal(size=(width, width))
    matrix /= abs(np.linalg.eigvals(matrix)).max()
    expected = {0.5: 2e-16, 0.9: 1.4e-3, 1.1: 31, 2.0: 3e14}
    for radius, size in expected.items():
        layer = nn.RNN(1, width, bias=False, dtype=np.float64)
        layer.weight_hh_l0.data[...] = radius * matrix
        # Around 0 tanh is the identity, so the network is linear.
        h0 = nn.zeros(1, width, width, dtype=np.float64, requires_grad=True)
        _, h_n = layer(nn.zeros(steps, width, 1, dtype=np.float64), h0)
        h_n.backward(np.eye(width)[None])
        assert_close(
            h0.grad.data[0] / size, np.linalg.matrix_power(radius * matrix, steps) / size, 1e-9
        )
        found = np.sqrt(np.square(h0.grad.data[0]).sum(1).mean())
        assert size / 2 < found < size * 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_i3_an_open_forget_gate_keeps_the_cell_and_its_gradient(dtype):
    layer = nn.LSTM(2, 3, dtype=dtype)
    for sums in (layer.bias_ih_l0.data, layer.weight_ih_l0.data, layer.weight_hh_l0.data):
        sums[:6] = 0
    layer.bias_hh_l0.data[:6] = [-1000] * 3 + [1000] * 3
    hx = state_of(layer, 4)
    _, (_, c_n) = layer(nn.tensor(numbers(0, 1000, 4, 2), dtype=dtype), hx)
    assert_same_bits(c_n.data, hx[1].data)
    gradient = numbers(1, 1, 4, 3).astype(dtype)
    c_n.backward(gradient)
    assert_same_bits(hx[1].grad.data, gradient)
    plain = nn.RNN(2, 3, dtype=dtype)
    plain.weight_hh_l0.data *= 0.5
    h0 = state_of(plain, 4)
    plain(nn.tensor(numbers(0, 1000, 4, 2), dtype=dtype), h0)[1].backward(gradient)
    assert abs(h0.grad.data).max() < 1e-30


def test_i4_with_the_output_gate_shut_the_others_still_see_the_cell():
    curvature = []
    for factory in (nn.LSTM, nn.PeepholeLSTM):
        nn.manual_seed(0)
        layer = factory(1, 3, dtype=np.float64)
        layer.bias_ih_l0.data[9:] = -1000
        x, h0 = nn.tensor(numbers(0, 6, 1, 1)), nn.zeros(1, 1, 3, dtype=np.float64)
        cells = [layer(x, (h0, h0 + start))[1] for start in (0.0, 1.0, 2.0)]
        assert not any(h.data.any() for h, _ in cells)
        none, one, two = (c.data for _, c in cells)
        # Gates that know nothing of the cell make the last cell affine in the first.
        curvature.append(abs(two - 2 * one + none).min())
        cells[1][1].sum().backward()
    assert curvature[0] < 1e-15 and curvature[1] > 1e-4
    assert layer.weight_ci_l0.grad.data.all() and layer.weight_cf_l0.grad.data.all()


def test_i4_peepholes_of_zero_are_a_plain_lstm():
    plain = layer_of("LSTM", num_layers=2, bidirectional=True)
    layer = layer_of("peephole LSTM", num_layers=2, bidirectional=True)
    assert layer.load_state_dict(plain.state_dict(), strict=False).missing_keys == [
        f"weight_{gate}_{ending}"
        for ending in ("l0", "l0_reverse", "l1", "l1_reverse")
        for gate in ("ci", "cf", "co")
    ]
    for name, parameter in layer.named_parameters():
        if "_c" in name:
            parameter.data.fill(0)
    x = nn.tensor(numbers(0, 5, 2, 3), dtype=np.float32)
    for one, other in zip(flat(layer(x)), flat(plain(x)), strict=True):
        assert_close(one, other, 1e-6)


@pytest.mark.parametrize("reset_after", [True, False])
def test_i5_the_gru_is_the_papers(reset_after):
    layer = nn.GRU(3, 4, reset_after=reset_after, dtype=np.float64)
    w, u = layer.weight_ih_l0.data.reshape(3, 4, 3), layer.weight_hh_l0.data.reshape(3, 4, 4)
    b, d = layer.bias_ih_l0.data.reshape(3, 4), layer.bias_hh_l0.data.reshape(3, 4)
    xs, h = numbers(0, 5, 3), np.zeros(4)
    output, _ = layer(nn.Tensor(xs))
    for x, found in zip(xs, output, strict=True):
        r, z = (1 / (1 + np.exp(-(w[k] @ x + b[k] + u[k] @ h + d[k]))) for k in (0, 1))
        past = r * (u[2] @ h + d[2]) if reset_after else u[2] @ (r * h) + d[2]
        n = np.tanh(w[2] @ x + b[2] + past)
        h = (1 - z) * n + z * h
        assert_close(found.detach(), h, 1e-12)
    cell = nn.GRUCell(3, 4, reset_after=reset_after, dtype=np.float64)
    cell.load_state_dict({name[:-3]: value for name, value in layer.state_dict().items()})
    state = None
    for x in nn.Tensor(xs):
        state = cell(x, state)
    assert_close(state.detach(), h, 1e-12)
    assert ("reset_after=False" in repr(layer)) == ("reset_after=False" in repr(cell))
    assert ("reset_after=False" in repr(layer)) != reset_after


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_the_same_bits_whatever_its_padding(kind):
    layer = layer_of(kind, num_layers=2, bidirectional=True)
    lengths, found = [5, 2, 9, 7], []
    data = [numbers(i, steps, 3).astype(np.float32) for i, steps in enumerate(lengths)]
    for padded in (9, 14):
        x = np.full((padded, 4, 3), np.nan, np.float32)
        for i, sample in enumerate(data):
            x[: len(sample), i] = sample
        x = nn.Tensor(x, requires_grad=True)
        layer.zero_grad()
        output, *last = flat(layer(x, lengths=lengths))
        sum(each.sum() for each in (output, *last)).backward()
        for i, steps in enumerate(lengths):
            assert not output.data[steps:, i].any() and not x.grad.data[steps:, i].any()
        gradients = [parameter.grad.data.copy() for parameter in layer.parameters()]
        values = [each.data for each in last]
        found.append([output.data[:9], x.grad.data[:9], *values, *gradients])
    assert_same_bits(*found)
    output, *last = flat(layer(nn.Tensor(data[1][:, None])))
    assert_close(found[0][0][:2, 1:2], output.data, 1e-6)
    assert_close(found[0][2][:, 1:2], last[0].data, 1e-6)


@pytest.mark.parametrize("kind", ["tanh", "LSTM", "GRU", "GRU before"])
def test_layers_are_the_same_bits_on_any_number_of_threads(kind):
    layer = layer_of(kind, inputs=24, hidden=40, num_layers=2, dropout=0.5)
    x = nn.tensor(numbers(0, 12, 33, 24), dtype=np.float32)
    hx = state_of(layer, 33)

    def run():
        nn.manual_seed(0)
        layer.zero_grad()
        found = layer(x, hx, lengths=1 + np.arange(33) % 12)
        total(found).backward()
        gradients = [parameter.grad.data.copy() for parameter in layer.parameters()]
        return [each.data for each in flat(found)] + gradients

    assert_same_bits_on_threads(run)


@pytest.mark.parametrize("kind", ["tanh", "LSTM", "GRU"])
def test_dropout_between_layers_is_the_librarys(kind):
    layer = layer_of(kind, num_layers=2, dropout=0.5)
    x = nn.tensor(numbers(0, 5, 2, 3), dtype=np.float32)
    nn.manual_seed(1)
    output, _ = layer(x)
    lower, upper = layer_of(kind), layer_of(kind, inputs=4)
    state = layer.state_dict()
    lower.load_state_dict({name: value for name, value in state.items() if "l0" in name})
    upper.load_state_dict(
        {name.replace("l1", "l0"): value for name, value in state.items() if "l1" in name}
    )
    nn.manual_seed(1)
    assert_same_bits(output.data, upper(F.dropout(lower(x)[0], 0.5))[0].data)
    layer.eval()
    assert_same_bits(layer(x)[0].data, upper(lower(x)[0])[0].data)
    mean, std = nn.monte_carlo(Output(layer), x, k=3)
    assert std.data.any() and mean.shape == output.shape
    with pytest.warns(UserWarning, match=r"dropout=0.5 does nothing with num_layers=1"):
        layer_of(kind, dropout=0.5)


class Output(nn.Module):
    """The first of what a layer returns."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]


@pytest.mark.parametrize("kind", ["tanh", "peephole LSTM", "GRU before"])
def test_i1_truncation_stops_the_gradient_and_keeps_the_state(kind):
    layer = layer_of(kind)
    x = nn.tensor(numbers(0, 12, 2, 3), dtype=np.float32, requires_grad=True)
    whole = layer(x)
    first, state = layer(x[:8])
    state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    second, last = layer(x[8:], state)
    for one, other in zip(flat((nn.cat([first, second]), last)), flat(whole), strict=True):
        assert_close(one, other, 1e-6)
    second.sum().backward()
    assert not x.grad.data[:8].any() and x.grad.data[8:].all()


@pytest.mark.parametrize("kind", ["tanh", "LSTM", "GRU"])
def test_one_output_is_enough_for_a_gradient(kind):
    layer = layer_of(kind, num_layers=2)
    x = nn.tensor(numbers(0, 5, 2, 3), dtype=np.float32)
    gradients = []
    for use in (lambda found: found[0][-1], lambda found: flat(found)[1][-1]):
        layer.zero_grad()
        use(layer(x)).square().sum().backward()
        gradients.append([parameter.grad.data.copy() for parameter in layer.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert_close(one, other, 1e-6)
    with nn.no_grad():
        assert not any(each.requires_grad for each in flat(layer(x)))
    layer.requires_grad_(False)
    assert not any(each.requires_grad for each in flat(layer(x)))


def test_weights_computed_from_others_are_read_anew():
    layer = nn.weight_norm(layer_of("LSTM"), "weight_hh_l0")
    x = nn.tensor(numbers(0, 5, 2, 3), dtype=np.float32)
    layer(x)[0].sum().backward()
    assert layer.weight_hh_l0_g.grad.data.all()


def test_a_recurrent_layer_whose_output_is_not_finite_is_named():
    model = Output(layer_of("LSTM"))
    model.layer.weight_hh_l0.data[0, 0] = np.nan
    batch = nn.ones(5, 2, 3), nn.zeros(5, 2, 4)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(nn.training.NonFiniteLoss, match=r"layer, a LSTM \(its weight_hh_l0 hold"):
        nn.fit(model, [batch], epochs=1, optimizer=optimizer, loss=F.mse_loss, progress=False)


@pytest.mark.parametrize("name", warmup.SEQUENCES)
def test_sequences_are_trained_for_a_moment_beforehand(name):
    warmup.train_a_moment(name)


SHAPES = {
    "another width": (nn.zeros(5, 2, 4), None, r"input of shape \(T, N, 3\) or \(T, 3\), got"),
    "four axes": (nn.zeros(1, 5, 2, 3), None, r"input of shape .*got \(1, 5, 2, 3\)"),
    "no step": (nn.zeros(0, 2, 3), None, r"input of at least one step, got shape \(0, 2, 3\)"),
    "no layers": (nn.zeros(5, 2, 3), nn.zeros(2, 4), r"h_0 of shape \(2, 2, 4\), got \(2, 4\)"),
    "a batch": (nn.zeros(5, 3), nn.zeros(2, 1, 4), r"h_0 of shape \(2, 4\), got \(2, 1, 4\)"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_do_not_fit(name):
    x, hx, message = SHAPES[name]
    with pytest.raises(ValueError, match=f"GRU: expected {message}"):
        nn.GRU(3, 4, bidirectional=True)(x, hx)


def test_states_that_do_not_fit():
    layer, x = nn.LSTM(3, 4, proj_size=2), nn.zeros(5, 2, 3)
    with pytest.raises(TypeError, match=r"LSTM: expected hx as \(h_0, c_0\), got Tensor"):
        layer(x, nn.zeros(1, 2, 4))
    with pytest.raises(ValueError, match=r"LSTM: expected c_0 of shape \(1, 2, 4\)"):
        layer(x, (nn.zeros(1, 2, 2), nn.zeros(1, 2, 2)))
    with pytest.raises(TypeError, match="LSTM: expected input of float32 like the rest"):
        layer(x.double())
    with pytest.raises(TypeError, match="LSTM: expected c_0 of float32 like the rest"):
        layer(x, (nn.zeros(1, 2, 2), nn.zeros(1, 2, 4, dtype=np.float64)))
    with pytest.raises(ValueError, match=r"LSTMCell: expected c_0 of shape \(2, 4\), got \(4,\)"):
        nn.LSTMCell(3, 4)(nn.zeros(2, 3), (nn.zeros(2, 4), nn.zeros(4)))
    with pytest.raises(ValueError, match=r"RNNCell: expected input of shape \(N, 3\) or \(3,\)"):
        nn.RNNCell(3, 4)(nn.zeros(5, 2, 3))


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([3, 0], ValueError, r"lengths from 1 to 5, got 0 for sample 1"),
        (nn.tensor([6, 5]), ValueError, r"lengths from 1 to 5, got 6 for sample 0"),
        ([3], ValueError, r"lengths of shape \(2,\), got \(1,\)"),
        (np.array([3.0, 2.0]), TypeError, "lengths to be integers, got float64"),
        ([True, True], TypeError, "lengths to be integers, got bool"),
    ],
)
def test_lengths_that_do_not_fit(lengths, error, message):
    with pytest.raises(error, match=f"RNN: expected {message}"):
        nn.RNN(3, 4)(nn.zeros(5, 2, 3), lengths=lengths)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hidden_size": 0}, ValueError, "hidden_size of at least 1, got 0"),
        ({"num_layers": 1.5}, TypeError, "num_layers to be an integer, got 1.5"),
        ({"bias": 0}, TypeError, "bias as True or False, got 0"),
        ({"batch_first": "yes"}, TypeError, "batch_first as True or False, got 'yes'"),
        ({"dropout": 1.5}, ValueError, "dropout from 0 to 1, got 1.5"),
        ({"proj_size": 4}, ValueError, "proj_size from 0 to below hidden_size 4, got 4"),
    ],
)
def test_options_that_are_refused(options, error, message):
    with pytest.raises(error, match=f"LSTM: expected {message}"):
        nn.LSTM(**({"input_size": 3, "hidden_size": 4} | options))


@pytest.mark.parametrize("factory", [nn.RNN, nn.RNNCell])
def test_another_nonlinearity_is_refused(factory):
    with pytest.raises(ValueError, match="expected nonlinearity 'tanh' or 'relu', got 'sin'"):
        factory(3, 4, nonlinearity="sin")
