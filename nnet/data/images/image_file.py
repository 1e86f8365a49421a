"""One image from a file."""

import os
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..numpy_file import array_of, header_of
from ..regular_file import opened

__all__ = ["read_image"]

_MODES = {1: "L", 3: "RGB"}


def read_image(path: str | os.PathLike, shape: tuple[int, int, int]) -> np.ndarray:
    """Read a PNG or .npy file as an image of the shape (C, H, W), uint8.

    A PNG is converted to grey or RGB to have C channels; an array may be (H, W) if C is 1. Of a
    file of another size or format no pixel is decoded.

    Raises FileNotFoundError for a missing file, ImportError naming the extra if a PNG is to be
    read and Pillow is not installed, TypeError for other pixels than bytes, ValueError for
    another size or format.

    >>> import numpy as np, nnet as nn, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "digit.npy"
    >>> np.save(path, np.zeros((28, 28), np.uint8))
    >>> nn.data.read_image(path, (1, 28, 28)).shape
    (1, 28, 28)
    """
    path = Path(path)
    try:
        file = opened(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: expected an image, found no file") from error
    with file:
        read = _read_array if path.suffix == ".npy" else _read_png
        return read(file, path, shape)


def _read_array(file: BinaryIO, path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    try:
        header = header_of(file)
    except ValueError as error:
        raise ValueError(f"{path}: expected an array in NumPy's format, {error}") from error
    if header.dtype != np.uint8:
        raise TypeError(f"{path}: expected pixels of uint8, got {header.dtype}")
    _check(path, shape, header.shape)
    return array_of(file, header).reshape(shape)


def _read_png(file: BinaryIO, path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            f"{path}: Pillow is missing to read it, pip install 'nnet[plots]'"
        ) from error
    channels, height, width = shape
    if channels not in _MODES:
        raise ValueError(f"{path}: expected a .npy file for a model of {channels} channels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # Of other formats some start a program.
            Image.open(file, formats=["PNG"]).verify()
            file.seek(0)
            image = Image.open(file, formats=["PNG"])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: expected {height}x{width} pixels, {error}") from error
    except Exception as error:  # as of all decoders of foreign bytes, of many kinds
        raise ValueError(f"{path}: expected a PNG image, {error}") from error
    if image.mode.startswith(("I", "F")):
        raise TypeError(f"{path}: expected 8 bits a channel, got mode {image.mode}")
    _check(path, shape, image.size[::-1] if channels == 1 else (channels, *image.size[::-1]))
    try:
        pixels = np.array(image.convert(_MODES[channels]))
    except Exception as error:
        raise ValueError(f"{path}: expected a PNG image, {error}") from error
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def _check(path: Path, shape: tuple[int, int, int], got: tuple[int, ...]) -> None:
    channels, height, width = shape
    if got != shape and (1, *got) != shape:
        raise ValueError(
            f"{path}: expected {channels} channel{'s' * (channels > 1)} of {height}x{width} "
            f"pixels, got shape {got}"
        )
