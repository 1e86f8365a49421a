"""The model of two sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.recording import no_grad
from ...autograd.tensor import Tensor
from ...functional.recurrent import lengths_of
from ...layers.attention.score_attention import Memory
from .attention_decoder import AttentionDecoder, decoder_of
from .checks import (
    check_attention,
    check_ids,
    check_options,
    check_samples,
    check_teacher_forcing,
    check_whole,
    ids_of,
    target_of,
)
from .decoder import State
from .decoding import Decoding
from .encoder import Encoder
from .sampling import sampled
from .sizes import Sizes


class Seq2Seq(Decoding):
    """From one sequence to another of another length: translate, spell, reverse.

    An encoder reads the source x; a decoder, a language model of the target y that starts from
    the encoder's last state, writes P(y | x) = product over t of P(y_t | y_1 .. y_{t-1}, x). It is
    trained to continue the true beginning of y ("teacher forcing"), which takes one pass over
    the whole of y; in use it continues what it wrote itself, one step after the other. Without
    attention the last state must hold the whole source, and long ones are forgotten (Sutskever,
    Vinyals & Le 2014; Cho et al. 2014); with attention every step looks at all states of the
    encoder anew, and its weights show what aligns with what.

    A batch is source ids (S, N) with lengths and target ids (T, N), both padded, as
    `nn.data.PairDataset` makes them. Targets begin with `bos` and end with `eos`.

        forward(source, target, source_lengths) -> logits (T - 1, N, target_size) of target[1:]
        loss(source, target, source_lengths)    -> the mean cross entropy of a token
        greedy(source, source_lengths), beam(...) -> a `Decoded` for each sample

    source_size, target_size  of the vocabularies
    embedding_size            of both embeddings
    hidden_size               of the decoder's states, and of both encoder directions together
    num_layers                of the encoder, and of the decoder
    cell                      "gru" or "lstm"
    bidirectional             whether the encoder reads both ways; hidden_size must be even then
    attention                 None: the plain model
                              "dot", "general", "concat": `LuongAttention`, after the step
                              "bahdanau": `BahdanauAttention`, before the step
    local                     Luong's window D, or None for all of the source
    input_feeding             whether what was attended to goes into the next step: None for as in
                              the paper of Bahdanau, where it always does, and else not
    dropout                   of embeddings, between layers, and before the output layer
    pad, bos, eos             ids of the target that mean padding, begin and end
    batch_first               (N, S) and (N, T, ...) instead of (S, N) and (T, N, ...)

    Speed: with teacher_forcing = 1 the plain model and Luong's attention without input feeding run
    the whole target in one call of the recurrent kernel, and attend to the source for all steps at
    once. "bahdanau" and input_feeding=True go step by step, because an input depends on the step
    before, and so do scheduled sampling and the search.

    State: encoder.embedding.weight, encoder.layers.* and decoder.layers.* as `nn.GRU` or
    `nn.LSTM` name them, decoder.embedding.weight, decoder.out.weight and bias; with attention
    decoder.combine.weight and decoder.attention.* of `BahdanauAttention` or `LuongAttention`.

    Raises TypeError for ids, lengths and sizes that are no integers; ValueError for options that do
    not fit each other, ids outside the vocabulary (which are named), lengths below 1 or beyond S,
    a target of fewer than two steps, max_length and beam below 1.

    >>> import nnet as nn
    >>> model = nn.Seq2Seq(source_size=9, target_size=7, embedding_size=8, hidden_size=16)
    >>> source, target = nn.tensor([[3, 4], [5, 6], [7, 0]]), nn.tensor([[1, 1], [4, 5], [2, 2]])
    >>> model(source, target, source_lengths=[3, 2]).shape
    (2, 2, 7)
    >>> model.loss(source, target, source_lengths=[3, 2]).backward()
    >>> best = model.beam(source, source_lengths=[3, 2], beam=3, max_length=5)
    >>> len(best), best[1].weights.shape == (len(best[1].tokens), 2)
    (2, True)
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        embedding_size: int,
        hidden_size: int,
        num_layers: int = 1,
        cell: str = "gru",
        bidirectional: bool = True,
        attention: str | None = "general",
        local: int | None = None,
        input_feeding: bool | None = None,
        dropout: float = 0.0,
        pad: int = 0,
        bos: int = 1,
        eos: int = 2,
        batch_first: bool = False,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        check_whole(
            source_size=source_size,
            target_size=target_size,
            embedding_size=embedding_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
        )
        check_attention(attention, local, input_feeding)
        check_options(cell, hidden_size, bidirectional, dropout)
        check_ids(target_size, pad=pad, bos=bos, eos=eos)
        self.source_size, self.target_size = source_size, target_size
        self.pad, self.bos, self.eos = pad, bos, eos
        self.batch_first = batch_first
        source = Sizes(cell, source_size, embedding_size, hidden_size, num_layers, dropout, dtype)
        self.encoder = Encoder(source, bidirectional)
        target = source._replace(symbols=target_size)
        self.decoder = decoder_of(attention, local, input_feeding, target)
        self.to(device)

    def forward(
        self, source: Any, target: Any, source_lengths: Any = None, teacher_forcing: float = 1.0
    ) -> Tensor:
        """Logits (T - 1, N, target_size) of target[1:], each step after target up to there.

        teacher_forcing  the probability that a step's input is the true token; else it is drawn
                         from what the model predicted. Scheduled sampling (Bengio et al. 2015)
                         lowers it during training, say k / (k + exp(i / k)) at step i, so that the
                         model meets its own errors. Draws follow from `manual_seed`; no gradient
                         flows through them.

        Raises ValueError unless 0 <= teacher_forcing <= 1, and what the class says.
        """
        check_teacher_forcing(teacher_forcing)
        ids = self._target(target)
        state, memory = self._read(source, source_lengths, ids)
        if teacher_forcing == 1 or len(ids) == 2:
            vectors, _, _ = self.decoder.run(ids[:-1], state, memory)
            logits = self.decoder.out(vectors)
        else:
            logits = sampled(self.decoder, ids, state, memory, teacher_forcing)
        return logits.transpose(0, 1) if self.batch_first else logits

    def loss(
        self, source: Any, target: Any, source_lengths: Any = None, teacher_forcing: float = 1.0
    ) -> Tensor:
        """The mean cross entropy of the tokens target[1:], padding left out."""
        logits = self(source, target, source_lengths, teacher_forcing)
        ids = self._target(target)[1:]
        wanted = Tensor(np.ascontiguousarray(ids.T if self.batch_first else ids).reshape(-1))
        return functional.cross_entropy(
            logits.reshape(-1, self.target_size), wanted, ignore_index=self.pad
        )

    def align(self, source: Any, target: Any, source_lengths: Any = None) -> np.ndarray:
        """Weights (T - 1, N, S): where the model looks to predict target[1:].

        Raises ValueError for a model without attention.
        """
        if not isinstance(self.decoder, AttentionDecoder):
            raise ValueError("Seq2Seq.align: expected a model with attention")
        ids = self._target(target)
        with no_grad():
            state, memory = self._read(source, source_lengths, ids)
            _, weights, _ = self.decoder.run(ids[:-1], state, memory)
        assert weights is not None
        return weights.data.transpose(1, 0, 2) if self.batch_first else weights.data

    def _target(self, target: Any) -> np.ndarray:
        return target_of(target, self.target_size, self.batch_first)

    def _read(
        self, source: Any, source_lengths: Any, target: np.ndarray | None = None
    ) -> tuple[State, Memory | None]:
        """Where the decoder starts, and what it can attend to."""
        ids = ids_of("source", source, self.source_size, self.batch_first)
        if target is not None:
            check_samples(ids, target)
        lengths = lengths_of("Seq2Seq", source_lengths, Tensor(ids))
        states, hidden = self.encoder(ids, lengths)
        return self.decoder.start(hidden), self.decoder.memory_of(states, lengths)
