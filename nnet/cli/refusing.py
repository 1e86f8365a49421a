"""Exit codes, and what cannot be done as asked."""

from collections.abc import Iterator
from contextlib import contextmanager

OK, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


class Refused(Exception):
    """What the user asked for cannot be done; the message says why."""


@contextmanager
def refusing() -> Iterator[None]:
    """What goes wrong while input is read and checked is the input's fault: no traceback."""
    try:
        yield
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise Refused(str(error)) from error
