"""The search for a likely output: greedy, and with a beam.

`step(ids, state)` says how a sequence may go on: from the last ids (M,) and the state of M rows,
log probabilities (M, V) of the next id, weights (M, S) or None, and the new state, of which
`state.of(rows)` picks rows. All rows of a sample lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[np.ndarray, Any], tuple[np.ndarray, np.ndarray | None, Any]]


class Decoded(NamedTuple):
    """An output and what is known of it.

    tokens   ids, without begin and end
    score    its log probability, end included, over its length to the power of the length penalty
    ended    whether it came to its end within max_length
    weights  (len(tokens), S): what was attended to for each token; None without attention
    """

    tokens: list[int]
    score: float
    ended: bool
    weights: np.ndarray | None


class Rules(NamedTuple):
    """How outputs begin and end, and what length is worth."""

    bos: int
    eos: int
    max_length: int
    length_penalty: float

    def score(self, total: float, length: int) -> float:
        return float(total) / length**self.length_penalty


def greedy(step: Step, state: Any, samples: int, rules: Rules) -> list[Decoded]:
    """Take the most likely id at every step, the first of several that are."""
    ids = np.full(samples, rules.bos, np.int64)
    totals, lengths = np.zeros(samples), np.zeros(samples, np.int64)
    running = np.ones(samples, bool)
    tokens: list[np.ndarray] = []
    shares: list[np.ndarray] = []
    while running.any() and len(tokens) < rules.max_length:
        log_probability, weights, state = step(ids, state)
        ids = log_probability.argmax(axis=1)
        totals += np.where(running, log_probability.max(axis=1), 0)
        lengths += running
        running &= ids != rules.eos
        tokens.append(ids)
        if weights is not None:
            shares.append(weights)
    found = []
    for n, length in enumerate(lengths):
        kept = int(length) if running[n] else int(length) - 1
        found.append(
            Decoded(
                [int(ids[n]) for ids in tokens[:kept]],
                rules.score(totals[n], int(length)),
                not running[n],
                np.stack([share[n] for share in shares])[:kept] if shares else None,
            )
        )
    return found


def beam(step: Step, state: Any, samples: int, width: int, rules: Rules) -> list[Decoded]:
    """Go on with the `width` most likely beginnings of each sample, and return the best output.

    An output that has ended gives up its place in the beam; the search is over when none is left.
    The best is the one with the highest score among those that ended, or of all if none did. A
    beam of one is `greedy`; one as wide as there are outputs finds the best of all.
    """
    ids = np.full(samples * width, rules.bos, np.int64)
    totals = np.full((samples, width), -np.inf)
    totals[:, 0] = 0
    places = np.full(samples, width)
    tokens = np.empty((samples, width, 0), np.int64)
    shares: np.ndarray | None = None
    best: list[Decoded | None] = [None] * samples
    first = np.arange(samples)[:, None] * width
    for length in range(1, rules.max_length + 1):
        log_probability, weights, state = step(ids, state)
        size = log_probability.shape[1]
        reached = (totals.reshape(-1, 1) + log_probability).reshape(samples, -1)
        order = np.argsort(-reached, axis=1, kind="stable")[:, :width]
        parents, ids = (first + order // size).reshape(-1), (order % size).reshape(-1)
        totals = np.take_along_axis(reached, order, axis=1)
        totals[np.arange(width) >= places[:, None]] = -np.inf
        before = tokens.reshape(samples * width, -1)[parents]
        tokens = np.concatenate([before, ids[:, None]], axis=1).reshape(samples, width, -1)
        shares = _longer(shares, weights, parents)
        ended = (ids.reshape(samples, width) == rules.eos) & (totals > -np.inf)
        for n, place in np.argwhere(ended):
            row = n * width + place
            score = rules.score(totals[n, place], length)
            held = best[n]
            if held is None or score > held.score:
                share = None if shares is None else shares[row, :-1]
                best[n] = Decoded(tokens[n, place, :-1].tolist(), score, True, share)
        places = places - ended.sum(axis=1)
        totals[ended] = -np.inf
        if not (totals > -np.inf).any():
            break
        state = state.of(parents)
    for n, found in enumerate(best):
        if found is None:
            place = int(totals[n].argmax())
            score = rules.score(totals[n, place], rules.max_length)
            share = None if shares is None else shares[n * width + place]
            best[n] = Decoded(tokens[n, place].tolist(), score, False, share)
    return [found for found in best if found is not None]


def _longer(
    shares: np.ndarray | None, weights: np.ndarray | None, parents: np.ndarray
) -> np.ndarray | None:
    """The weights of every row's tokens so far (M, length, S)."""
    if weights is None:
        return None
    last = weights[parents][:, None]
    return last if shares is None else np.concatenate([shares[parents], last], axis=1)
