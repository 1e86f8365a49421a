"""The sizes and weights of recurrent layers, by PyTorch's names."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from .checks import check_flags, check_sizes
from .units import Units


class RecurrentWeights(Units):
    """What RNN, LSTM and GRU consist of."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        device: str | None,
        dtype: npt.DTypeLike,
        proj_size: int = 0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_flags(name, bias=bias, batch_first=batch_first, bidirectional=bidirectional)
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"{name}: expected dropout from 0 to 1, got {dropout}")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{name}: expected proj_size from 0 to below hidden_size {hidden_size}, "
                f"got {proj_size}"
            )
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name}: dropout acts between layers, so dropout={dropout} does nothing with "
                "num_layers=1",
                stacklevel=3,
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        for layer in range(num_layers):
            for ending in self._endings(layer):
                for weight, shape in self._weight_shapes(self._inputs(layer)).items():
                    setattr(self, f"{weight}_{ending}", Parameter(np.empty(shape, dtype)))
        self.to(device)
        self.reset_parameters()

    def flatten_parameters(self) -> None:
        """Nothing, as in PyTorch on a CPU."""

    @property
    def output_size(self) -> int:
        """Features of the output: those of both directions."""
        return (self.proj_size or self.hidden_size) * (1 + self.bidirectional)

    def macs(self, arguments: tuple, size: int) -> int:
        """Each weight, of a matrix or a peephole, multiplies at every step of every sample."""
        weights = sum(
            math.prod(shape)
            for layer in range(self.num_layers)
            for name, shape in self._weight_shapes(self._inputs(layer)).items()
            for _ in self._endings(layer)
            if name.startswith("weight")
        )
        return size // self.output_size * weights

    def _inputs(self, layer: int) -> int:
        return self.output_size if layer else self.input_size

    def _endings(self, layer: int) -> Sequence[str]:
        both = f"l{layer}", f"l{layer}_reverse"
        return both if self.bidirectional else both[:1]

    def _weight_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        rows = self.gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, self.proj_size or self.hidden_size),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    def _weights(self, ending: str) -> list[Tensor | None]:
        """weight_ih, weight_hh, bias_ih, bias_hh."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")[: 4 if self.bias else 2]
        weights: list[Tensor | None] = [getattr(self, f"{name}_{ending}") for name in names]
        return weights if self.bias else [*weights, None, None]

    def extra_repr(self) -> str:
        shown = [str(self.input_size), str(self.hidden_size)]
        plain = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        shown += [
            f"{key}={getattr(self, key)}"
            for key, usual in plain.items()
            if getattr(self, key) != usual
        ]
        return ", ".join(shown)
