"""Signals that end a command."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..jobs.undisturbed import ENDING, handled


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
    usual = [each for each in ENDING if signal.getsignal(each) in by_default]
    with handled(usual, interrupt):
        yield came


def _is_in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None
