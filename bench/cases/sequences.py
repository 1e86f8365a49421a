"""Recurrent layers, attention and embeddings."""

import math
from types import ModuleType

import numpy as np

from bench.case import Case, Work
from bench.cases.shapes import FLOAT, Shape, normal, times
from bench.contenders import additive_score, attention, embedding, gru, lstm, multi_head, rnn


def _recurrent(
    op: str,
    gates: int,
    shape: tuple[int, int, int, int],
    contenders: ModuleType,
    states: tuple[str, ...] = ("h0",),
    small: bool = False,
) -> Case:
    """A layer of (T, N, I, H): the flops of the products with x and with h, which are nearly all.

    states  names of the first states, each (N, H)
    """
    steps, samples, inputs, hidden = shape
    rows = gates * hidden
    flops = 2 * steps * samples * rows * (inputs + hidden)
    parameters = rows * (inputs + hidden + 2)
    x, y = steps * samples * inputs, (steps + len(states)) * samples * hidden
    return Case(
        op=op,
        shape=times(*shape),
        inputs=lambda rng: {
            "x": normal(rng, steps, samples, inputs),
            **{name: normal(rng, samples, hidden) for name in states},
            "weight_ih": normal(rng, rows, inputs) / hidden**0.5,
            "weight_hh": normal(rng, rows, hidden) / hidden**0.5,
            "bias_ih": normal(rng, rows) / hidden**0.5,
            "bias_hh": normal(rng, rows) / hidden**0.5,
            "dy": normal(rng, steps, samples, hidden),
        },
        forward=Work(flops, FLOAT * (x + parameters + y)),
        backward=Work(2 * flops, FLOAT * (2 * x + 2 * parameters + 2 * y)),
        contenders=contenders,
        small=small,
    )


def _attention(
    samples: int, heads: int, length: int, depth: int, causal: bool = False, small: bool = False
) -> Case:
    """Backward cannot do without four products; it makes five, since no weights are stored."""
    shape = samples, heads, length, depth
    pairs = samples * heads * length * (length + 1 if causal else 2 * length) // 2
    size = FLOAT * math.prod(shape)
    return Case(
        op="attention",
        variant="causal" if causal else "",
        shape=times(*shape),
        inputs=lambda rng: {name: normal(rng, *shape) for name in ("query", "key", "value", "dy")},
        options={"causal": causal},
        forward=Work(pairs * (4 * depth + 3), 4 * size),
        backward=Work(pairs * (8 * depth + 4), 8 * size),
        contenders=attention,
        small=small,
    )


def _multi_head(samples: int, length: int, width: int, heads: int, small: bool = False) -> Case:
    """Self-attention with its four projections, as a layer with its tape."""
    rows, weights = samples * length, 4 * width * width
    inner = _attention(samples, heads, length, width // heads)
    size = FLOAT * (2 * rows * width + weights + 4 * width)
    root = np.float32(math.sqrt(width))
    return Case(
        op="attention",
        variant=f"multi-head-{heads}",
        shape=times(samples, length, width),
        inputs=lambda rng: {
            "x": normal(rng, length, samples, width),
            "in_weight": normal(rng, 3 * width, width) / root,
            "in_bias": normal(rng, 3 * width),
            "out_weight": normal(rng, width, width) / root,
            "out_bias": normal(rng, width),
            "dy": normal(rng, length, samples, width),
        },
        options={"heads": heads},
        forward=inner.forward + Work(2 * rows * weights, size),
        backward=inner.backward + Work(4 * rows * weights, size),
        contenders=multi_head,
        small=small,
    )


def _additive_score(n: int, queries: int, keys: int, size: int, small: bool = False) -> Case:
    """Sum, tanh, product, sum of all pairs; backward takes the tanh and does 8 more."""
    pairs, rows = n * queries * keys, n * (queries + keys)
    moved = FLOAT * (rows * size + size + pairs)
    return Case(
        op="additive_score",
        shape=times(n, queries, keys, size),
        inputs=lambda rng: {
            "query": normal(rng, n, queries, size),
            "key": normal(rng, n, keys, size),
            "weight": normal(rng, size),
            "dscore": normal(rng, n, queries, keys),
        },
        forward=Work(4 * pairs * size, moved),
        backward=Work(8 * pairs * size, moved + FLOAT * (rows * size + size)),
        contenders=additive_score,
        small=small,
    )


def _embedding(vocabulary: int, size: int, ids: Shape, small: bool = False) -> Case:
    """Rows are read and written; their gradients are added to a table of zeros."""
    count = math.prod(ids)
    return Case(
        op="embedding",
        shape=f"{times(*ids)}-of-{times(vocabulary, size)}",
        inputs=lambda rng: {
            "ids": rng.integers(0, vocabulary, ids),
            "weight": normal(rng, vocabulary, size),
            "dy": normal(rng, *ids, size),
        },
        forward=Work(0, 2 * FLOAT * count * size + 8 * count),
        backward=Work(count * size, FLOAT * size * (count + vocabulary) + 8 * count),
        contenders=embedding,
        small=small,
    )


SEQUENCES = (
    (28, 64, 28, 128),
    (100, 32, 64, 128),
    (784, 64, 1, 128),
    (100, 32, 256, 256),
    (50, 128, 512, 512),
    (100, 1, 128, 128),
)

RNN = tuple(_recurrent("rnn", 1, each, rnn, small=each[0] == 28) for each in SEQUENCES)

LSTM = tuple(
    _recurrent("lstm", 4, each, lstm, states=("h0", "c0"), small=each[0] == 28)
    for each in SEQUENCES
)

GRU = tuple(_recurrent("gru", 3, each, gru, small=each[0] == 28) for each in SEQUENCES)

ATTENTION = (
    _attention(32, 4, 64, 32, small=True),
    _attention(32, 4, 256, 32),
    _attention(32, 4, 64, 32, causal=True, small=True),
    _attention(32, 4, 256, 32, causal=True),
    _multi_head(32, 64, 128, 4, small=True),
)

ADDITIVE_SCORE = (
    _additive_score(32, 20, 20, 128, small=True),
    _additive_score(32, 1, 50, 256, small=True),
    _additive_score(32, 50, 50, 256),
)

EMBEDDING = (
    _embedding(64, 64, (32, 100), small=True),
    _embedding(50_000, 128, (32, 100)),
)
