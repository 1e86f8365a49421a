"""Modes of recording that are set by a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .recording import is_grad_enabled, no_grad, set_recording

__all__ = ["set_grad_enabled", "inference_mode"]


class set_grad_enabled(no_grad):
    """Record from here on, or not: a function, a context manager, or a decorator.

    As a context manager it sets back at the end what held before; as a decorator it holds within
    the function alone.

    >>> import nnet as nn
    >>> x = nn.tensor([1.0], requires_grad=True)
    >>> with nn.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad, nn.is_grad_enabled()
    (False, True)
    """

    def __new__(cls, mode: bool) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool) -> None:
        self.before = is_grad_enabled()
        self.recording = bool(mode)
        set_recording(self.recording)

    def __enter__(self) -> None:
        set_recording(self.before)
        super().__enter__()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        set_recording(self.before)
        return super().__call__(function)


class inference_mode(no_grad):
    """As `no_grad`; with False as `enable_grad`. What is made inside is like any other tensor.

    >>> import nnet as nn
    >>> x = nn.tensor([1.0], requires_grad=True)
    >>> with nn.inference_mode():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        return cls()(mode) if callable(mode) else object.__new__(cls)

    def __init__(self, mode: bool = True) -> None:
        self.recording = not mode
