"""Whether operations are recorded, for each thread and task."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import Any

__all__ = ["no_grad", "enable_grad", "is_grad_enabled"]

# Of a thread, and within it of each asyncio task: whether to record, and what held outside.
_recording: ContextVar[bool] = ContextVar("recording", default=True)
_outer: ContextVar[tuple[bool, ...]] = ContextVar("outer", default=())


class _Mode:
    __slots__ = ()

    # Read in every operation, so without a call of Python's. The getter is given the mode itself,
    # to return where nothing was set: it is true.
    recording = property(_recording.get)


mode = _Mode()


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
    """Record inside, also within `no_grad`.

    >>> import nnet as nn
    >>> x = nn.tensor([1.0], requires_grad=True)
    >>> with nn.no_grad(), nn.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    recording = True


# Sets the mode of this thread and task until it is set again.
set_recording = _recording.set


def is_grad_enabled() -> bool:
    """Whether operations are recorded just now, in this thread and task.

    >>> import nnet as nn
    >>> with nn.no_grad():
    ...     nn.is_grad_enabled()
    False
    """
    return _recording.get()
