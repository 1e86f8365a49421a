"""Gated recurrent units."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from .stack import OneState, States

__all__ = ["GRU"]


class GRU(OneState):
    """Units that choose at every step what to keep: gated recurrent units.

        r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)          reset: what of the past to look at
        z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)          update: what to keep
        n = tanh(W_in x + b_in + r * (W_hn h + b_hn))       the new proposal
        h' = (1 - z) * n + z * h

    Where z is 1 the state is copied, and so is its gradient: dh = z * dh' + what flows through n
    and the gates. That is the way around the vanishing gradient of `RNN`, with three sums a unit
    instead of the four of `LSTM`, and without a second state.

    reset_after  as above, the form of PyTorch and cuDNN; False for that of the paper, where the
                 reset comes before the product: n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)

    The rest is as in `RNN`, but rows of the weights are those of r, z, n: weight_ih_l0 (3 H, I),
    weight_hh_l0 (3 H, H), biases (3 H,). Cho et al. 2014.

    >>> import nnet as nn
    >>> output, h_n = nn.GRU(3, 5, num_layers=2, bidirectional=True)(nn.randn(7, 2, 3))
    >>> output.shape, h_n.shape
    ((7, 2, 10), (4, 2, 5))
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
        *,
        reset_after: bool = True,
    ) -> None:
        common = bias, batch_first, dropout, bidirectional, device, dtype
        super().__init__(input_size, hidden_size, num_layers, *common)
        self.reset_after = reset_after

    def _layer(
        self, input: Tensor, states: States, ending: str, lengths: Any, reverse: bool
    ) -> States:
        return functional.gru(
            input,
            *states,
            *self._weights(ending),
            reset_after=self.reset_after,
            lengths=lengths,
            reverse=reverse,
        )

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.reset_after else ", reset_after=False")
