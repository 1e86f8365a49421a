"""Opening files that are files."""

import os
import stat
from typing import BinaryIO

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}

# Without it the opening of a pipe waits for somebody who writes.
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)


def opened(path: str | os.PathLike) -> BinaryIO:
    """A regular file to read from, since all else may have no end or never come to one.

    Raises FileNotFoundError for a missing file, OSError for one that cannot be read, a folder
    among them, ValueError for a pipe, a device and a socket.

    >>> import nnet as nn
    >>> with opened(nn.data.MNIST_FOLDER / "t10k-labels-idx1-ubyte.gz") as file:
    ...     size_of(file), file.read(2)
    (4517, b'\\x1f\\x8b')
    """
    try:
        os.stat(path)
    except ValueError as error:
        raise ValueError(f"{path!r}: expected the name of a file, {error}") from error
    return open(path, "rb", opener=_open)


def size_of(file: BinaryIO) -> int:
    """Bytes of an opened file."""
    return os.fstat(file.fileno()).st_size


def _open(path: str, flags: int) -> int:
    found = os.open(path, flags | _WITHOUT_WAITING)
    kind = stat.S_IFMT(os.fstat(found).st_mode)
    if kind in _KINDS:
        os.close(found)
        raise ValueError(f"{path}: expected a file, got {_KINDS[kind]}")
    return found
