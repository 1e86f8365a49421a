"""Layers of recurrent units upon each other, in one direction or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional
from ...autograd.joining import cat, stack
from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from ...functional.recurrent import lengths_of
from .checks import check_states, samples_of
from .weights import RecurrentWeights

States = tuple[Tensor, ...]


class RecurrentStack(RecurrentWeights):
    """How data goes through RNN, LSTM and GRU.

    A kind of unit runs one layer in one direction in `_layer`.
    """

    def _state_sizes(self) -> dict[str, int]:
        return {"h_0": self.proj_size or self.hidden_size}

    def _layer(
        self, input: Tensor, states: States, ending: str, lengths: Any, reverse: bool
    ) -> States:
        """Outputs (T, N, ...) and the last states of one layer in one direction."""
        raise NotImplementedError

    def _run(
        self, input: Tensor, given: Sequence[Tensor | None], lengths: Any
    ) -> tuple[Tensor, list[Tensor]]:
        """The output, and each state behind the last step, in the shapes of the input."""
        batched = self._check(input, given)
        if not batched:
            input = input.unsqueeze(1)
            given = [None if each is None else each.unsqueeze(1) for each in given]
        elif self.batch_first:
            input = input.transpose(0, 1).contiguous()
        lengths = lengths_of(type(self).__name__, lengths, input)
        output, last = self._through(input, self._initial(input, given), lengths)
        if not batched:
            return output.squeeze(1), [each.squeeze(1) for each in last]
        return output.transpose(0, 1) if self.batch_first else output, last

    def _initial(self, input: Tensor, given: Sequence[Tensor | None]) -> list[Sequence[Tensor]]:
        """Of each state one for every layer and direction; zeros where none was given."""
        number = self.num_layers * (1 + self.bidirectional)
        return [
            [Tensor(np.zeros((input.shape[1], size), input.dtype))] * number
            if state is None
            else list(state)
            for state, size in zip(given, self._state_sizes().values(), strict=True)
        ]

    def _through(
        self, x: Tensor, states: list[Sequence[Tensor]], lengths: np.ndarray | None
    ) -> tuple[Tensor, list[Tensor]]:
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer:
                x = functional.dropout(x, self.dropout, self.training)
            ys = []
            for direction, ending in enumerate(self._endings(layer)):
                own = tuple(state[len(last)] for state in states)
                y, *rest = self._layer(x, own, ending, lengths, reverse=direction == 1)
                ys.append(y)
                last.append(tuple(rest))
            x = cat(ys, -1) if self.bidirectional else ys[0]
        return x, [stack(each) for each in zip(*last, strict=True)]

    def _check(self, input: Tensor, states: Sequence[Tensor | None]) -> bool:
        """Whether there is a batch; TypeError and ValueError for what does not fit."""
        name = type(self).__name__
        sizes = self._state_sizes()
        given = dict(zip(sizes, states, strict=True))
        check_tensors(name, weight=self.weight_ih_l0, input=input, **given)
        samples = samples_of(name, input.shape, self.input_size, self.batch_first)
        number = self.num_layers * (1 + self.bidirectional)
        check_states(name, given, {key: (number, *samples, size) for key, size in sizes.items()})
        return bool(samples)


class OneState(RecurrentStack):
    """Those with one state, unlike LSTM."""

    def forward(
        self, input: Tensor, hx: Tensor | None = None, lengths: Any = None
    ) -> tuple[Tensor, Tensor]:
        output, (h_n,) = self._run(input, (hx,), lengths)
        return output, h_n
