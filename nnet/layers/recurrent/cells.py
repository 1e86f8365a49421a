"""One step of a recurrent layer, for those who write the loop over time themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.check import check_tensors
from .checks import check_flags, check_nonlinearity, check_sizes, check_states
from .lstm import Pair, pair_of
from .units import Units

__all__ = ["RNNCell", "GRUCell", "LSTMCell"]


class RecurrentCell(Units):
    """What the cells share: weights, and checks of a step's input and states."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size)
        check_flags(name, bias=bias)
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), dtype))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), dtype))
        self.bias_ih = Parameter(np.empty(rows, dtype)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, dtype)) if bias else None
        self.to(device)
        self.reset_parameters()

    def macs(self, arguments: tuple, size: int) -> int:
        """Each weight multiplies once for every sample."""
        return size // self.hidden_size * (self.weight_ih.numel() + self.weight_hh.numel())

    def _weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def _step(self, input: Tensor, *given: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """The input as a sequence of one step (1, N, I), and states (N, H): zeros for None."""
        name = type(self).__name__
        states = dict(zip(("h_0", "c_0"), given, strict=False))
        check_tensors(name, weight=self.weight_ih, input=input, **states)
        shape = input.shape
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            raise ValueError(
                f"{name}: expected input of shape (N, {self.input_size}) or "
                f"({self.input_size},), got {shape}"
            )
        expected = (*shape[:-1], self.hidden_size)
        check_states(name, states, dict.fromkeys(states, expected))
        zeros = Tensor(np.zeros(expected, input.dtype))
        found = [
            (zeros if state is None else state).reshape(-1, self.hidden_size)
            for state in states.values()
        ]
        return input.reshape(1, -1, self.input_size), found

    def extra_repr(self) -> str:
        bias = "" if self.bias_ih is not None else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}"


class RNNCell(RecurrentCell):
    """One step of `RNN`: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), from x (N, I) and h (N, H).

    Or x (I,) and h (H,); h is zeros if not given. For the loops that `RNN` does not know, such as
    those that feed their output back. The same kernel runs, so the result is the same; over a
    whole sequence `RNN` is much faster.

    Raises TypeError for other dtypes, ValueError for options and shapes that do not fit.

    >>> import nnet as nn
    >>> cell, h = nn.RNNCell(3, 5), None
    >>> for x in nn.randn(7, 2, 3):
    ...     h = cell(x, h)
    >>> h.shape
    (2, 5)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, states = self._step(input, hx)
        _, h = functional.rnn(x, states[0], *self._weights(), nonlinearity=self.nonlinearity)
        return h.reshape(*input.shape[:-1], self.hidden_size)

    def extra_repr(self) -> str:
        plain = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if plain else f", nonlinearity={self.nonlinearity}")


class GRUCell(RecurrentCell):
    """One step of `GRU`, from x (N, I) and h (N, H) to h'; see `RNNCell`.

    >>> import nnet as nn
    >>> nn.GRUCell(3, 5)(nn.randn(2, 3), nn.zeros(2, 5)).shape
    (2, 5)
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        reset_after: bool = True,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.reset_after = reset_after

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, states = self._step(input, hx)
        _, h = functional.gru(x, states[0], *self._weights(), reset_after=self.reset_after)
        return h.reshape(*input.shape[:-1], self.hidden_size)

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.reset_after else ", reset_after=False")


class LSTMCell(RecurrentCell):
    """One step of `LSTM`, from x (N, I) and (h, c), each (N, H), to (h', c'); see `RNNCell`.

    >>> import nnet as nn
    >>> h, c = nn.LSTMCell(3, 5)(nn.randn(2, 3))
    >>> h.shape, c.shape
    ((2, 5), (2, 5))
    """

    gates = 4

    def forward(self, input: Tensor, hx: Pair | None = None) -> Pair:
        x, states = self._step(input, *pair_of("LSTMCell", hx))
        _, *last = functional.lstm(x, states[0], states[1], *self._weights())
        h, c = (each.reshape(*input.shape[:-1], self.hidden_size) for each in last)
        return h, c
