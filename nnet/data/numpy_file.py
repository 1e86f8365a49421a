"""Arrays in NumPy's formats, npy and npz: of numbers alone, and no larger than what is there."""

import os
import warnings
import zipfile
import zlib
from io import BytesIO
from math import prod
from typing import BinaryIO, NamedTuple

import numpy as np

from .packed import bound_of
from .regular_file import opened, size_of

# The longest header that NumPy takes for safe, and what stands before it.
_LONGEST = 10_000
_HEADER = _LONGEST + 12

_VERSIONS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Header(NamedTuple):
    """What an npy file says of its array; the numbers begin at byte `start`."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype
    start: int

    @property
    def end(self) -> int:
        return self.start + prod(self.shape) * self.dtype.itemsize


def header_of(file: BinaryIO) -> Header:
    """Of an npy file, opened at its beginning, where it stands again behind.

    Raises ValueError for what is no array of numbers, or of another size than the file.
    """
    header = _header(file.read(_HEADER), size_of(file))
    file.seek(0)
    return header


def array_of(file: BinaryIO, header: Header) -> np.ndarray:
    """The array behind a header."""
    file.seek(header.start)
    return _array(file.read(header.end - header.start), header)


def read_arrays(
    path: str | os.PathLike, names: tuple[str, ...] | None = None
) -> dict[str, np.ndarray]:
    """The arrays of a file of NumPy's npz format, by name.

    names  which are wanted, of those that there are; all if not given

    Raises FileNotFoundError for a missing file, ValueError naming file and array for any other,
    for objects and texts, and for a packed array that unpacks to more than 32 times its size and
    2**26 bytes.
    """
    found = {}
    with opened(path) as file:
        name = "file"
        try:
            with zipfile.ZipFile(file) as members:
                for member in members.infolist():
                    name = member.filename.removesuffix(".npy")
                    if names is None or name in names:
                        found[name] = _member(members, member, size_of(file))
        except (
            ValueError,  # of ours too
            EOFError,
            OSError,
            NotImplementedError,
            RuntimeError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            raise ValueError(
                f"{path}: expected a file of NumPy's npz format, {name}: {error}"
            ) from error
    return found


def _member(members: zipfile.ZipFile, member: zipfile.ZipInfo, size: int) -> np.ndarray:
    if member.compress_type not in _PACKINGS:
        raise ValueError(f"expected it plain or deflated, got packing {member.compress_type}")
    bound = bound_of(min(member.compress_size, size))
    if member.file_size > bound:
        raise ValueError(f"expected no more than {bound} bytes, got {member.file_size}")
    with members.open(member) as packed:
        beginning = packed.read(_HEADER)
        header = _header(beginning, member.file_size)
        # One byte more, so that the checksum at the end is seen.
        rest = packed.read(member.file_size - len(beginning) + 1)
    return _array(beginning[header.start :] + rest, header)


def _header(beginning: bytes, size: int) -> Header:
    file = BytesIO(beginning)
    try:
        version = np.lib.format.read_magic(file)
    except ValueError as error:
        raise ValueError("expected an array in NumPy's format") from error
    if version not in _VERSIONS:
        raise ValueError(f"expected NumPy's format 1.0 or 2.0, got {version}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = Header(*_VERSIONS[version](file, _LONGEST), file.tell())
    except Exception as error:  # of the parser of Python's literals, of many kinds
        raise ValueError("expected a header of NumPy's format") from error
    shape, _, dtype, start = found
    if dtype.kind not in "biufc":
        raise ValueError(f"expected numbers, got {dtype}")
    if min(shape, default=0) < 0:
        raise ValueError(f"expected a shape, got {shape}")
    if found.end != size:
        raise ValueError(
            f"expected {found.end - start} bytes for shape {shape} of {dtype}, got {size - start}"
        )
    return found


def _array(content: bytes, header: Header) -> np.ndarray:
    flat = np.frombuffer(content, header.dtype)
    try:
        if header.fortran_order:
            return flat.reshape(header.shape[::-1]).T
        return flat.reshape(header.shape)
    except ValueError as error:
        raise ValueError(f"expected a shape that an array has, got {header.shape}") from error
