"""The tape: which tensor was computed from which, and the walk back over it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Any, Protocol

import numpy as np

from kernels import add

from .hooks import Hooks, hooked, hooks_of
from .writes import Since, log, next_serial

Backward = Callable[[np.ndarray], "Sequence[np.ndarray | None] | np.ndarray | None"]


class Leaf(Protocol):
    """Where gradients end: a tensor."""

    def accumulate(self, gradient: np.ndarray) -> None: ...


class Ends(Protocol):
    """Nodes and leaves that gradients are wanted of, and the nodes that lead there."""

    def __contains__(self, edge: Any) -> bool: ...

    def take(self, edge: Any, gradient: np.ndarray) -> bool:
        """Keep it if it is wanted; whether to go on from there."""


class Node:
    """One recorded operation: where its gradients go and the closure that computes them.

    edges     for each input the node that made it, the tensor itself if it is a leaf, or None
              if it needs no gradient
    backward  dy -> gradients in the inputs' order; None once used, so that what it saved is free
    serial    grows in the order of recording, which is a topological order
    """

    __slots__ = ("backward", "dtype", "edges", "hooks", "result", "serial", "shape")

    def __init__(
        self, edges: Sequence[Node | Leaf | None], backward: Backward, y: np.ndarray
    ) -> None:
        self.edges = edges
        self.backward: Backward | None = backward
        self.serial = next_serial()
        self.shape = y.shape
        self.dtype = y.dtype
        self.result: Leaf | None = None
        self.hooks: Hooks | None = None

    def run(self, dy: np.ndarray, retain_graph: bool) -> Sequence[np.ndarray | None]:
        """The gradients of the inputs; forgets what was saved unless retain_graph."""
        backward = self.backward
        if backward is None:
            raise RuntimeError(
                "backward: this graph was freed by an earlier backward(); "
                "call that one with retain_graph=True to walk the graph again"
            )
        if not retain_graph:
            self.backward = None
        if type(dy) is not np.ndarray:
            dy = np.asarray(dy)  # NumPy makes scalars of arrays without axes
        found = backward(dy)
        gradients: Sequence[Any] = found if isinstance(found, tuple | list) else (found,)
        if len(gradients) != len(self.edges):
            raise RuntimeError(
                f"backward: expected {len(self.edges)} gradients from "
                f"{backward.__qualname__}, one for each input, got {len(gradients)}"
            )
        return gradients


_TOKEN = np.zeros((), np.float32)


def output_nodes(
    edges: Sequence[Node | Leaf | None], backward: Callable[..., Any], ys: Sequence[np.ndarray]
) -> list[Node]:
    """Nodes for the outputs of one operation, whose backward takes the gradients of all of them.

    Each output's node leaves its dy where the operation's own node finds it, and passes on a
    token only. That node was recorded first, so it runs when all that were reached have left
    theirs; None stands for the others.
    """
    dys: list[np.ndarray | None] = [None] * len(ys)

    @functools.wraps(backward)
    def joint(_token: np.ndarray) -> Any:
        given = tuple(dys)
        dys[:] = [None] * len(given)
        return backward(*given)

    operation = Node(edges, joint, _TOKEN)

    def leave(dy: np.ndarray, place: int) -> np.ndarray:
        dys[place] = dy
        return _TOKEN

    return [Node((operation,), partial(leave, place=i), y) for i, y in enumerate(ys)]


# Elements from which a sum is worth all threads and a pooled result.
LARGE = 1 << 14


def total(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x + y; on all threads where large floats of one shape and dtype meet."""
    if x.size >= LARGE and x.shape == y.shape and x.dtype == y.dtype and x.dtype.char in "fd":
        return add.forward(x, y)
    return x + y


def backpropagate(
    roots: Sequence[tuple[Node, np.ndarray]], retain_graph: bool, ends: Ends | None = None
) -> None:
    """Run each node that leads to a root once, the latest first, and add to the leaves' `grad`.

    A node's consumers were all recorded after it, so when it is the latest of those waiting
    its gradient is complete.

    roots  nodes, each with its gradient, no node twice
    ends   where gradients are wanted, if not in the leaves

    Raises RuntimeError where something that a node saved was written to since.
    """
    written: Since | None = None
    waiting: dict[int, tuple[Node, np.ndarray]] = {root.serial: (root, dy) for root, dy in roots}
    latest = sorted(-serial for serial in waiting)
    gathered: dict[int, tuple[Any, np.ndarray]] = {}
    with np.errstate(all="ignore"):
        while latest:
            node, dy = waiting.pop(-heappop(latest))
            if node.hooks:
                dy = hooked(node.hooks, dy)
            if ends is not None:
                if not ends.take(node, dy):
                    continue
            elif node.result is not None:
                node.result.accumulate(dy)
            if node.serial < log.latest and node.backward is not None:
                if written is None or written.latest != log.latest:
                    written = Since()
                written.check(node.serial, node.backward)
            gradients = node.run(dy, retain_graph)
            edges = node.edges
            if not retain_graph:
                node.edges = ()
            for edge, gradient in zip(edges, gradients, strict=True):
                if edge is None or gradient is None or (ends is not None and edge not in ends):
                    continue
                if type(edge) is not Node:
                    if ends is not None or hooks_of(edge):
                        _gather(gathered, edge, gradient)
                    else:
                        edge.accumulate(gradient)  # type: ignore[union-attr]
                    continue
                if gradient.shape != edge.shape:
                    raise RuntimeError(
                        f"backward: expected a gradient of shape {edge.shape}, got {gradient.shape}"
                    )
                if gradient.dtype is not edge.dtype:
                    gradient = gradient.astype(edge.dtype)
                serial = edge.serial
                if serial in waiting:
                    waiting[serial] = (edge, total(waiting[serial][1], gradient))
                else:
                    waiting[serial] = (edge, gradient)
                    heappush(latest, -serial)
            del gradients, gradient, dy, node, edge, edges
        for leaf, gradient in gathered.values():
            gradient = hooked(hooks_of(leaf), gradient)
            if ends is None:
                leaf.accumulate(gradient)
            else:
                ends.take(leaf, gradient)


def _gather(gathered: dict[int, tuple[Any, np.ndarray]], leaf: Any, gradient: np.ndarray) -> None:
    """Add up what comes to a leaf; a copy, for it may lie where the leaf's next one is written."""
    before = gathered.get(id(leaf))
    gathered[id(leaf)] = leaf, gradient.copy() if before is None else before[1] + gradient
