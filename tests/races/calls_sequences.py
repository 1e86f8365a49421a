"""Recurrent layers, attention, additive scores, tables of embeddings."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernels import additive_score, attention, embedding, gru, lstm, rnn
from kernels.additive_score import cpu as score_cpu
from kernels.embedding import cpu as embedding_cpu
from tests.races.calls_elements import Rng, Run, normal

Shape = tuple[int, ...]


def sequences() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    # steps, samples, inputs, hidden: samples that threads share out, one alone, several blocks.
    for shape in ((3, 7, 5, 33), (5, 1, 9, 40), (4, 2, 33, 17), (9, 150, 13, 20)):
        for op in (rnn, gru, lstm):
            yield f"{op.__name__.split('.')[-1]} {shape}", _recurrent(op, shape, {})
    shape = (5, 7, 9, 35)
    for name, op, options in (
        ("rnn, relu, reverse", rnn, {"nonlinearity": "relu", "reverse": True}),
        ("gru, reset before", gru, {"reset_after": False}),
    ):
        yield name, _recurrent(op, shape, options)
        yield f"{name}, padded", _recurrent(op, shape, options, padded=True)
    for options in ("projected", "peepholes", "padded", "projected peepholes padded"):
        yield f"lstm, {options}", _lstm(shape, options)
    for heads in (((3, 2), 37, 41, 16), ((1, 1), 300, 290, 33), ((5, 3), 65, 17, 40)):
        for causal in (False, True):
            yield f"{'causal ' * causal}attention {heads}", _attention(*heads, causal)
    yield "masked attention", _masked_attention()
    sizes = score_cpu._ALONE + 1
    for n, queries, keys, size in (
        (3, 7, 11, 65), (2, 1, sizes // 64, 32), (2, 1, sizes // 64 - 1, 32), (1, 20, 31, 128),
    ):  # fmt: skip
        yield f"additive score {n} {queries} {keys} {size}", _score(n, queries, keys, size)
    copies = embedding_cpu._SERIAL_COPIES_BELOW // 64
    for vocabulary, size, count in (
        (50, 64, copies - 1), (50, 64, copies), (1000, 33, 8001), (3, 129, 4001), (9001, 7, 100),
        (2, 700, 1000), (9001, 130, 57), (50, 8, 4045), (50, 8, 4046), (5000, 8, 9000),
    ):  # fmt: skip
        yield f"embedding {vocabulary} {size} {count}", _embedding(vocabulary, size, count)


def _recurrent(op: Any, shape: Shape, options: Any, padded: bool = False) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        steps, samples, inputs, hidden = shape
        rows = {rnn: 1, gru: 3, lstm: 4}[op] * hidden
        x, states = normal(rng, steps, samples, inputs), [normal(rng, samples, hidden)]
        if op is lstm:
            states.append(normal(rng, samples, hidden))
        weights = [normal(rng, rows, columns) / 6 for columns in (inputs, hidden)]
        biases = [normal(rng, rows) for _ in range(2)]
        lengths = rng.integers(1, steps + 1, samples) if padded else None
        dy, last = normal(rng, steps, samples, hidden), [np.ones_like(state) for state in states]

        def run() -> Any:
            outputs, saved = op.forward(x, *states, *weights, *biases, lengths=lengths, **options)
            return outputs, op.backward(dy, *last, saved)

        return run

    return make


def _lstm(shape: Shape, options: str) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        steps, samples, inputs, hidden = shape
        projected = 19 if "projected" in options else hidden
        x, h0, c0 = (
            normal(rng, *each)
            for each in ((steps, samples, inputs), (samples, projected), (samples, hidden))
        )
        weights = [normal(rng, 4 * hidden, columns) / 6 for columns in (inputs, projected)]
        given: dict[str, Any] = {}
        if "projected" in options:
            given["weight_hr"] = normal(rng, projected, hidden) / 6
        if "peephole" in options:
            given["peephole"] = normal(rng, 3, hidden)
        if "padded" in options:
            given["lengths"] = rng.integers(1, steps + 1, samples)
        biases = [normal(rng, 4 * hidden) for _ in range(2)]
        dy = normal(rng, steps, samples, projected)

        def run() -> Any:
            outputs, saved = lstm.forward(x, h0, c0, *weights, *biases, **given)
            return outputs, lstm.backward(dy, h0, c0, saved)

        return run

    return make


def _attention(
    leading: Shape, rows: int, keys: int, depth: int, causal: bool
) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        query, key, value, dy = (
            normal(rng, *leading, length, depth) for length in (rows, keys, keys, rows)
        )

        def run() -> Any:
            y, saved = attention.forward(query, key, value, causal=causal)
            return y, attention.backward(dy, saved)

        return run

    return make


def _masked_attention() -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        query, key, value = (normal(rng, 3, 5, length, 24) for length in (33, 70, 70))
        mask, lengths = rng.random((5, 33, 70)) < 0.7, np.array([70, 1, 33])

        def run() -> Any:
            y, saved = attention.forward(query, key, value, mask=mask, key_lengths=lengths)
            return y, attention.backward(y, saved)

        return run

    return make


def _score(n: int, queries: int, keys: int, size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        query, key, weight = (
            normal(rng, *shape) for shape in ((n, queries, size), (n, keys, size), (size,))
        )

        def run() -> Any:
            score, saved = additive_score.forward(query, key, weight)
            return score, additive_score.backward(score, saved)

        return run

    return make


def _embedding(vocabulary: int, size: int, count: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        ids, weight = rng.integers(0, vocabulary, count), normal(rng, vocabulary, size)
        dy = normal(rng, count, size)

        def run() -> Any:
            short = weight.copy()
            embedding.renormalize(ids, short, 0.9)
            y, saved = embedding.forward(ids, short, padding_idx=1, scale_grad_by_freq=True)
            return short, y, embedding.backward(dy, saved)

        return run

    return make


SEQUENCES = dict(sequences())
