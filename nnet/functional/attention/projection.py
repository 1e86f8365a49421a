"""Queries, keys and values of multi-head attention, from what a layer is given."""

from __future__ import annotations

from ...autograd.tensor import Tensor
from ..linear import linear

Three = tuple[Tensor, Tensor, Tensor]


def projected(
    inputs: Three, weights: Tensor | Three, bias: Tensor | None, same: tuple[bool, bool]
) -> tuple[Tensor, ...]:
    """Of each input its product with its weight, in as few products as possible.

    inputs   query, key and value, (..., features)
    weights  (3 E, features), those of query, key and value; or one each, (E, features)
    bias     (3 E,) or None
    same     whether query is key, and key is value

    What comes of one product lies side by side in one tensor.
    """
    query, key, _ = inputs
    if isinstance(weights, Tensor) and same == (True, True):
        return (linear(query, weights, bias),)
    width = len(weights) // 3 if isinstance(weights, Tensor) else len(weights[0])

    def part(first: int, last: int) -> Tensor | None:
        return None if bias is None else bias[first * width : last * width]

    if isinstance(weights, Tensor):
        if same[1]:
            return (
                linear(query, weights[:width], part(0, 1)),
                linear(key, weights[width:], part(1, 3)),
            )
        weights = (weights[:width], weights[width : 2 * width], weights[2 * width :])
    return tuple(
        linear(each, own, part(i, i + 1))
        for i, (each, own) in enumerate(zip(inputs, weights, strict=True))
    )
