"""How a model writes: greedily, or with a beam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...autograd.recording import no_grad
from ...layers.attention.score_attention import Memory
from ...module.modes import evaluating
from ...module.module import Module
from . import search
from .checks import check_whole
from .decoder import Decoder, State


class Decoding(Module):
    """What of `Seq2Seq` searches for an output."""

    decoder: Decoder
    bos: int
    eos: int

    def _read(self, source: Any, source_lengths: Any) -> tuple[State, Memory | None]:
        """Where the decoder starts, and what it can attend to."""
        raise NotImplementedError

    def greedy(
        self,
        source: Any,
        source_lengths: Any = None,
        max_length: int = 100,
        length_penalty: float = 1.0,
    ) -> list[search.Decoded]:
        """Write the most likely token, then the most likely one after it, up to `eos`.

        One output for each sample; `max_length` counts tokens, `eos` included. Dropout is off.
        """
        check_whole(max_length=max_length)
        rules = search.Rules(self.bos, self.eos, max_length, length_penalty)
        return self._search(
            source,
            source_lengths,
            lambda step, state, samples: search.greedy(step, state, samples, rules),
        )

    def beam(
        self,
        source: Any,
        source_lengths: Any = None,
        beam: int = 5,
        max_length: int = 100,
        length_penalty: float = 1.0,
    ) -> list[search.Decoded]:
        """Follow the `beam` most likely beginnings at once; the best output of each sample.

        length_penalty  outputs compete by log P / length^length_penalty: every token makes an
                        output less likely, so with 0 short ones win; 1 compares means

        An output that ends leaves its place; a beam of 1 is `greedy`. Dropout is off.
        """
        check_whole(beam=beam, max_length=max_length)
        rules = search.Rules(self.bos, self.eos, max_length, length_penalty)
        return self._search(
            source,
            source_lengths,
            lambda step, state, samples: search.beam(step, state, samples, beam, rules),
            beam,
        )

    def _search(
        self,
        source: Any,
        source_lengths: Any,
        search_with: Callable[..., list[search.Decoded]],
        width: int = 1,
    ) -> list[search.Decoded]:
        with evaluating(self), no_grad():
            state, memory = self._read(source, source_lengths)

            def step(ids: np.ndarray, state: State) -> tuple:
                vectors, weights, state = self.decoder.run(ids[None], state, memory)
                shares = None if weights is None else weights.data[0]
                return log_softmax(self.decoder.out(vectors[0]).data), shares, state

            samples = state.hidden[0].shape[1]
            rows = np.repeat(np.arange(samples), width)
            found = search_with(step, state.of(rows), samples)
        if memory is None:
            return found
        return [
            each._replace(weights=each.weights[:, :length])
            for each, length in zip(found, memory.lengths, strict=True)
            if each.weights is not None
        ]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Along the last axis, in float64."""
    x = logits.astype(np.float64)
    x -= x.max(axis=-1, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
