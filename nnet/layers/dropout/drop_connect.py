"""The DropConnect layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functional
from ...autograd.recording import no_grad
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ...functional.dropout.drop_connect import Map
from ...module.calls import is_linear, runs_own_forward
from ..linear import Linear
from ..weighted import Weighted
from .dropout import RandomInTraining

__all__ = ["DropConnect"]

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

    layer       Linear, a convolution, transposed or not, or a subclass, whose own forward runs
                with the masked weight; its hooks are called where nothing is dropped, p = 0
    p           probability that a weight is dropped, 0 to below 1; the bias stays
    activation  a, a module or function; None for the identity
    share       how many successive examples have one mask: 1 as in the paper; None, one for the
                batch, is the fastest

    Raises TypeError for another layer, and for a forward that was set on it and is no method of
    it; ValueError for the others, and for "gaussian" behind an activation where the layer's own
    forward, as Maxout's, is not linear in its weight. Wan et al. 2013.

    >>> import nnet as nn
    >>> layer = nn.DropConnect(nn.Linear(8, 4), p=0.5, activation=nn.ReLU())
    >>> layer(nn.ones(5, 8)).shape, layer.eval()(nn.ones(5, 8)).shape
    ((5, 4), (5, 4))
    """

    def __init__(
        self,
        layer: Weighted,
        p: float = 0.5,
        activation: Callable[[Tensor], Tensor] | None = None,
        *,
        share: int | None = 1,
        inference: str = "gaussian",
        samples: int = 100,
    ) -> None:
        super().__init__()
        if not isinstance(layer, Weighted):
            raise TypeError(
                f"DropConnect: expected a Linear or a convolution, got {type(layer).__name__}"
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
        self._check_inference()

    def forward(self, input: Tensor) -> Tensor:
        activation = self.activation or _identity
        if self.p == 0:
            return activation(self.layer(input))
        if input.ndim == 1 + self.layer.axes:
            return self.forward(input.unsqueeze(0)).squeeze(0)
        if self.training or self.activation is None or self.inference == "mean":
            return activation(self._map(input, self.training))
        if self.inference == "gaussian":
            self._check_inference()
            layer = self.layer
            return functional.drop_connect_gaussian(
                self._function(), activation, input, layer.weight, layer.bias, self.p, self.samples
            )
        with no_grad():
            total: Any = 0.0
            for _ in range(self.samples):
                total = total + activation(self._map(input, True)).data.astype(np.float64)
        return record((total / self.samples).astype(input.dtype), ())

    def macs(self, arguments: tuple, size: int) -> int:
        """Of one pass, where the layer within is not called itself."""
        return 0 if self.p == 0 else self.layer.macs(arguments, size)

    def _map(self, input: Tensor, training: bool) -> Tensor:
        weight, bias = self.layer.weight, self.layer.bias
        return functional.drop_connect(
            self._function(), input, weight, bias, self.p, training, self.share
        )

    def _function(self) -> Map:
        """`functional.linear` itself where the layer is that: its kernel draws the masks."""
        layer = self.layer
        plain = type(layer).forward is Linear.forward and runs_own_forward(layer)
        return functional.linear if plain else layer.map

    def _check_inference(self) -> None:
        if self.p == 0 or self.activation is None or self.inference != "gaussian":
            return
        if not is_linear(self.layer):
            raise ValueError(
                "DropConnect: expected inference 'mean' or 'monte_carlo' with an activation behind "
                f"{type(self.layer).__name__}, whose forward may not be linear in its weight, "
                "got 'gaussian'"
            )

    def extra_repr(self) -> str:
        text = f"p={self.p}, share={self.share}, inference={self.inference!r}"
        return text if self.inference == "mean" else f"{text}, samples={self.samples}"


def _identity(input: Tensor) -> Tensor:
    return input
