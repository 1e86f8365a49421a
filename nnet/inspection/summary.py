"""What a model consists of, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd.parameter import Parameter
from ..autograd.recording import no_grad
from ..autograd.tensor import Tensor
from ..module.module import Module

__all__ = ["summary"]


@dataclass(frozen=True)
class Row:
    """One call of a layer.

    Parameters count in one row: of their own layer, or of one around it that does not call it.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Summary:
    """The layers in the order they ran; printed as a table."""

    rows: list[Row]
    parameters: int
    trainable: int
    macs: int

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "MACs")
        body = [
            (row.name, row.kind, str(row.output_shape), f"{row.parameters:,}", f"{row.macs:,}")
            for row in self.rows
        ]
        total = ("total", "", "", f"{self.parameters:,}", f"{self.macs:,}")
        table = [head, *body, total]
        widths = [max(len(line[column]) for line in table) for column in range(len(head))]
        lines = [
            "  ".join(
                text.rjust(width) if column > 2 else text.ljust(width)
                for column, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        rule = "-" * max(map(len, lines))
        lines = [lines[0], rule, *lines[1:-1], rule, lines[-1]]
        return "\n".join([*lines, f"trainable parameters: {self.trainable:,}"])


def summary(model: Module, input_size: Sequence[int], dtype: npt.DTypeLike = np.float32) -> Summary:
    """Run zeros of shape input_size, batch included, through the model in evaluation mode.

    Layers are the modules without modules of their own, and those with parameters. Of several
    outputs the first one's shape is shown. Of multiply-accumulates, those of linear maps,
    convolutions and recurrent layers count: a layer tells them by a method `macs(arguments, size)`
    of what its `forward` was given and how many elements its (first) output has.

    >>> import nnet as nn
    >>> print(nn.summary(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), (1, 4)))
    layer  kind    output  parameters  MACs
    ---------------------------------------
    0      Linear  (1, 2)          10     8
    1      ReLU    (1, 2)           0     0
    ---------------------------------------
    total                          10     8
    trainable parameters: 10
    """
    rows: list[Row] = []
    handles = []
    counted: set[int] = set()

    def watch(name: str, layer: Module) -> None:
        def hook(_module: Module, args: tuple, named: dict[str, Any], output: Any) -> None:
            own = [p for p in layer.parameters() if id(p) not in counted]
            counted.update(map(id, own))
            while isinstance(output, tuple | list) and output:
                output = output[0]
            shape = output.shape if isinstance(output, Tensor) else ()
            given = signature(layer.forward).bind(*args, **named)
            arguments = given.args + tuple(given.kwargs.values())
            macs = layer.macs(arguments, prod(shape)) if _tells_macs(layer) else 0
            parameters = sum(p.numel() for p in own)
            rows.append(Row(name, type(layer).__name__, shape, parameters, macs))

        handles.append(layer.register_forward_hook(hook, with_kwargs=True))

    modes = [(module, module.training) for module in model.modules()]
    try:
        for name, module in model.named_modules():
            if not list(module.children()) or list(module._own(Parameter)) or _tells_macs(module):
                watch(name, module)
        model.eval()
        with no_grad():
            model(Tensor(np.zeros(tuple(input_size), dtype)))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    parameters = list(model.parameters())
    return Summary(
        rows,
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
        sum(row.macs for row in rows),
    )


def _tells_macs(module: Any) -> bool:
    return callable(getattr(type(module), "macs", None))
