"""Series from a file."""

import os
from collections.abc import Sequence

from ..classes import names_of
from ..numpy_file import read_arrays
from .dataset import SeriesDataset

__all__ = ["series_npz"]

_KEYS = tuple(f"{what}_{part}" for part in ("train", "test") for what in ("x", "len", "y"))


def series_npz(
    path: str | os.PathLike, classes: Sequence[str] | None = None
) -> tuple[SeriesDataset, SeriesDataset]:
    """Read series to train on and to test on from a file of NumPy's npz format.

    classes  their names; "0", "1", ... up to the largest label found in training if not given

    The arrays are x_train (N, T, C) with zeros behind the end of a series, len_train (N,), y_train
    (N,), and the same of test.

    Raises FileNotFoundError for a missing file, ValueError for one that is no npz file or lacks an
    array, and what `SeriesDataset` raises, naming the part.

    >>> import numpy as np, nnet as nn, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "walks.npz"
    >>> x, lengths, y = np.zeros((4, 9, 2)), np.full(4, 9), np.array([0, 1, 2, 0])
    >>> np.savez(
    ...     path, x_train=x, len_train=lengths, y_train=y, x_test=x, len_test=lengths, y_test=y
    ... )
    >>> train, test = nn.data.series_npz(path)
    >>> train.series.shape, test.classes
    ((4, 9, 2), ('0', '1', '2'))
    """
    arrays = read_arrays(path, _KEYS)
    missing = [name for name in _KEYS if name not in arrays]
    if missing:
        raise ValueError(f"{path}: expected the arrays {', '.join(_KEYS)}, found no {missing[0]}")
    if classes is None:
        labels = arrays["y_train"]
        try:
            classes = names_of(labels) if labels.ndim == 1 and labels.dtype.kind in "iu" else ()
        except ValueError as error:
            raise ValueError(f"{path}, train: {error}") from error
    parts = []
    for part in ("train", "test"):
        x, lengths, y = (arrays[f"{what}_{part}"] for what in ("x", "len", "y"))
        try:
            parts.append(SeriesDataset(x, lengths, y, tuple(classes)))
        except (TypeError, ValueError) as error:
            raise type(error)(f"{path}, {part}: {error}") from error
    if parts[0].series.shape[2] != parts[1].series.shape[2]:
        raise ValueError(
            f"{path}: expected as many channels to test on as to train on, "
            f"got {parts[1].series.shape[2]} and {parts[0].series.shape[2]}"
        )
    return parts[0], parts[1]
