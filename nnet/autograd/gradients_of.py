"""Gradients that are asked for, instead of added up in leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .gradient import seed
from .hooks import hooked, hooks_of
from .tape import Node, backpropagate
from .tensor import Tensor

__all__ = ["grad"]


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the outputs' sum to each input; no `grad` is changed.

    grad_outputs       of something to each output; 1 where not given and there is one element
    retain_graph       keep what was saved, for another walk
    allow_unused       None for an input that no output depends on, instead of an error
    materialize_grads  zeros for it

    Only what leads from outputs to inputs is walked, and freed. Raises RuntimeError for tensors
    that require no gradient, and ValueError for create_graph: gradients are not recorded.

    >>> import nnet as nn
    >>> x = nn.tensor([1.0, 2.0], requires_grad=True)
    >>> nn.autograd.grad((x * x).sum(), x)
    (tensor([2., 4.]),)
    """
    if create_graph:
        raise ValueError(
            "grad: expected create_graph=False, got True: no gradients of gradients here"
        )
    ys, xs = _listed("outputs", outputs), _listed("inputs", inputs)
    given = [None] * len(ys) if grad_outputs is None else _listed("grad_outputs", grad_outputs)
    if len(given) != len(ys):
        raise ValueError(f"grad: expected {len(ys)} grad_outputs, got {len(given)}")
    if not all(x.requires_grad for x in xs):
        raise RuntimeError("grad: expected inputs that require grad, got one that does not")
    seeds: dict[int, tuple[Any, np.ndarray]] = {}
    for y, gradient in zip(ys, given, strict=True):
        start, dy = y._node or y, seed("grad", y, gradient)
        before = seeds.get(id(start))
        seeds[id(start)] = start, dy if before is None else before[1] + dy
    ends = _Wanted([x._node or x for x in xs], [start for start, _ in seeds.values()])
    roots = [each for each in seeds.values() if isinstance(each[0], Node) and each[0] in ends]
    if roots:
        backpropagate(roots, bool(retain_graph), ends)
    for start, dy in seeds.values():
        if not isinstance(start, Node):
            ends.take(start, hooked(hooks_of(start), dy))
    found = [ends.found.get(id(x._node or x)) for x in xs]
    if materialize_grads:
        for i, x in enumerate(xs):
            found[i] = np.zeros(x.shape, x.dtype) if found[i] is None else found[i]
    elif not allow_unused and any(each is None for each in found):
        raise RuntimeError(
            "grad: expected inputs that the outputs depend on, got one that they do not; "
            "allow_unused=True gives None for it"
        )
    return tuple(
        None if g is None else Tensor(np.array(g, x.dtype, order="C"))
        for x, g in zip(xs, found, strict=True)
    )


class _Wanted:
    """Nodes and leaves whose gradients are wanted, and the nodes that lead to them."""

    def __init__(self, wanted: Iterable[Any], roots: Iterable[Any]) -> None:
        self.found: dict[int, np.ndarray] = {}
        self._wanted = {id(each) for each in wanted}
        self._leading = set()
        for node in sorted(_reached(roots), key=lambda node: node.serial):
            # One that is freed has no edges any more: to run it is an error that says so.
            if node.backward is None or any(edge in self for edge in node.edges):
                self._leading.add(id(node))

    def __contains__(self, edge: Any) -> bool:
        return id(edge) in self._wanted or id(edge) in self._leading

    def take(self, edge: Any, gradient: np.ndarray) -> bool:
        if id(edge) in self._wanted:
            before = self.found.get(id(edge))
            self.found[id(edge)] = gradient if before is None else before + gradient
        return id(edge) in self._leading


def _reached(roots: Iterable[Any]) -> list[Node]:
    waiting, found = list(roots), dict[int, Node]()
    while waiting:
        each = waiting.pop()
        if type(each) is Node and id(each) not in found:
            found[id(each)] = each
            waiting += each.edges
    return list(found.values())


def _listed(name: str, given: Any) -> list[Any]:
    each = [given] if isinstance(given, Tensor) else given
    if not isinstance(each, list | tuple) or not all(
        isinstance(one, Tensor) or (one is None and name == "grad_outputs") for one in each
    ):
        raise TypeError(f"grad: expected {name} as tensors, got {type(given).__name__}")
    return list(each)
