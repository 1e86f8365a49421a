"""Files that may be packed by gzip, whatever their names end in."""

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, cast

from .regular_file import opened, size_of

__all__ = ["read_text"]

_GZIP_MAGIC = b"\x1f\x8b"

# A packed file may say little and unpack to anything: no more than so many bytes, or so many times
# its own size. Data sets and texts seldom pack to less than a tenth.
FREE, RATIO = 1 << 26, 32

# Bytes that are read at once.
_PART = 1 << 20

# Of a text, unpacked.
LARGEST_TEXT = 1 << 30


class Content(NamedTuple):
    """What a file holds, unpacked as it is read.

    size   bytes, None where only reading tells
    bound  how many it may be
    """

    stream: BinaryIO
    size: int | None
    bound: int

    def read(self, count: int) -> bytearray:
        """So many bytes, or all that are left; no more memory is taken than they need."""
        found = bytearray()
        while part := self.stream.read(min(_PART, count - len(found))):
            found += part
        return found


@contextmanager
def content_of(path: str | os.PathLike) -> Iterator[Content]:
    """A file to be read once, from its beginning.

    Raises FileNotFoundError for a missing file, ValueError for a damaged one, here or inside.
    """
    with opened(path) as file:
        size = size_of(file)
        packed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if not packed:
            yield Content(file, size, size)
            return
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                yield Content(cast(BinaryIO, stream), None, bound_of(size))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path}: truncated or damaged gzip file, {error}") from error


def bound_of(packed: int) -> int:
    """Bytes that so many packed ones may become.

    >>> bound_of(10) == FREE, bound_of(FREE) == 32 * FREE
    (True, True)
    """
    return max(FREE, RATIO * packed)


def read_bytes(path: str | os.PathLike, largest: int = LARGEST_TEXT) -> bytearray:
    """What a file holds, unpacked, up to so many bytes.

    Raises FileNotFoundError for a missing file, ValueError for a damaged one and one that holds
    more.
    """
    with content_of(path) as content:
        bound = min(content.bound, largest)
        if content.size is not None and content.size > bound:
            raise ValueError(f"{path}: expected no more than {bound} bytes, got {content.size}")
        found = content.read(bound + 1)
    if len(found) > bound:
        raise ValueError(f"{path}: expected no more than {bound} bytes unpacked, got more")
    return found


def read_text(path: str | os.PathLike) -> str:
    """A text of UTF-8, plain or gzip; line ends become \\n and a byte order mark is dropped.

    Raises FileNotFoundError for a missing file, ValueError for an empty one, for bytes that are
    no UTF-8, and for more than 2**30 bytes; of a packed file for more than 32 times its size and
    2**26.

    >>> import nnet as nn, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "greeting.txt"
    >>> _ = path.write_bytes("Grüß Gott\\r\\n".encode())
    >>> nn.data.read_text(path)
    'Grüß Gott\\n'
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected a text of UTF-8, got byte {content[error.start]:#04x} "
            f"at position {error.start}"
        ) from error
    if not text:
        raise ValueError(f"{path}: expected a text, got an empty file")
    return text.replace("\r\n", "\n").replace("\r", "\n")
