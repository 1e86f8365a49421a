"""Images with labels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kernels import gather_normalize

from ...autograd.integers import as_indices
from ...autograd.tensor import Tensor

__all__ = ["ImageDataset"]


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images, their labels and what the labels mean.

    images   (N, C, H, W) uint8
    labels   (N,) int64, each in [0, len(classes))
    classes  names of the classes

    Raises TypeError for other dtypes, ValueError for other shapes, counts that differ and labels
    out of range.

    >>> import numpy as np, nnet as nn
    >>> images = np.zeros((3, 1, 8, 8), np.uint8)
    >>> cats = nn.data.ImageDataset(images, np.array([0, 1, 1]), ("cat", "dog"))
    >>> len(cats), cats.subset([0, 2]).labels
    (3, array([0, 1]))
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != np.uint8:
            raise TypeError(f"ImageDataset: expected uint8 images, got {images.dtype}")
        if labels.dtype.kind not in "iu":
            raise TypeError(f"ImageDataset: expected integer labels, got {labels.dtype}")
        if images.ndim != 4:
            raise ValueError(
                f"ImageDataset: expected images of shape (N, C, H, W), got {images.shape}"
            )
        if labels.shape != images.shape[:1]:
            raise ValueError(
                f"ImageDataset: expected {len(images)} labels, one for each image, "
                f"got shape {labels.shape}"
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < len(self.classes):
            wrong = int(np.flatnonzero((labels < 0) | (labels >= len(self.classes)))[0])
            raise ValueError(
                f"ImageDataset: expected labels from 0 to {len(self.classes) - 1}, "
                f"got {labels[wrong]} at image {wrong}"
            )
        object.__setattr__(self, "images", np.ascontiguousarray(images))
        object.__setattr__(self, "labels", np.ascontiguousarray(labels, np.int64))
        object.__setattr__(self, "classes", tuple(self.classes))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return self.images[index], int(self.labels[index])

    def batch(
        self,
        indices: np.ndarray,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Those images, scaled to [0, 1] and normalized by channel, and their labels."""
        channels = self.images.shape[1]
        mean, std = mean or (0.0,) * channels, std or (1.0,) * channels
        images = gather_normalize.forward(self.images, indices, mean, std)
        return Tensor(images), Tensor(self.labels[indices])

    def subset(self, indices: Sequence[int] | np.ndarray) -> "ImageDataset":
        """The samples at `indices`, in that order, or where a mask is True, as their own data set.

        Raises TypeError for what is neither, IndexError for what is out of range.
        """
        indices = as_indices("ImageDataset.subset", indices, len(self))
        return ImageDataset(self.images[indices], self.labels[indices], self.classes)

    def fingerprint(self) -> str:
        """SHA-256 over the shape, the pixels and the labels."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(self.images.data)
        digest.update(self.labels.astype("<i8", copy=False).data)
        return digest.hexdigest()
