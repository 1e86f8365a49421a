"""Series as the classifier takes them."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional
from ...autograd.tensor import Tensor
from ...data import BucketLoader, ChannelStatistics, SeriesDataset
from ...data.numpy_file import read_arrays
from ...module.module import Module
from ...training import Measured
from ...training.accuracy import count_right
from .description import SeriesDescription


def read_series(path: str | os.PathLike, classes: Sequence[str]) -> SeriesDataset:
    """Read series without labels from a file of NumPy's npz format.

    The arrays are x (N, T, C) and len (N,), or x_test and len_test as in a file to train on; all
    series have length T without len. The labels of what is returned mean nothing.

    Raises FileNotFoundError for a missing file, TypeError for other dtypes, ValueError for one that
    is no npz file or lacks an array, and for lengths that do not fit.
    """
    try:
        found = read_arrays(path, ("x", "len", "x_test", "len_test"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path}: expected a file of series, found none") from error
    ending = "" if "x" in found else "_test"
    arrays = {name: found[name + ending] for name in ("x", "len") if name + ending in found}
    if "x" not in arrays:
        raise ValueError(f"{path}: expected an array x or x_test, found neither")
    x = arrays["x"]
    if not x.size:
        raise ValueError(f"{path}: expected series of shape (N, T, C), got {x.shape}")
    count, steps = (*x.shape, 0, 0)[:2]
    lengths = arrays.get("len", np.full(count, steps))
    try:
        return SeriesDataset(x, lengths, np.zeros(count, np.int64), tuple(classes))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error


def check_channels(description: SeriesDescription, dataset: SeriesDataset, name: str) -> None:
    channels = dataset.series.shape[2]
    if channels != len(description.mean):
        raise ValueError(
            f"{name}: expected series of {len(description.mean)} channels, as the run was "
            f"trained on, got {channels}"
        )


def statistics_of(description: SeriesDescription) -> ChannelStatistics:
    return ChannelStatistics(description.mean, description.std)


def loader(
    dataset: SeriesDataset,
    description: SeriesDescription,
    batch_size: int = 100,
    **order: Any,
) -> BucketLoader:
    """Batches of series, normalized as the model is used to."""
    return BucketLoader(dataset.standardized(statistics_of(description)), batch_size, **order)


def classified(model: Module, batch: tuple[Tensor, Tensor, Tensor]) -> Measured:
    """Of batches (series (T, N, C), lengths (N,), labels (N,))."""
    series, lengths, labels = batch
    scores = model(series, lengths)
    right = count_right(scores.numpy(), labels.numpy())
    return Measured(functional.cross_entropy(scores, labels), len(labels), right)
