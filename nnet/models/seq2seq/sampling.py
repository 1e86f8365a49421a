"""Scheduled sampling: training in which a decoder meets its own errors."""

from __future__ import annotations

import numpy as np

from ... import random
from ...autograd.joining import cat
from ...autograd.tensor import Tensor
from ...layers.attention.score_attention import Memory
from .decoder import Decoder, State
from .decoding import log_softmax


def sampled(
    decoder: Decoder, ids: np.ndarray, state: State, memory: Memory | None, teacher_forcing: float
) -> Tensor:
    """Logits (T - 1, N, V) of ids[1:], some inputs being what the decoder predicted.

    teacher_forcing  the probability that an input is the true one of ids (T, N); else it is drawn
                     by the probabilities of the step before

    Draws follow from `manual_seed`; no gradient flows through them. Bengio et al. 2015.
    """
    generator = random.generator()
    logits: list[Tensor] = []
    given = ids[0]
    for step in range(len(ids) - 1):
        vectors, _, state = decoder.run(given[None], state, memory)
        logits.append(decoder.out(vectors))
        sums = np.exp(log_softmax(logits[-1].data[0])).cumsum(axis=1)
        drawn = (sums < sums[:, -1:] * generator.random((len(sums), 1))).sum(axis=1)
        true = generator.random(len(sums)) < teacher_forcing
        given = np.where(true, ids[step + 1], drawn)
    return cat(logits)
