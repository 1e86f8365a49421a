"""Signals that end a command."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# As sent by `kill`, a scheduler or a container, and by a terminal that is closed.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def ending() -> Iterator[list[int]]:
    """Inside, these signals do what Ctrl-C does; the list tells which came."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    usual = [each for each in _ENDING if signal.getsignal(each) is signal.SIG_DFL]
    with _handled(usual, interrupt):
        yield came


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, no such signal counts, nor Ctrl-C: for what is short and must not be lost."""
    with _handled([*_ENDING, signal.SIGINT], signal.SIG_IGN):
        yield


@contextmanager
def _handled(signals: list[signal.Signals], handler: Callable | signal.Handlers) -> Iterator[None]:
    # Other threads cannot set handlers, and get no signals.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {each: signal.signal(each, handler) for each in signals}
    try:
        yield
    finally:
        for each, handled in before.items():
            signal.signal(each, handled)
