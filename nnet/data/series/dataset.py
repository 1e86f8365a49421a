"""Series of measurements, each with a label: gestures, voices, the course of a machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...autograd.integers import as_indices
from ...autograd.tensor import Tensor
from ..statistics import ChannelStatistics

__all__ = ["SeriesDataset", "series_statistics"]


@dataclass(frozen=True, eq=False)
class SeriesDataset:
    """Series of different lengths, their labels and what the labels mean.

    series    (N, T, C) float32; what lies beyond a series' end counts for nothing, and is zeroed
    lengths   (N,) int64, each in [1, T]
    labels    (N,) int64, each in [0, len(classes))
    classes   names of the classes

    Raises TypeError for other dtypes, ValueError for other shapes, counts that differ, lengths or
    labels out of range, and a value within its series that is not finite as float32.

    >>> import numpy as np, nnet as nn
    >>> walks = nn.data.SeriesDataset(
    ...     np.ones((2, 5, 3), np.float32), np.array([5, 2]), np.array([0, 1]), ("cat", "dog")
    ... )
    >>> series, lengths, labels = walks.batch([1])
    >>> series.shape, lengths.numpy(), labels.numpy()
    ((2, 1, 3), array([2]), array([1]))
    """

    series: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        series, lengths, labels = self.series, self.lengths, self.labels
        if series.dtype.kind != "f":
            raise TypeError(f"SeriesDataset: expected series of floats, got {series.dtype}")
        if series.ndim != 3:
            raise ValueError(
                f"SeriesDataset: expected series of shape (N, T, C), got {series.shape}"
            )
        count, steps, channels = series.shape
        if not channels:
            raise ValueError(
                f"SeriesDataset: expected at least one channel, got shape {series.shape}"
            )
        for name, values, least, end in (
            ("lengths", lengths, 1, steps + 1),
            ("labels", labels, 0, len(self.classes)),
        ):
            if values.dtype.kind not in "iu":
                raise TypeError(f"SeriesDataset: expected integer {name}, got {values.dtype}")
            if values.shape != (count,):
                raise ValueError(
                    f"SeriesDataset: expected {count} {name}, one for each series, "
                    f"got shape {values.shape}"
                )
            wrong = np.flatnonzero((values < least) | (values >= end))
            if wrong.size:
                raise ValueError(
                    f"SeriesDataset: expected {name} from {least} to {end - 1}, "
                    f"got {values[wrong[0]]} at series {wrong[0]}"
                )
        with np.errstate(over="ignore"):
            kept = series.astype(np.float32)
        if count:
            kept[np.arange(steps) >= lengths[:, None]] = 0
        wild = np.argwhere(~np.isfinite(kept))
        if len(wild):
            index, step, channel = wild[0]
            raise ValueError(
                f"SeriesDataset: expected finite values, got {series[index, step, channel]} "
                f"at series {index}, step {step}, channel {channel}"
            )
        object.__setattr__(self, "series", kept)
        object.__setattr__(self, "lengths", lengths.astype(np.int64))
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "classes", tuple(self.classes))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        return self.series[index, : self.lengths[index]], int(self.labels[index])

    def subset(self, indices: Sequence[int] | np.ndarray) -> SeriesDataset:
        """The series at `indices`, in that order, or where a mask is True, as their own data set.

        Raises TypeError for what is neither, IndexError for what is out of range.
        """
        kept = as_indices("SeriesDataset.subset", indices, len(self))
        return SeriesDataset(self.series[kept], self.lengths[kept], self.labels[kept], self.classes)

    def batch(
        self, indices: Sequence[int] | np.ndarray, batch_first: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Series (T, N, C) float32 of zeros behind each end, lengths (N,), labels (N,).

        T is the longest of them; batch_first gives (N, T, C).
        """
        kept = as_indices("SeriesDataset.batch", indices, len(self))
        lengths = self.lengths[kept]
        series = self.series[kept, : lengths.max(initial=0)]
        if not batch_first:
            series = np.ascontiguousarray(series.transpose(1, 0, 2))
        return Tensor(series), Tensor(lengths), Tensor(self.labels[kept])

    def standardized(self, statistics: ChannelStatistics) -> SeriesDataset:
        """Each channel less its mean, divided by its standard deviation; padding stays zero."""
        channels = self.series.shape[2]
        mean, std = (np.asarray(numbers) for numbers in statistics)
        if mean.shape != (channels,) or std.shape != (channels,) or not (std > 0).all():
            raise ValueError(
                f"SeriesDataset: expected a mean and a std above 0 for each of {channels} "
                f"channels, got {statistics}"
            )
        series = (self.series - mean) / std
        return SeriesDataset(series, self.lengths, self.labels, self.classes)

    def fingerprint(self) -> str:
        """SHA-256 over the shape, the series, the lengths and the labels."""
        digest = hashlib.sha256(repr(self.series.shape).encode())
        digest.update(self.series.astype("<f4", copy=False).data)
        for integers in (self.lengths, self.labels):
            digest.update(integers.astype("<i8", copy=False).data)
        return digest.hexdigest()


def series_statistics(dataset: SeriesDataset) -> ChannelStatistics:
    """Mean and standard deviation of each channel over the steps that are there, not the padding.

    Take them of the training set alone. A constant channel has standard deviation 1 here, so that
    it is centred and not scaled. Raises ValueError for an empty data set.

    >>> import numpy as np, nnet as nn
    >>> series = np.array([[[1.0], [3.0], [99.0]]], np.float32)
    >>> data = nn.data.SeriesDataset(series, np.array([2]), np.array([0]), ("rise",))
    >>> nn.data.series_statistics(data)
    ChannelStatistics(mean=(2.0,), std=(1.0,))
    """
    if not len(dataset):
        raise ValueError("series_statistics: expected at least one series, got none")
    real = np.arange(dataset.series.shape[1]) < dataset.lengths[:, None]
    steps = dataset.series[real].astype(np.float64)
    std = steps.std(axis=0)
    return ChannelStatistics(
        tuple(steps.mean(axis=0).tolist()), tuple(np.where(std > 0, std, 1.0).tolist())
    )
