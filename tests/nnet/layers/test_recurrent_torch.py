"""Recurrent layers against PyTorch's: outputs, states and all gradients."""

import itertools

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

STEPS, SAMPLES, INPUTS, HIDDEN = 7, 3, 4, 5
LENGTHS = [4, 7, 1]

KINDS = {
    "tanh": ("RNN", {}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "LSTM": ("LSTM", {}),
    "projected LSTM": ("LSTM", {"proj_size": 3}),
    "GRU": ("GRU", {}),
}


def layers(kind, double=False, **options):
    """Ours and PyTorch's with the same weights."""
    name, given = KINDS[kind]
    torch.manual_seed(0)
    theirs, ours = (
        getattr(library, name)(INPUTS, HIDDEN, **given, **options) for library in (torch.nn, nn)
    )
    if double:
        theirs, ours = theirs.double(), ours.double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def uniform(seed, shape):
    return np.random.default_rng(seed).uniform(-1, 1, tuple(shape)).astype(np.float32)


def flat(found):
    """output, h_n (and c_n) in a row."""
    output, last = found
    return [output, *(last if isinstance(last, tuple) else (last,))]


def packed(theirs, x, state, lengths):
    first, utilities = theirs.batch_first, torch.nn.utils.rnn
    output, last = theirs(
        utilities.pack_padded_sequence(
            x, torch.tensor(np.asarray(lengths)), first, enforce_sorted=False
        ),
        state,
    )
    return utilities.pad_packed_sequence(output, first, total_length=STEPS)[0], last


def compare(ours, theirs, batched=True, stated=True, lengths=None, tolerance=1e-5):
    """Outputs, states and gradients of a weighted sum of them all."""
    rows = (SAMPLES,) if batched else ()
    shape = (STEPS, *rows, INPUTS)
    if batched and ours.batch_first:
        shape = (SAMPLES, STEPS, INPUTS)
    number = ours.num_layers * (1 + ours.bidirectional)
    sizes = [ours.proj_size or HIDDEN] + [HIDDEN] * isinstance(ours, nn.LSTM)
    dtype = ours.weight_ih_l0.dtype
    states = [uniform(i, (number, *rows, size)).astype(dtype) for i, size in enumerate(sizes)]
    results = []
    for library, layer in ((nn, ours), (torch, theirs)):
        x = library.tensor(uniform(9, shape).astype(dtype), requires_grad=True)
        hx = [library.tensor(state, requires_grad=True) for state in states]
        state = (tuple(hx) if len(hx) == 2 else hx[0]) if stated else None
        if lengths is None:
            found = layer(x, state)
        elif library is nn:
            found = layer(x, state, lengths=lengths)
        else:
            found = packed(layer, x, state, lengths)
        values = flat(found)
        total = sum(
            (value * library.tensor(uniform(20 + i, value.shape).astype(dtype))).sum()
            for i, value in enumerate(values)
        )
        layer.zero_grad()
        total.backward()
        leaves = [x, *(hx if stated else []), *layer.parameters()]
        results.append((values, [leaf.grad for leaf in leaves]))
    for one, other in zip(*results, strict=True):
        for mine, reference in zip(one, other, strict=True):
            assert_close(mine, reference.detach().numpy(), tolerance)


@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_i1_layers_directions_and_biases_are_pytorchs(kind, num_layers):
    for both, first, bias in itertools.product((False, True), repeat=3):
        options = {"bidirectional": both, "batch_first": first, "bias": bias}
        compare(*layers(kind, num_layers=num_layers, **options))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_i1_lengths_in_any_order_are_pytorchs_packed_sequences(kind, first):
    pair = layers(kind, num_layers=2, bidirectional=True, batch_first=first)
    compare(*pair, lengths=LENGTHS)
    compare(*pair, lengths=np.array(LENGTHS, np.int32), stated=False)
    compare(*layers(kind, batch_first=first), lengths=nn.tensor(LENGTHS))


@pytest.mark.parametrize("kind", KINDS)
def test_i1_float64_is_pytorchs(kind):
    pair = layers(kind, double=True, num_layers=2, bidirectional=True)
    compare(*pair, tolerance=1e-10)
    compare(*pair, lengths=LENGTHS, tolerance=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_i1_input_without_a_batch_and_without_a_state_is_pytorchs(kind):
    pair = layers(kind, num_layers=2, bidirectional=True, batch_first=True)
    compare(*pair, batched=False)
    compare(*pair, batched=False, stated=False)
    compare(*pair, stated=False)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_print_and_start_as_pytorchs(kind):
    options = {"num_layers": 2, "bidirectional": True, "batch_first": True, "dropout": 0.25}
    ours, theirs = layers(kind, bias=False, **options)
    assert repr(ours) == repr(theirs)
    assert repr(layers(kind)[0]) == repr(layers(kind)[1])
    name, given = KINDS[kind]
    nn.manual_seed(0)
    wide = getattr(nn, name)(50, 64, **given)
    for parameter in wide.parameters():
        assert abs(parameter.data).max() <= 1 / 8
        if parameter.ndim == 2:
            assert parameter.data.std() == pytest.approx(1 / 8 / 3**0.5, rel=0.1)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", ["RNNCell", "RNNCell relu", "LSTMCell", "GRUCell"])
def test_cells_are_pytorchs(name, bias):
    name, *rest = name.split()
    options = {"bias": bias} | ({"nonlinearity": rest[0]} if rest else {})
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(INPUTS, HIDDEN, **options)
    ours = getattr(nn, name)(INPUTS, HIDDEN, **options)
    ours.load_state_dict(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    pairs = name == "LSTMCell"
    for rows, stated in itertools.product(((), (SAMPLES,)), (False, True)):
        results = []
        for library, cell in ((nn, ours), (torch, theirs)):
            x = library.tensor(uniform(0, (STEPS, *rows, INPUTS)), requires_grad=True)
            hx = [
                library.tensor(uniform(1 + i, (*rows, HIDDEN)), requires_grad=True)
                for i in range(2 if pairs else 1)
            ]
            state = (tuple(hx) if pairs else hx[0]) if stated else None
            for step in range(STEPS):
                state = cell(x[step], state)
            values = list(state) if pairs else [state]
            cell.zero_grad()
            sum((v * library.tensor(uniform(9, v.shape))).sum() for v in values).backward()
            leaves = [x, *(hx if stated else []), *cell.parameters()]
            results.append((values, [leaf.grad for leaf in leaves]))
        for one, other in zip(*results, strict=True):
            for mine, reference in zip(one, other, strict=True):
                assert_close(mine, reference.detach().numpy(), 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch_is_pytorchs(kind):
    ours, theirs = layers(kind, bidirectional=True)
    x = nn.zeros(STEPS, 0, INPUTS, requires_grad=True)
    mine = flat(ours(x))
    for one, other in zip(mine, flat(theirs(torch.zeros(STEPS, 0, INPUTS))), strict=True):
        assert one.shape == tuple(other.shape)
    sum(each.sum() for each in mine).backward()
    assert x.grad.shape == x.shape
    assert all(not parameter.grad.data.any() for parameter in ours.parameters())


def test_i1_truncated_backpropagation_is_pytorchs():
    ours, theirs = layers("LSTM", num_layers=2)
    gradients = []
    for library, layer in ((nn, ours), (torch, theirs)):
        pieces = library.tensor(uniform(0, (3 * STEPS, SAMPLES, INPUTS))).split(STEPS)
        state = None
        for piece in pieces:
            output, state = layer(piece, state)
            (output * output).sum().backward()
            state = tuple(each.detach() for each in state)
        gradients.append([parameter.grad for parameter in layer.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert_close(one, other.numpy(), 1e-5)
