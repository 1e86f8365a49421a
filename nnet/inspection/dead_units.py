"""Units that never fire: what a learning rate too high leaves behind."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..autograd.recording import no_grad
from ..autograd.tensor import Tensor
from ..layers.activation import ReLU
from ..module.modes import evaluating
from ..module.module import Module

__all__ = ["dead_units"]


class DeadUnits(NamedTuple):
    """Shares from 0 to 1, in all and by the name of a layer.

    >>> import nnet as nn
    >>> found = nn.training.dead_units(nn.ReLU(), [(nn.tensor([[-1.0, 1.0, -2.0, 0.0]]), None)])
    >>> found.share, found.layers
    (0.75, {'': 0.75})
    """

    share: float
    layers: dict[str, float]


def dead_units(
    model: Module, loader: Iterable[Any], kinds: type[Module] | tuple[type[Module], ...] = ReLU
) -> DeadUnits:
    """The share of units that are > 0 for no sample of the data set, in all and by layer.

    A unit is a feature of (N, C), or a channel of (N, C, ...), that a module of one of the `kinds`
    puts out; the model runs in eval mode. Behind ReLU such a unit has no gradient any more.

    loader  yields (inputs, targets)

    Raises ValueError if the model has no such module or the loader yields no sample.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
    >>> _ = model[0].bias.requires_grad_(False).copy_(nn.tensor([-1000.0, 1000.0, 1000.0, 1000.0]))
    >>> nn.training.dead_units(model, [(nn.rand(8, 2), None)])
    DeadUnits(share=0.25, layers={'1': 0.25})
    """
    alive: dict[str, list[np.ndarray]] = {}
    calls: Counter[str] = Counter()
    handles = [
        module.register_forward_hook(_watch(name, alive, calls))
        for name, module in model.named_modules()
        if isinstance(module, kinds)
    ]
    if not handles:
        raise ValueError("dead_units: expected a model with activation modules to watch, got none")
    try:
        with evaluating(model), no_grad():
            for inputs, _ in loader:
                calls.clear()
                model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not alive:
        raise ValueError("dead_units: expected at least one batch, got none")
    fired = {name: np.concatenate(units) for name, units in alive.items()}
    layers = {name: 1 - float(units.mean()) for name, units in fired.items()}
    return DeadUnits(1 - float(np.concatenate(list(fired.values())).mean()), layers)


def _watch(
    name: str, alive: dict[str, list[np.ndarray]], calls: Counter[str]
) -> Callable[[Module, tuple, Tensor], None]:
    """The units of a module that is called several times are those of each call."""

    def look(module: Module, inputs: tuple, output: Tensor) -> None:
        y = output.numpy()
        fired = np.asarray((y > 0).any(axis=(0, *range(2, y.ndim))))
        known, call = alive.setdefault(name, []), calls[name]
        calls[name] += 1
        if call == len(known):
            known.append(fired)
        else:
            known[call] = known[call] | fired

    return look
