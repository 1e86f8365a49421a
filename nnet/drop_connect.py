"""The DropConnect layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import functional
from .conv import Conv1d, Conv2d
from .dropout import RandomInTraining
from .functional.masked_weights import Map
from .linear import Linear
from .module import Module
from .tape import no_grad
from .tensor import Tensor, record

INFERENCES = ("gaussian", "mean", "monte_carlo")


class DropConnect(RandomInTraining):
    """A linear layer or a convolution whose weights, not its inputs, are removed at random.

    In training y = a((M * W) x + b): each weight is kept with probability 1 - p, by a mask M of
    its own for each example. Dropout is the special case of masks whose columns are tied. With
    u = (M * W) x + b and g = dL/du the gradients see the same mask: dW = M * (g x'),
    dx = (M * W)' g.

    In use the average of a(u) over masks is wanted, and averaging behind the nonlinearity differs
    from the nonlinearity of the average. `inference` is one of

    "gaussian"     a(u) averaged over `samples` draws of u ~ N((1 - p) W x + b,
                   p (1 - p) (W * W)(x * x)), which are the moments of u over masks; without an
                   activation that is "mean" itself
    "mean"         a((1 - p) W x + b), the cheap one
    "monte_carlo"  a(u) averaged over `samples` draws of masks

    The first and the last draw from `nnet.random` in use too, and are not recorded.

    layer       Linear, Conv1d or Conv2d
    p           probability that a weight is dropped, 0 to below 1; the bias stays
    activation  a, a module or function; None for the identity
    share       how many successive examples have one mask: 1 as in the paper; None, one for the
                batch, is the fastest

    Raises TypeError for another layer, ValueError for the others. Wan et al. 2013.

    >>> import nnet as nn
    >>> layer = nn.DropConnect(nn.Linear(8, 4), p=0.5, activation=nn.ReLU())
    >>> layer(nn.ones(5, 8)).shape, layer.eval()(nn.ones(5, 8)).shape
    ((5, 4), (5, 4))
    """

    def __init__(
        self,
        layer: Module,
        p: float = 0.5,
        activation: Callable[[Tensor], Tensor] | None = None,
        *,
        share: int | None = 1,
        inference: str = "gaussian",
        samples: int = 100,
    ) -> None:
        super().__init__()
        if not isinstance(layer, Linear | Conv1d | Conv2d):
            raise TypeError(
                f"DropConnect: expected a Linear, Conv1d or Conv2d, got {type(layer).__name__}"
            )
        if not 0 <= p < 1:
            raise ValueError(f"DropConnect: expected p from 0 to below 1, got {p}")
        if inference not in INFERENCES:
            raise ValueError(
                f"DropConnect: expected inference as one of {INFERENCES}, got {inference!r}"
            )
        for name, value in (("share", 1 if share is None else share), ("samples", samples)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"DropConnect: expected {name} of at least 1, got {value!r}")
        self.layer = layer
        self.p = p
        self.activation = activation
        self.share = share
        self.inference = inference
        self.samples = samples

    def forward(self, input: Tensor) -> Tensor:
        axes = 2 if isinstance(self.layer, Linear) else self.layer.weight.ndim
        if input.ndim == axes - 1:
            return self.forward(input.unsqueeze(0)).squeeze(0)
        activation = self.activation or _identity
        drawn = self.p > 0 and self.activation is not None
        if self.training or not drawn or self.inference == "mean":
            return activation(self._map(input, self.training))
        if self.inference == "gaussian":
            layer = self.layer
            return functional.drop_connect_gaussian(
                self._function(), activation, input, layer.weight, layer.bias, self.p, self.samples
            )
        with no_grad():
            total: Any = 0.0
            for _ in range(self.samples):
                total = total + activation(self._map(input, True)).data.astype(np.float64)
        return record((total / self.samples).astype(input.dtype), ())

    def _map(self, input: Tensor, training: bool) -> Tensor:
        weight, bias = self.layer.weight, self.layer.bias
        return functional.drop_connect(
            self._function(), input, weight, bias, self.p, training, self.share
        )

    def _function(self) -> Map:
        layer = self.layer
        if isinstance(layer, Linear):
            return functional.linear
        convolve: Callable = functional.conv1d if isinstance(layer, Conv1d) else functional.conv2d
        options: Any = layer.stride, layer.padding, layer.dilation, layer.groups
        return lambda input, weight, bias: convolve(input, weight, bias, *options)

    def extra_repr(self) -> str:
        text = f"p={self.p}, share={self.share}, inference={self.inference!r}"
        return text if self.inference == "mean" else f"{text}, samples={self.samples}"


def _identity(input: Tensor) -> Tensor:
    return input
