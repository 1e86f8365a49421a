"""Signals that end a command."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Ctrl-C; what `kill`, a scheduler or a container sends; what a terminal that is closed does.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_ENDING = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


@contextmanager
def ending() -> Iterator[list[int]]:
    """Inside, these signals raise KeyboardInterrupt; the list tells which came."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _is_in_finalizer(frame):
            # Python would print what is raised there, and go on.
            threading.Timer(0.001, os.kill, (os.getpid(), number)).start()
            return
        came.append(number)
        raise KeyboardInterrupt

    by_default = (signal.SIG_DFL, signal.default_int_handler)
    usual = [each for each in _ENDING if signal.getsignal(each) in by_default]
    with _handled(usual, interrupt):
        yield came


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, no such signal counts: for what is short and must not be lost."""
    with _handled(_ENDING, signal.SIG_IGN):
        yield


def _is_in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


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
