"""Sums of products by labels of axes, after A. Einstein, as a recorded operation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .contractions import Labels, contract
from .equations import Equation, parse
from .operand import Operand

__all__ = ["einsum"]


def einsum(*arguments: Any) -> Any:
    """The products of the operands' elements, summed over the axes that the result has not.

    equation  letters for the axes of each operand, "..." for axes that broadcast, and behind "->"
              those of the result; without it these are the ones that occur once, in the alphabet's
              order. A letter that an operand has twice is its diagonal.
    operands  tensors of one dtype, one by one or in a list; or, instead of an equation, each
              followed by a list of numbers from 0 to 51 for its axes, and one for the result's

    Pairs are contracted one after another in the order that `numpy.einsum_path` finds. Raises
    TypeError for what is no tensor and for mixed dtypes, ValueError for an equation that does not
    fit the shapes.

    >>> import nnet as nn
    >>> a, b = nn.tensor([[1.0, 2.0], [3.0, 4.0]]), nn.tensor([1.0, 10.0])
    >>> nn.einsum("ij,j->i", a, b)
    tensor([21., 43.])
    """
    equation, tensors = parse(arguments)
    _check_dtypes(tensors)
    parts = [
        _distinct(x.data, labels, equation)
        for x, labels in zip(tensors, equation.terms, strict=True)
    ]
    labels, arrays = [each for each, _ in parts], [each for _, each in parts]
    needs = [tensor.requires_grad for tensor in tensors]
    shapes = [tensor.data.shape for tensor in tensors]
    y = contract(labels, equation.result, arrays)

    def backward(dy: np.ndarray) -> tuple:
        return tuple(
            _gradient(dy, i, labels, equation, arrays, shapes[i]) if need else None
            for i, need in enumerate(needs)
        )

    if any(np.may_share_memory(y, x) for x in arrays):
        y = y.copy()
    return tensors[0]._record(y, tensors, backward)


def _check_dtypes(tensors: list[Operand]) -> None:
    dtypes = {tensor.data.dtype for tensor in tensors}
    if len(dtypes) > 1:
        names = sorted(str(dtype) for dtype in dtypes)
        raise TypeError(f"einsum: expected operands of one dtype, got {' and '.join(names)}")


def _distinct(x: np.ndarray, labels: Labels, equation: Equation) -> tuple[Labels, np.ndarray]:
    """A view without stretched axes, and the diagonal where a label stands twice."""
    kept = tuple(dict.fromkeys(labels))
    if len(kept) < len(labels):
        x = np.einsum(x, list(labels), list(kept))
    stretched = [i for i, each in enumerate(kept) if x.shape[i] != equation.sizes[each]]
    return tuple(np.delete(kept, stretched).tolist()), x.squeeze(tuple(stretched))


def _gradient(
    dy: np.ndarray,
    i: int,
    labels: list[Labels],
    equation: Equation,
    arrays: list[np.ndarray],
    shape: tuple[int, ...],
) -> np.ndarray:
    """The gradient of operand i: dy times the others, over its own labels."""
    others = [j for j in range(len(arrays)) if j != i]
    terms = [equation.result, *(labels[j] for j in others)]
    met = {each for term in terms for each in term}
    along = tuple(each for each in labels[i] if each in met)
    part = contract(terms, along, [dy, *(arrays[j] for j in others)])
    whole = equation.terms[i]
    kept = tuple(dict.fromkeys(whole))
    sizes = dict(zip(whole, shape, strict=True))
    absent = [n for n, each in enumerate(kept) if each not in along]  # summed alone, or stretched
    part = np.broadcast_to(np.expand_dims(part, absent), [sizes[each] for each in kept])
    if len(kept) == len(whole):
        return part
    dx = np.zeros(shape, dy.dtype)
    np.einsum(dx, list(whole), list(kept))[...] = part
    return dx
