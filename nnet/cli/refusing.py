"""Exit codes, and what cannot be done as asked."""

from collections.abc import Iterator
from contextlib import contextmanager

# The last is what a shell tells of a program that SIGPIPE ended.
OK, FAILED, REFUSED, INTERRUPTED, UNREAD = 0, 1, 2, 130, 141


class Refused(Exception):
    """What the user asked for cannot be done; the message says why."""


@contextmanager
def refusing() -> Iterator[None]:
    """What goes wrong while input is read and checked is the input's fault: no traceback."""
    try:
        yield
    except (OSError, ValueError, TypeError, ImportError, MemoryError) as error:
        raise Refused(in_a_line(error)) from error


def in_a_line(error: BaseException) -> str:
    """What an exception says."""
    return " ".join(str(error).split()) or "not enough memory"
