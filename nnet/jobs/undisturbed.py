"""Signals that end a process, kept away from what must not be lost."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# Ctrl-C; what `kill`, a scheduler or a container sends; what a terminal that is closed does.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
ENDING = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


@contextmanager
def undisturbed() -> Iterator[None]:
    """Inside, no such signal counts: for what is short and must not be lost."""
    with handled(ENDING, signal.SIG_IGN):
        yield


@contextmanager
def handled(
    signals: Sequence[signal.Signals], handler: Callable | signal.Handlers
) -> Iterator[None]:
    """Inside, that happens to these signals."""
    # Other threads cannot set handlers, and get no signals.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {each: signal.signal(each, handler) for each in signals}
    try:
        yield
    finally:
        for each, was in before.items():
            signal.signal(each, was)
