"""The tape: which tensor was computed from which, and the walk back over it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Sequence
from contextvars import ContextVar
from functools import partial
from heapq import heappop, heappush
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from kernels import add

from .writes import Since, log, next_serial

if TYPE_CHECKING:
    from .tensor import Tensor

Backward = Callable[[np.ndarray], "Sequence[np.ndarray | None] | np.ndarray | None"]


# Of a thread, and within it of each asyncio task: whether to record, and what held outside.
_recording: ContextVar[bool] = ContextVar("recording", default=True)
_outer: ContextVar[tuple[bool, ...]] = ContextVar("outer", default=())


class _Mode:
    __slots__ = ()

    # Read in every operation, so without a call of Python's. The getter is given the mode itself,
    # to return where nothing was set: it is true.
    recording = property(_recording.get)


mode = _Mode()


class Node:
    """One recorded operation: where its gradients go and the closure that computes them.

    edges     for each input the node that made it, the tensor itself if it is a leaf, or None
              if it needs no gradient
    backward  dy -> gradients in the inputs' order; None once used, so that what it saved is free
    serial    grows in the order of recording, which is a topological order
    """

    __slots__ = ("backward", "dtype", "edges", "result", "serial", "shape")

    def __init__(
        self, edges: Sequence[Node | Tensor | None], backward: Backward, y: np.ndarray
    ) -> None:
        self.edges = edges
        self.backward: Backward | None = backward
        self.serial = next_serial()
        self.shape = y.shape
        self.dtype = y.dtype
        self.result: Tensor | None = None

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
    edges: Sequence[Node | Tensor | None], backward: Callable[..., Any], ys: Sequence[np.ndarray]
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


def backpropagate(root: Node, dy: np.ndarray, retain_graph: bool) -> None:
    """Run each node that leads to root once, the latest first, and add to the leaves' `grad`.

    A node's consumers were all recorded after it, so when it is the latest of those waiting
    its gradient is complete.

    Raises RuntimeError where something that a node saved was written to since.
    """
    written: Since | None = None
    waiting: dict[int, tuple[Node, np.ndarray]] = {root.serial: (root, dy)}
    latest = [-root.serial]
    with np.errstate(all="ignore"):
        while latest:
            node, dy = waiting.pop(-heappop(latest))
            if node.result is not None:
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
                if edge is None or gradient is None:
                    continue
                if type(edge) is not Node:
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


class no_grad:
    """Record nothing inside: a context manager, or a decorator, `@no_grad()`.

    It holds for the thread that enters it, and there for the asyncio task alone. Of a decorated
    generator or coroutine it holds while that runs, not for who waits for it.

    >>> import nnet as nn
    >>> x = nn.tensor([1.0, 2.0], requires_grad=True)
    >>> with nn.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    recording = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """Without parentheses it is a decorator too."""
        return super().__new__(cls) if function is None else cls()(function)

    def __enter__(self) -> None:
        _outer.set((*_outer.get(), _recording.get()))
        _recording.set(self.recording)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        outer = _outer.get()
        if outer:  # nothing was entered where a generator is closed by another task or thread
            _outer.set(outer[:-1])
            _recording.set(outer[-1])

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inside(*args: Any, **named: Any) -> Any:
            with self:
                return function(*args, **named)

        @functools.wraps(function)
        async def awaited(*args: Any, **named: Any) -> Any:
            with self:
                return await function(*args, **named)

        @functools.wraps(function)
        def stepwise(*args: Any, **named: Any) -> Any:
            return (yield from _steps(function(*args, **named), self.recording))

        if inspect.iscoroutinefunction(function):
            return awaited
        return stepwise if inspect.isgeneratorfunction(function) else inside


def _steps(steps: Generator[Any, Any, Any], recording: bool) -> Generator[Any, Any, Any]:
    """The same steps in a mode of their own; what is sent, thrown and returned passes through."""
    within: tuple[bool, tuple[bool, ...]] = recording, ()

    def run(step: Callable[[], Any]) -> Any:
        nonlocal within
        without = _recording.get(), _outer.get()
        _enter(within)
        try:
            return step()
        finally:
            within = _recording.get(), _outer.get()
            _enter(without)

    step: Callable[[], Any] = partial(next, steps)
    while True:
        try:
            found = run(step)
        except StopIteration as end:
            return end.value
        try:
            step = partial(steps.send, (yield found))
        except GeneratorExit:
            run(steps.close)
            raise
        except BaseException as error:
            step = partial(steps.throw, error)


def _enter(mode: tuple[bool, tuple[bool, ...]]) -> None:
    _recording.set(mode[0])
    _outer.set(mode[1])


class enable_grad(no_grad):
    """Record inside, also within `no_grad`."""

    recording = True


def is_grad_enabled() -> bool:
    """Whether operations are recorded just now, in this thread and task."""
    return _recording.get()


class Operand:
    """What the groups of tensor methods stand on; `Tensor` fills it in."""

    __slots__ = ()

    data: np.ndarray
    requires_grad: bool
    _views: list[Any] | None

    @staticmethod
    def _record(y: Any, inputs: Sequence[Any], backward: Backward | None = None) -> Tensor:
        raise NotImplementedError
