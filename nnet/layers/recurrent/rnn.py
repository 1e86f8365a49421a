"""The simple recurrent layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from .checks import check_nonlinearity
from .stack import OneState, States

__all__ = ["RNN"]


class RNN(OneState):
    """A network with a memory: what its units were a step ago is part of their input.

    h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), for each step of a sequence with the same
    weights. Unrolled, it is a feedforward network as deep as the sequence is long, and
    backpropagation through time is backpropagation in that network: with a_t what tanh is of,

        da_t = (1 - h_t^2) (dy_t + W_hh' da_{t+1}),  dx_t = W_ih' da_t,
        dW_ih = sum_t da_t x_t',  dW_hh = sum_t da_t h_{t-1}'.

    On its way back over k steps a gradient is multiplied k times by W_hh' (and by 1 - h^2 <= 1).
    Where the spectral radius of W_hh is below 1 it vanishes like radius^k, above 1 it may explode
    (Bengio et al. 1994): clipping helps against the one, `LSTM` and `GRU` against the other.
    Training and use differ in dropout alone. Elman 1990; Werbos 1990.

    input_size     I, features of a step
    hidden_size    H, units
    num_layers     layers upon each other; each reads the outputs of the one below
    nonlinearity   "tanh" or "relu"
    bias           learn b_ih and b_hh
    batch_first    input and output are (N, T, ..) instead of (T, N, ..); states never are
    dropout        probability with which an output is dropped between layers, in training
    bidirectional  a second layer beside each one reads the sequence backwards; outputs are joined

    `forward(input, hx=None, lengths=None)` takes input (T, N, I), or (T, I) without a batch, and hx
    (D num_layers, N, H) with D directions, zeros if not given. It returns output (T, N, D H), the
    states of the last layer at every step, and h_n like hx, those of all layers after the last
    step. With `lengths`, N integers from 1 to T in any order, each sample ends at its own step:
    behind it the output is 0 and no gradient flows, h_n is the state at its end, and the backward
    direction starts there. What a sample gives does not depend on how far it is padded.

    Weights are named as PyTorch's: weight_ih_l0 (H, I), weight_hh_l0 (H, H), bias_ih_l0,
    bias_hh_l0, then those of l0_reverse and of l1; all uniform in +-1/sqrt(H) at first.

    Truncated backpropagation through time, for series without end: detach the state between
    pieces, so that its values go on and gradients stop.

    >>> import nnet as nn
    >>> layer = nn.RNN(3, 5)
    >>> h, pieces = None, nn.randn(60, 2, 3).split(20)
    >>> for piece in pieces:
    ...     output, h = layer(piece, h)
    ...     output.square().mean().backward()
    ...     h = h.detach()
    >>> output.shape, h.shape
    ((20, 2, 5), (1, 2, 5))

    Raises TypeError for other dtypes; ValueError for options, shapes of input and hx, and lengths
    that do not fit.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        common = bias, batch_first, dropout, bidirectional, device, dtype
        super().__init__(input_size, hidden_size, num_layers, *common)
        self.nonlinearity = nonlinearity

    def _layer(
        self, input: Tensor, states: States, ending: str, lengths: Any, reverse: bool
    ) -> States:
        return functional.rnn(
            input,
            *states,
            *self._weights(ending),
            nonlinearity=self.nonlinearity,
            lengths=lengths,
            reverse=reverse,
        )
