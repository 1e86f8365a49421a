"""IDX files, the format of MNIST and of the data sets made to replace it.

A file is a magic number (two zero bytes, a byte for the type, a byte for the number of
dimensions), the dimensions as big-endian 32-bit integers, and the values in C order. The
format is described on the page of the MNIST database, http://yann.lecun.com/exdb/mnist/.
"""

import os
from collections.abc import Sequence
from math import prod
from pathlib import Path

import numpy as np

from ..classes import names_of
from ..packed import Content, content_of
from .dataset import ImageDataset

__all__ = ["read_idx", "idx_folder"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an IDX file, plain or gzip, whatever its name ends in.

    Returns an array of the shape and type that the file states, in native byte order.
    Raises FileNotFoundError for a missing file, ValueError for one that is not a whole IDX file,
    and for a packed one that unpacks to more than 32 times its size and 2**26 bytes.

    >>> import nnet as nn
    >>> nn.data.read_idx(nn.data.MNIST_FOLDER / "t10k-labels-idx1-ubyte.gz")[:5]
    array([7, 2, 1, 0, 4], dtype=uint8)
    """
    with content_of(path) as content:
        dtype, shape = _header(path, content)
        start = 4 + 4 * len(shape)
        size = prod(shape) * np.dtype(dtype).itemsize
        about = f"expected {start + size} bytes for shape {shape}"
        if content.size is None and start + size > content.bound:
            raise ValueError(
                f"{path}: {about}, more than the {content.bound} that it may unpack to"
            )
        if content.size is None or content.size == start + size:
            values = content.read(size + 1)
            got = start + len(values)
        else:
            got = content.size
    if got != start + size:
        problem = "truncated" if got < start + size else "trailing bytes"
        raise ValueError(f"{path}: {problem}, {about}, got {got}")
    try:
        array = np.frombuffer(values, dtype).reshape(shape)
    except ValueError as error:
        raise ValueError(f"{path}: expected a shape that an array has, got {shape}") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _header(path: str | os.PathLike, content: Content) -> tuple[str, tuple[int, ...]]:
    magic = content.read(4)
    if len(magic) < 4:
        raise ValueError(f"{path}: truncated, expected a magic number, got {len(magic)} bytes")
    dtype, ndim = _DTYPES.get(magic[2]), magic[3]
    if magic[:2] != b"\0\0" or dtype is None or ndim == 0:
        raise ValueError(
            f"{path}: not an IDX file, expected a magic number like 00000803, got {magic.hex()}"
        )
    sizes = content.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(
            f"{path}: truncated, expected a header of {4 + 4 * ndim} bytes, got {4 + len(sizes)}"
        )
    return dtype, tuple(int(size) for size in np.frombuffer(sizes, ">u4"))


def idx_folder(
    folder: str | os.PathLike, classes: Sequence[str] | None = None
) -> tuple[ImageDataset, ImageDataset]:
    """Read the four IDX files of a folder: the training set and the test set.

    classes  their names; "0", "1", ... up to the largest label found in training if not given

    The names are MNIST's (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-...), with "."
    for "-" before idx, with a prefix (emnist-letters-train-images-idx3-ubyte) and with or
    without .gz: Fashion-MNIST and EMNIST are read as they are published.

    Raises FileNotFoundError for a missing folder or file, ValueError for files that do not fit
    each other, of which there are several to choose from, or with a label out of range.

    >>> import nnet as nn
    >>> train, test = nn.data.idx_folder(nn.data.MNIST_FOLDER)
    >>> train.images.shape, len(test), train.classes[-1]
    ((60000, 1, 28, 28), 10000, '9')
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of IDX files")
    train = _read_pair(folder, ("train",))
    test = _read_pair(folder, ("t10k", "test"))
    try:
        names = names_of(train[1]) if classes is None else tuple(classes)
        return ImageDataset(*train, names), ImageDataset(*test, names)
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error


def _read_pair(folder: Path, parts: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    image_path = _find(folder, parts, "images", 3)
    label_path = _find(folder, parts, "labels", 1)
    images = read_idx(image_path)
    labels = read_idx(label_path)
    if images.ndim != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"{image_path}: expected bytes of shape (N, height, width), "
            f"got {images.dtype} of shape {images.shape}"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{label_path}: expected integers of shape (N,), "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    if len(images) != len(labels):
        raise ValueError(
            f"{label_path}: expected {len(images)} labels, one for each image of "
            f"{image_path.name}, got {len(labels)}"
        )
    return images[:, None], labels.astype(np.int64)


def _find(folder: Path, parts: tuple[str, ...], kind: str, ndim: int) -> Path:
    ends = tuple(
        f"{part}-{kind}{mark}idx{ndim}-ubyte{packed}"
        for part in parts
        for mark in "-."
        for packed in ("", ".gz")
    )
    found = sorted(path for path in folder.iterdir() if path.name.endswith(ends))
    if not found:
        raise FileNotFoundError(f"{folder}: expected a file {ends[0]} or {ends[1]}, found none")
    # The same file plain and packed is one file.
    if len({path.name.removesuffix(".gz") for path in found}) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(f"{folder}: expected one file of {kind} for {parts[0]}, got {names}")
    return found[0]
