"""Samples that lie in arrays, and samples that come one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.integers import as_indices
from ..autograd.joining import stack
from ..autograd.tensor import Tensor, as_array

__all__ = ["ArrayDataset"]


class ArrayDataset:
    """Arrays or tensors with a row a sample: a sample is a row of each.

    arrays  of as many rows each, as inputs and targets
    dtype   that arrays of floats are converted to, as layers have it; None leaves them

    Raises ValueError for no arrays and for other numbers of rows, TypeError for other dtypes than
    tensors have.

    >>> import numpy as np, nnet as nn
    >>> points = nn.data.ArrayDataset(np.random.rand(100, 3), np.arange(100) % 2)
    >>> x, y = next(iter(nn.data.DataLoader(points, batch_size=32, shuffle=True)))
    >>> x.shape, x.dtype, y.dtype
    ((32, 3), dtype('float32'), dtype('int64'))
    """

    def __init__(self, *arrays: Any, dtype: Any = np.float32) -> None:
        if not arrays:
            raise ValueError("ArrayDataset: expected at least one array, got none")
        found = [as_array(each) for each in arrays]
        if dtype is not None:
            found = [a.astype(dtype, copy=False) if a.dtype.kind == "f" else a for a in found]
        shapes = [array.shape for array in found]
        if not all(shapes) or len({shape[0] for shape in shapes}) > 1:
            raise ValueError(
                f"ArrayDataset: expected as many rows in each, one a sample, got shapes {shapes}"
            )
        self.arrays = tuple(found)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return tuple(array[index] for array in self.arrays)

    def batch(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """Those samples, in that order."""
        return tuple(Tensor(array[indices]) for array in self.arrays)

    def subset(self, indices: Sequence[int] | np.ndarray) -> ArrayDataset:
        """The samples at `indices`, in that order, or where a mask is True, as their own data set.

        Raises TypeError for what is neither, IndexError for what is out of range.
        """
        indices = as_indices("ArrayDataset.subset", indices, len(self))
        return ArrayDataset(*(array[indices] for array in self.arrays), dtype=None)


class OneByOne:
    """Samples of what has a length and is indexed, as a list of pairs, stacked to batches."""

    def __init__(self, samples: Any) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def batch(self, indices: np.ndarray) -> Any:
        samples = [self._samples[int(i)] for i in indices]
        if isinstance(samples[0], tuple | list):
            return tuple(_stacked(each) for each in zip(*samples, strict=True))
        return _stacked(samples)


def _stacked(values: Sequence[Any]) -> Tensor:
    return stack([Tensor(as_array(each)) for each in values])
