"""Long short-term memory, plain and with peepholes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.joining import stack
from ...autograd.tensor import Tensor
from .stack import RecurrentStack, States

__all__ = ["LSTM", "PeepholeLSTM"]

Pair = tuple[Tensor, Tensor]


class LSTM(RecurrentStack):
    """Units with a cell that is added to instead of rewritten: long short-term memory.

        i, f, o = sigmoid(W_i x + b_i + U_i h + d_i), ...   what to write, to keep, to show
        g = tanh(W_g x + b_g + U_g h + d_g)                 what might be written
        c' = f * c + i * g
        h' = o * tanh(c')

    From c' to c the gradient is multiplied by f alone, by no matrix and no tanh': where f stays at
    1 an error comes back over a thousand steps unchanged (the constant error carousel), which the
    gradient of `RNN` does not. The first version had no f; without it cells only ever grow. Many
    start with f open: write 1 into that quarter of a bias.

    proj_size  P > 0: h' = W_hr (o * tanh(c')) has P features instead of H, which saves work where
               cells are many (Sak et al. 2014); 0 for none

    The rest is as in `RNN`, but there are two states: `forward(input, hx=None, lengths=None)`
    takes hx = (h_0, c_0), (D num_layers, N, P or H) and (D num_layers, N, H), and returns output,
    (h_n, c_n). For truncated backpropagation, detach both. Rows of the weights are those of
    i, f, g, o: weight_ih_l0 (4 H, I), weight_hh_l0 (4 H, P or H), biases (4 H,), and weight_hr_l0
    (P, H) with a projection. Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000.

    >>> import nnet as nn
    >>> layer = nn.LSTM(3, 5, batch_first=True)
    >>> output, (h_n, c_n) = layer(nn.randn(2, 7, 3), lengths=[7, 4])
    >>> output.shape, h_n.shape, output[1, 4:].detach().abs().max()
    ((2, 7, 5), (1, 2, 5), tensor(0.))
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        common = bias, batch_first, dropout, bidirectional, device, dtype
        super().__init__(input_size, hidden_size, num_layers, *common, proj_size)

    def forward(
        self, input: Tensor, hx: Pair | None = None, lengths: Any = None
    ) -> tuple[Tensor, Pair]:
        output, (h_n, c_n) = self._run(input, pair_of(type(self).__name__, hx), lengths)
        return output, (h_n, c_n)

    def _state_sizes(self) -> dict[str, int]:
        return super()._state_sizes() | {"c_0": self.hidden_size}

    def _layer(
        self, input: Tensor, states: States, ending: str, lengths: Any, reverse: bool
    ) -> States:
        return functional.lstm(
            input,
            *states,
            *self._weights(ending),
            weight_hr=getattr(self, f"weight_hr_{ending}") if self.proj_size else None,
            peephole=self._peephole(ending),
            lengths=lengths,
            reverse=reverse,
        )

    def _peephole(self, ending: str) -> Tensor | None:
        return None


class PeepholeLSTM(LSTM):
    """`LSTM` whose gates see the cell itself, not only what the output gate lets out of it.

        i = sigmoid(... + w_ci * c),  f = sigmoid(... + w_cf * c),  o = sigmoid(... + w_co * c')

    With o = 0 a plain unit's h is 0: its gates know nothing of what the cell holds. Through the
    peepholes they do, so such units learn precise intervals of time. w_ci, w_cf, w_co are one
    number a unit: a gate sees the cell of its own unit only. In the gradient c' gets w_co * do,
    and c gets w_ci * di + w_cf * df. All weights 0 is `LSTM`.

    As `LSTM`, with the weights weight_ci_l0, weight_cf_l0 and weight_co_l0, each (H,), after the
    others of a layer. Gers, Schraudolph & Schmidhuber 2002.

    >>> import nnet as nn
    >>> layer = nn.PeepholeLSTM(3, 5)
    >>> [name for name, _ in layer.named_parameters()][-3:]
    ['weight_ci_l0', 'weight_cf_l0', 'weight_co_l0']
    """

    def _weight_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        return super()._weight_shapes(inputs) | dict.fromkeys(PEEPHOLES, (self.hidden_size,))

    def _peephole(self, ending: str) -> Tensor | None:
        return stack([getattr(self, f"{name}_{ending}") for name in PEEPHOLES])


PEEPHOLES = ("weight_ci", "weight_cf", "weight_co")


def pair_of(name: str, hx: Any) -> tuple[Tensor | None, Tensor | None]:
    """The two states; TypeError for anything else than two."""
    if hx is None:
        return None, None
    if not isinstance(hx, tuple | list) or len(hx) != 2:
        raise TypeError(f"{name}: expected hx as (h_0, c_0), got {type(hx).__name__}")
    return hx[0], hx[1]
