"""What a command prints: that all of it goes out, and what becomes of what does not."""

import io
import os
import sys


def be_lenient() -> None:
    """What a terminal cannot show is shown as an escape."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Raises OSError where what was printed cannot be written."""
    if sys.stdout is not None:
        sys.stdout.flush()


def drop() -> None:
    """Forget what cannot be written, or Python tries again at its end, and complains."""
    try:
        flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
