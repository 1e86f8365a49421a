"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Give a path to write to that is renamed to `path` at the end, and removed on an error.

    A link of that name is replaced, not followed. An OSError tells the name of what was to be.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with written_beside(path) as beside:
    ...     _ = beside.write_text("whole")
    >>> path.read_text(), beside.exists()
    ('whole', False)
    """
    path = Path(path)
    beside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        # Made anew, so that nobody's file or link is written to.
        beside.touch(exist_ok=False)
        yield beside
        os.replace(beside, path)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    finally:
        with suppress(OSError):
            beside.unlink()
