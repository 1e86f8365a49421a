"""One image from a file."""

import os
from pathlib import Path

import numpy as np


def read_image(path: str | os.PathLike, shape: tuple[int, int, int]) -> np.ndarray:
    """Read a PNG or .npy file as an image of the shape (C, H, W), uint8.

    A PNG is converted to grey or RGB to have C channels; an array may be (H, W) if C is 1.

    Raises FileNotFoundError for a missing file, ImportError naming the extra if a PNG is to be
    read and Pillow is not installed, TypeError for other pixels than bytes, ValueError for
    another size or format.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected an image, found no file")
    pixels = _read_array(path) if path.suffix == ".npy" else _read_png(path, shape[0])
    if pixels.dtype != np.uint8:
        raise TypeError(f"{path}: expected pixels of uint8, got {pixels.dtype}")
    image = pixels[None] if pixels.ndim == 2 else pixels
    if image.shape != shape:
        channels, height, width = shape
        raise ValueError(
            f"{path}: expected {channels} channel{'s' * (channels > 1)} of {height}x{width} "
            f"pixels, got shape {pixels.shape}"
        )
    return image


def _read_array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: expected an array in NumPy's format, {error}") from error


def _read_png(path: Path, channels: int) -> np.ndarray:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ImportError(
            f"{path}: Pillow is missing to read it, pip install 'nnet[plots]'"
        ) from error
    modes = {1: "L", 3: "RGB"}
    if channels not in modes:
        raise ValueError(f"{path}: expected a .npy file for a model of {channels} channels")
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise TypeError(f"{path}: expected 8 bits a channel, got mode {image.mode}")
            pixels = np.asarray(image.convert(modes[channels]))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError(f"{path}: expected a PNG image, {error}") from error
    return pixels if channels == 1 else pixels.transpose(2, 0, 1)
