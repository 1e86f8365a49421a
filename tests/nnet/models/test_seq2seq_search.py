"""Greedy and beam search on tables of probabilities, where all outputs can be listed."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest

from nnet.models.seq2seq import search

BOS, EOS, SIZE, LENGTH = 0, 1, 4, 4


class Prefixes(NamedTuple):
    """What each row wrote so far; the state of a model that is a table."""

    rows: tuple[tuple[int, ...], ...]

    def of(self, rows):
        return Prefixes(tuple(self.rows[row] for row in rows))


def log_probability(prefix):
    """Of the next token: anything, but always the same for the same prefix."""
    logits = np.random.default_rng([7, *prefix]).normal(0, 1.5, SIZE)
    return logits - np.log(np.exp(logits).sum())


def step(ids, state):
    rows = tuple((*prefix, int(id)) for prefix, id in zip(state.rows, ids, strict=True))
    weights = np.array([[len(row), ids[n]] for n, row in enumerate(rows)], np.float32)
    return np.array([log_probability(row) for row in rows]), weights, Prefixes(rows)


def rules(penalty=1.0, length=LENGTH):
    return search.Rules(BOS, EOS, length, penalty)


def start(samples, width=1):
    """Sample n begins with a prefix of its own."""
    return Prefixes(tuple((n,) for n in range(samples) for _ in range(width)))


def exhaustive(sample, penalty):
    """The best output that ends, of all."""
    best = None
    for length in range(1, LENGTH + 1):
        for tokens in itertools.product(range(SIZE), repeat=length - 1):
            if EOS in tokens:
                continue
            prefix, total = (sample, BOS), 0.0
            for token in (*tokens, EOS):
                total += log_probability(prefix)[token]
                prefix = (*prefix, token)
            score = total / length**penalty
            if best is None or score > best[1]:
                best = list(tokens), score
    return best


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
def test_i7_a_wide_beam_finds_the_best_of_all_outputs(penalty):
    samples, width = 5, SIZE**LENGTH
    found = search.beam(step, start(samples, width), samples, width, rules(penalty))
    for n, output in enumerate(found):
        tokens, score = exhaustive(n, penalty)
        assert output.tokens == tokens and output.ended
        assert output.score == pytest.approx(score)
        assert output.weights.tolist() == [
            [i + 2, token] for i, token in enumerate([BOS, *tokens][: len(tokens)])
        ]


def test_i7_a_beam_of_1_is_greedy():
    samples = 40
    for penalty, length in ((0.0, 3), (1.0, 6)):
        one = search.beam(step, start(samples), samples, 1, rules(penalty, length))
        other = search.greedy(step, start(samples), samples, rules(penalty, length))
        assert any(output.ended for output in one) and not all(output.ended for output in one)
        for a, b in zip(one, other, strict=True):
            assert a.tokens == b.tokens and a.ended == b.ended
            assert a.score == pytest.approx(b.score)
            np.testing.assert_array_equal(a.weights, b.weights)


def test_i7_greedy_takes_the_most_likely():
    (found,) = search.greedy(step, start(1), 1, rules(length=9))
    prefix, total = (0, BOS), 0.0
    for token in [*found.tokens, EOS][:9]:
        assert token == log_probability(prefix).argmax()
        total += log_probability(prefix).max()
        prefix = (*prefix, token)
    assert found.score == pytest.approx(total / (len(found.tokens) + found.ended))


def test_i7_wider_beams_are_seldom_worse():
    """Of the mean over many samples that end; a single one can be, since a beam forgets."""
    samples = 60
    found = [search.beam(step, start(samples, w), samples, w, rules(length=12)) for w in (1, 3, 20)]
    ended = [n for n in range(samples) if all(outputs[n].ended for outputs in found)]
    means = [np.mean([outputs[n].score for n in ended]) for outputs in found]
    assert len(ended) > 30 and means[0] < means[1] < means[2]


def test_i7_a_sample_does_not_see_the_others():
    together = search.beam(step, start(4, 3), 4, 3, rules())
    for n in range(4):
        (alone,) = search.beam(step, Prefixes(((n,),) * 3), 1, 3, rules())
        assert alone.tokens == together[n].tokens and alone.score == together[n].score


def test_i7_without_weights_and_without_an_end():
    def endless(ids, state):
        probability, _, state = step(ids, state)
        probability[:, EOS] = -np.inf
        return probability, None, state

    for found in (
        search.greedy(endless, start(2), 2, rules()),
        search.beam(endless, start(2, 3), 2, 3, rules()),
    ):
        for output in found:
            assert len(output.tokens) == LENGTH and not output.ended and output.weights is None
