"""Files that may be packed by gzip, whatever their names end in."""

import gzip
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

_GZIP_MAGIC = b"\x1f\x8b"


def read_bytes(path: str | os.PathLike) -> bytes:
    """What a file holds, unpacked.

    Raises FileNotFoundError for a missing file, ValueError for a damaged one.
    """
    content = Path(path).read_bytes()
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: truncated or damaged gzip file, {error}") from error


def read_text(path: str | os.PathLike) -> str:
    """A text of UTF-8, plain or gzip; line ends become \\n and a byte order mark is dropped.

    Raises FileNotFoundError for a missing file, ValueError for an empty one and for bytes that
    are no UTF-8.

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


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a file of NumPy's npz format, by name.

    Raises FileNotFoundError for a missing file, ValueError for any other, objects included.
    """
    with open(path, "rb") as content:
        try:
            with np.load(content, allow_pickle=False) as arrays:
                return dict(arrays)
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, TypeError) as error:
            raise ValueError(f"{path}: expected a file of NumPy's npz format, {error}") from error
