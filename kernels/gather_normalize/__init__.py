"""Gather a batch of images and normalize it: bytes in, floats out.

    out[b, c] = (images[indices[b], c] / 255 - mean[c]) / std[c]

There is no gradient: the images are data.
"""

from collections.abc import Sequence

import numpy as np

from kernels import _memory
from kernels._device import Implementations, device_of
from kernels.gather_normalize import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


def forward(
    images: np.ndarray,
    indices: np.ndarray,
    mean: Sequence[float] | np.ndarray,
    std: Sequence[float] | np.ndarray,
) -> np.ndarray:
    """Return the chosen images as (B, C, H, W) float32 with mean 0 and standard deviation 1.

    images     (N, C, H, W) uint8
    indices    (B,) any integer dtype, each in [0, N); repeats are allowed
    mean, std  one number a channel, of pixels scaled to [0, 1]; std > 0

    Raises TypeError for other dtypes, ValueError for other shapes, an index out of range, a
    mean that is not finite or a std that is not positive.

    >>> import numpy as np
    >>> from kernels import gather_normalize
    >>> images = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    >>> gather_normalize.forward(images, np.array([1, 0, 1]), [0.5], [0.25]).ravel()
    array([ 2., -2.,  2.], dtype=float32)
    """
    if images.dtype != np.uint8:
        raise TypeError(f"gather_normalize: expected uint8 images, got {images.dtype}")
    if images.ndim != 4:
        raise ValueError(
            f"gather_normalize: expected images of shape (N, C, H, W), got {images.shape}"
        )
    if indices.dtype.kind not in "iu":
        raise TypeError(f"gather_normalize: expected integer indices, got {indices.dtype}")
    if indices.ndim != 1:
        raise ValueError(f"gather_normalize: expected indices of shape (B,), got {indices.shape}")
    count, channels, height, width = images.shape
    if indices.size and not 0 <= indices.min() <= indices.max() < count:
        raise ValueError(
            f"gather_normalize: expected indices from 0 to {count - 1}, "
            f"got {indices.min()} to {indices.max()}"
        )
    mean = _one_per_channel("mean", mean, channels)
    std = _one_per_channel("std", std, channels)
    if not (std > 0).all():
        raise ValueError(f"gather_normalize: expected std > 0, got {std.tolist()}")

    images = np.ascontiguousarray(images)
    indices = np.ascontiguousarray(indices, np.int64)
    out = _memory.empty((indices.size, channels, height, width), np.float32)
    IMPLEMENTATIONS[device_of(images)].gather_normalize(
        images=images, indices=indices, mean=mean, std=std, out=out
    )
    return out


def _one_per_channel(name: str, values: Sequence[float] | np.ndarray, channels: int) -> np.ndarray:
    array = np.ascontiguousarray(values, np.float64)
    if array.shape != (channels,):
        raise ValueError(
            f"gather_normalize: expected {name} of shape ({channels},), got {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"gather_normalize: expected finite {name}, got {array.tolist()}")
    return array
