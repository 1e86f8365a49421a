"""Which weighted layer stands right under which batch normalization.

As it is read off the model, or as one pass shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeGuard

from ..autograd.parameter import Parameter
from ..autograd.recording import no_grad
from ..autograd.tensor import Tensor
from ..layers.normalization.batch_norm import BatchNorm
from ..layers.weighted import Weighted
from ..module.calls import is_linear
from ..module.container import Sequential
from ..module.module import Module


def neighbours(model: Module) -> Iterator[tuple[Module, str, str]]:
    """Sequentials, and the names in them of a weighted layer and the normalization behind it.

    Of those alone that stand nowhere else in the model: another caller would miss what is folded.
    """
    places = Counter(id(child) for each in model.modules() for _, child in each._own(Module))
    for parent in model.modules():
        if not isinstance(parent, Sequential):
            continue
        for (first, layer), (second, after) in pairwise(parent.steps()):
            if (
                is_weighted(layer)
                and is_line(after)
                and places[id(layer)] == places[id(after)] == 1
                and after.num_features == layer.outputs
                and 2 + layer.axes in after.AXES
                and not (layer._forward_hooks or after._forward_hooks)
            ):
                yield parent, first, second


def pairs_seen(
    model: Module, example: Tensor
) -> tuple[dict[tuple[int, int], tuple[Weighted, BatchNorm]], Any]:
    """Layers whose outputs all go to one normalization that is given nothing else, by their ids.

    And what the model made of the example.
    """
    outputs: list[tuple[Weighted, Any]] = []
    pairs: list[tuple[Weighted, BatchNorm]] = []
    calls: Counter[int] = Counter()
    hooked = {id(module) for module in model.modules() if module._forward_hooks}

    def watch(module: Module, arguments: tuple, output: Any) -> None:
        calls[id(module)] += 1
        if id(module) in hooked:
            return
        if is_weighted(module) and keeps_its_weight(module):
            outputs.append((module, output))
        elif is_line(module) and module.running_mean is not None:
            given: Any = arguments[0] if arguments else None
            pairs.extend(
                (layer, module) for layer, y in outputs if y is given and y.ndim == 2 + layer.axes
            )

    handles = [module.register_forward_hook(watch) for module in model.modules()]
    try:
        with no_grad():
            output = model(example)
    finally:
        for handle in handles:
            handle.remove()
    times = Counter((id(layer), id(norm)) for layer, norm in pairs)
    found = {
        (id(layer), id(norm)): (layer, norm)
        for layer, norm in pairs
        if times[id(layer), id(norm)] == calls[id(layer)] == calls[id(norm)]
        and norm.num_features == layer.outputs
    }
    return found, output


def is_weighted(layer: Any) -> TypeGuard[Weighted]:
    return isinstance(layer, Weighted) and is_linear(layer)


def is_line(norm: Any) -> TypeGuard[BatchNorm]:
    return isinstance(norm, BatchNorm) and is_linear(norm)


def keeps_its_weight(layer: Module) -> bool:
    """Whether weight and bias are parameters, not computed from others."""
    own = vars(layer)
    return isinstance(own.get("weight"), Parameter) and (
        "bias" in own and isinstance(own["bias"], Parameter | None)
    )
