"""Statistics of batch normalization from whole batches, after training."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np

from ..autograd.recording import no_grad
from ..layers.normalization.batch_norm import BatchNorm
from ..module.module import Module

__all__ = ["population_statistics"]


def population_statistics(
    model: Module, batches: Iterable[Any], *, limit: int | None = None
) -> Module:
    """Give every batch normalization the averages over training batches, and return the model.

    The running averages of training are exponential: they remember a few dozen batches, and the
    weights of their time. The paper instead fixes the weights and then averages, over training
    batches of m values a channel, E[x] = mean(mu_B) and Var[x] = m / (m - 1) mean(var_B). Only the
    statistics are averaged; gamma and beta are learned, the same for all batches.

    batches  inputs, or sequences whose first element is the input, as a DataLoader gives them
    limit    how many of them to take at most

    Meanwhile batch normalizations work as in training, so that each layer sees what the one
    before it gives, and all else as in use. Ioffe & Szegedy 2015, algorithm 2.

    Raises ValueError if there is no batch, and if no layer keeps running statistics; the model is
    then as it was.

    >>> import nnet as nn
    >>> layer = nn.BatchNorm1d(1)
    >>> _ = nn.population_statistics(layer, [nn.tensor([[0.0], [2.0]]), nn.tensor([[4.0], [6.0]])])
    >>> layer.running_mean.item(), layer.running_var.item()
    (3.0, 2.0)
    """
    averages = {
        id(module): _Average(module)
        for module in model.modules()
        if isinstance(module, BatchNorm)
        and module.track_running_stats
        and module.running_mean is not None
    }
    if not averages:
        raise ValueError(
            "population_statistics: expected a batch normalization with running statistics, "
            f"got {type(model).__name__} without"
        )
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = id(module) in averages
        with no_grad():
            for batch in islice(batches, limit):
                model(batch[0] if isinstance(batch, tuple | list) else batch)
        if not all(average.count for average in averages.values()):
            raise ValueError(
                "population_statistics: expected at least one batch to reach every batch "
                "normalization, got none"
            )
    except BaseException:
        for average in averages.values():
            average.restore()
        raise
    finally:
        for module, training in modes:
            module.training = training
        for average in averages.values():
            average.stop_watching()
    for average in averages.values():
        average.write()
    return model


class _Average:
    """Watches one layer: with momentum 1 its running statistics are those of the last batch."""

    def __init__(self, layer: BatchNorm) -> None:
        self.layer = layer
        self.count = 0
        self._sums = [0.0, 0.0]
        self._momentum = layer.momentum
        self._before = [buffer.data.copy() for buffer in layer.buffers()]
        self._handle = layer.register_forward_hook(self._add)
        layer.momentum = 1.0

    def _add(self, layer: Any, arguments: tuple, output: Any) -> None:
        self.count += 1
        for i, buffer in enumerate((layer.running_mean, layer.running_var)):
            self._sums[i] = self._sums[i] + buffer.data.astype(np.float64)

    def stop_watching(self) -> None:
        self._handle.remove()
        self.layer.momentum = self._momentum

    def restore(self) -> None:
        for buffer, before in zip(self.layer.buffers(), self._before, strict=True):
            buffer.data[...] = before

    def write(self) -> None:
        """The averages; and as many batches seen, so that plain averaging can go on."""
        mean, var, seen = self.layer.buffers()
        mean.data[...] = self._sums[0] / self.count
        var.data[...] = self._sums[1] / self.count
        seen.data[...] = self.count
