"""Encoder and decoder: one pass and step by step, search, bad input."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close, assert_same_bits

SOURCES, TARGETS, HIDDEN = 9, 7, 8

MODELS = {
    "plain": {"attention": None},
    "plain one way": {"attention": None, "bidirectional": False, "cell": "lstm"},
    "dot": {"attention": "dot", "num_layers": 2},
    "general": {},
    "concat": {"attention": "concat"},
    "local": {"local": 2},
    "fed": {"attention": "dot", "input_feeding": True},
    "bahdanau": {"attention": "bahdanau"},
    "bahdanau lstm": {"attention": "bahdanau", "cell": "lstm", "num_layers": 2},
}
EVERY = pytest.mark.parametrize("kind", MODELS)
ATTENTIVE = pytest.mark.parametrize("kind", [kind for kind in MODELS if "plain" not in kind])
STEPS = 3

SOURCE = np.array([[3, 4, 8], [5, 6, 0], [7, 0, 0], [3, 0, 0]])
TARGET = np.array([[1, 1, 1], [4, 5, 2], [3, 2, 0], [2, 0, 0]])
LENGTHS = np.array([4, 2, 1])


def model(kind, seed=0, **options):
    nn.manual_seed(seed)
    given = {"dtype": np.float64, **MODELS[kind], **options}
    found = nn.Seq2Seq(SOURCES, TARGETS, 5, HIDDEN, **given)
    for parameter in found.parameters():  # so that steps differ from each other
        parameter.data *= 2
    return found


@EVERY
def test_i7_the_whole_target_at_once_is_step_by_step(kind):
    network = model(kind)
    logits = network(SOURCE, TARGET, LENGTHS)
    assert logits.shape == (STEPS, 3, TARGETS)
    state, memory = network._read(SOURCE, LENGTHS)
    for step in range(STEPS):
        vectors, weights, state = network.decoder.run(TARGET[step : step + 1], state, memory)
        assert_close(network.decoder.out(vectors[0]).data, logits.data[step], 1e-12)
        assert (weights is None) == ("plain" in kind)


@EVERY
def test_i7_seq2seq_gradients_against_central_differences(kind):
    """Of a few elements of every parameter: all of them would take minutes."""
    network = model(kind)
    network.loss(SOURCE, TARGET, LENGTHS).backward()
    rng = np.random.default_rng(0)
    with nn.no_grad():
        for name, parameter in network.named_parameters():
            values, gradient = parameter.data.reshape(-1), parameter.grad.data.reshape(-1)
            for i in {int(np.abs(gradient).argmax()), int(rng.integers(values.size))}:
                before = values[i]
                values[i] = before + 1e-5
                above = network.loss(SOURCE, TARGET, LENGTHS).item()
                values[i] = before - 1e-5
                below = network.loss(SOURCE, TARGET, LENGTHS).item()
                values[i] = before
                assert gradient[i] == pytest.approx((above - below) / 2e-5, abs=1e-8), name


@EVERY
def test_i7_padding_and_other_samples_change_nothing(kind):
    network = model(kind)
    logits = network(SOURCE, TARGET, LENGTHS).data
    for n, length in enumerate(LENGTHS):
        source, target = SOURCE[:length, n : n + 1], TARGET[:, n : n + 1]
        assert_close(network(source, target).data[:, 0], logits[:, n], 1e-12)
    other = np.where(np.arange(4)[:, None] < LENGTHS, SOURCE, 5)
    assert_same_bits(network(other, TARGET, LENGTHS).data, logits)


def test_i7_padding_of_the_target_does_not_count():
    network = model("general")
    loss = network.loss(SOURCE, TARGET, LENGTHS).item()
    longer = np.concatenate([TARGET, np.zeros((2, 3), np.int64)])
    assert network.loss(SOURCE, longer, LENGTHS).item() == pytest.approx(loss, abs=1e-12)
    logits = network(SOURCE, TARGET, LENGTHS).data
    shares = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    counted = [(t, n) for t in range(STEPS) for n in range(3) if TARGET[t + 1, n]]
    assert loss == pytest.approx(-np.mean([shares[t, n, TARGET[t + 1, n]] for t, n in counted]))


@EVERY
def test_i7_seq2seq_batch_first(kind):
    network, other = model(kind), model(kind, batch_first=True)
    logits = network(SOURCE, TARGET, LENGTHS)
    assert_close(
        other(SOURCE.T, TARGET.T, LENGTHS).data, logits.data.transpose(1, 0, 2), tolerance=1e-12
    )
    loss = network.loss(SOURCE, TARGET, LENGTHS).item()
    assert other.loss(SOURCE.T, TARGET.T, LENGTHS).item() == pytest.approx(loss, abs=1e-12)
    assert other.greedy(SOURCE.T, LENGTHS, max_length=4)[0].tokens == (
        network.greedy(SOURCE, LENGTHS, max_length=4)[0].tokens
    )


@ATTENTIVE
def test_i7_weights_are_a_picture_of_the_alignment(kind):
    network = model(kind)
    weights = network.align(SOURCE, TARGET, LENGTHS)
    assert weights.shape == (STEPS, 3, 4)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-12)
    for n, length in enumerate(LENGTHS):
        assert not weights[:, n, length:].any()
    for found in (network.greedy(SOURCE, LENGTHS), network.beam(SOURCE, LENGTHS, max_length=9)):
        for output, length in zip(found, LENGTHS, strict=True):
            assert output.weights.shape == (len(output.tokens), length)
            np.testing.assert_allclose(output.weights.sum(axis=1), 1, rtol=1e-12)


@EVERY
def test_i7_greedy_is_a_beam_of_1_and_what_the_model_says(kind):
    network = model(kind, dropout=0.5) if kind == "dot" else model(kind)
    greedy = network.greedy(SOURCE, LENGTHS, max_length=6)
    beam = network.beam(SOURCE, LENGTHS, beam=1, max_length=6)
    assert network.training and network.decoder.training
    network.eval()
    for n, (one, other) in enumerate(zip(greedy, beam, strict=True)):
        assert one.tokens == other.tokens and one.ended == other.ended
        assert one.score == pytest.approx(other.score)
        written = [*one.tokens, *[2] * one.ended]
        target = np.array([[1, *written]]).T
        logits = network(SOURCE[: LENGTHS[n], n : n + 1], target).data[:, 0]
        assert logits.argmax(axis=1).tolist() == written
        shares = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        total = shares[np.arange(len(written)), written].sum()
        assert one.score == pytest.approx(total / len(written))


@EVERY
def test_i7_a_beam_finds_what_is_at_least_as_likely(kind):
    network = model(kind, eos=4)
    wide = network.beam(SOURCE, LENGTHS, beam=TARGETS**3, max_length=3)
    for width in (1, 3):
        found = network.beam(SOURCE, LENGTHS, beam=width, max_length=3)
        for one, best in zip(found, wide, strict=True):
            assert best.ended and (not one.ended or best.score >= one.score - 1e-9)


def test_i7_scheduled_sampling_draws_from_the_seed():
    network = model("general")

    def logits(forcing, seed=1):
        nn.manual_seed(seed)
        return network(SOURCE, TARGET, LENGTHS, teacher_forcing=forcing).data

    forced, half, none = logits(1.0), logits(0.5), logits(0.0)
    assert_same_bits(logits(0.5), half)
    assert_close(half[0], forced[0], 1e-12)
    assert np.abs(none[1:] - forced[1:]).max() > 1e-3
    assert any(np.abs(logits(0.5, seed) - half).max() > 1e-3 for seed in range(2, 6))
    assert_close(logits(1 - 1e-15), forced, 1e-12)


def test_i7_scheduled_sampling_draws_what_the_model_predicts():
    """With logits that are sure of one token, that token is the next input."""
    network = model("plain")
    network.decoder.out.weight.data *= 1e-3
    network.decoder.out.bias.data[5] = 99
    sampled = network(SOURCE, TARGET, LENGTHS, teacher_forcing=0.0)
    fives = np.concatenate([TARGET[:1], np.full((3, 3), 5)])
    assert_close(sampled.data, network(SOURCE, fives, LENGTHS).data, 1e-12)


def test_i7_scheduled_sampling_learns():
    network = model("general", dtype=np.float32)
    optimizer = nn.optim.Adam(network.parameters(), lr=0.02)
    losses = []
    for step in range(60):
        optimizer.zero_grad()
        loss = network.loss(SOURCE, TARGET, LENGTHS, teacher_forcing=20 / (20 + np.exp(step / 20)))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 < losses[0]
    outputs = network.greedy(SOURCE, LENGTHS)
    assert [output.tokens for output in outputs] == [[4, 3], [5], []]


def test_wrong_ids_and_lengths_are_named():
    network = model("general")
    with pytest.raises(ValueError, match=r"source ids from 0 to 8, got 9 at \(1, 2\)"):
        network(np.where(SOURCE == 0, 9, SOURCE), TARGET)
    with pytest.raises(ValueError, match=r"target ids from 0 to 6, got -1 at \(3, 0\)"):
        network(SOURCE, np.where(TARGET[:, :] == 2, -1, TARGET)[[0, 0, 0, 3]])
    with pytest.raises(ValueError, match="lengths from 1 to 4, got 0 for sample 1"):
        network.greedy(SOURCE, [4, 0, 1])
    with pytest.raises(ValueError, match="lengths from 1 to 4, got 5 for sample 0"):
        network(SOURCE, TARGET, [5, 1, 1])
    with pytest.raises(ValueError, match=r"lengths of shape \(3,\), got \(2,\)"):
        network(SOURCE, TARGET, [4, 1])
    with pytest.raises(TypeError, match="source of integers, got float64"):
        network(SOURCE * 1.0, TARGET)
    with pytest.raises(ValueError, match=r"source of shape \(T, N\) with at least one step, got"):
        network(SOURCE[:0], TARGET)
    with pytest.raises(ValueError, match=r"source of shape \(T, N\) .* got \(4,\)"):
        network.greedy(SOURCE[:, 0])
    with pytest.raises(ValueError, match="target of at least two steps"):
        network(SOURCE, TARGET[:1])
    with pytest.raises(ValueError, match="as many targets as sources, got 2 and 3"):
        network(SOURCE, TARGET[:, :2])
    with pytest.raises(ValueError, match="max_length of at least 1, got 0"):
        network.greedy(SOURCE, max_length=0)
    with pytest.raises(ValueError, match="beam of at least 1, got 0"):
        network.beam(SOURCE, beam=0)
    with pytest.raises(TypeError, match="beam as an integer, got 2.0"):
        network.beam(SOURCE, beam=2.0)
    with pytest.raises(ValueError, match="teacher_forcing from 0 to 1, got 1.5"):
        network(SOURCE, TARGET, teacher_forcing=1.5)
    with pytest.raises(ValueError, match="expected a model with attention"):
        model("plain").align(SOURCE, TARGET)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "cosine"}, "attention None or one of bahdanau, dot, .* got 'cosine'"),
        ({"attention": "bahdanau", "local": 2}, "local with Luong's attention, got 'bahdanau'"),
        ({"attention": "bahdanau", "input_feeding": False}, "'concat' has the same score"),
        ({"attention": None, "input_feeding": True}, "an attention for input_feeding=True"),
        ({"cell": "rnn"}, "a cell out of lstm, gru, got 'rnn'"),
        ({"hidden_size": 7}, "an even hidden_size for two directions, got 7"),
        ({"num_layers": 0}, "num_layers of at least 1, got 0"),
        ({"dropout": 2}, "dropout from 0 to 1, got 2"),
        ({"eos": 7}, "eos from 0 to 6, got 7"),
        ({"local": 0}, "local of at least 1, got 0"),
    ],
)
def test_wrong_options_are_named(options, message):
    given = {"embedding_size": 5, "hidden_size": 8, **options}
    with pytest.raises(ValueError, match=message):
        nn.Seq2Seq(SOURCES, TARGETS, **given)


def test_state_has_the_documented_names():
    names = set(model("bahdanau").state_dict())
    assert {
        "encoder.embedding.weight",
        "encoder.layers.weight_hh_l0_reverse",
        "decoder.layers.weight_ih_l0",
        "decoder.embedding.weight",
        "decoder.out.bias",
        "decoder.combine.weight",
        "decoder.attention.query_projection.weight",
    } <= names
    first, second = model("general"), model("general", seed=1)
    second.load_state_dict(first.state_dict())
    assert_same_bits(second(SOURCE, TARGET).data, first(SOURCE, TARGET).data)
