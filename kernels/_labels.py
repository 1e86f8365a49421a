"""Class labels, checked before a kernel takes them as positions."""

import numpy as np

from kernels._check import plain
from kernels._jit import jit


def checked_labels(
    op: str, labels: np.ndarray, shape: tuple[int, ...], classes: int, ignore_index: int | None
) -> np.ndarray:
    """The labels as plain int64, each in [0, classes) or equal to ignore_index.

    Raises TypeError for what is no array of integers, ValueError for another shape and for the
    first label out of range.
    """
    return counted_labels(op, labels, shape, classes, ignore_index)[0]


def counted_labels(
    op: str, labels: np.ndarray, shape: tuple[int, ...], classes: int, ignore_index: int | None
) -> tuple[np.ndarray, int]:
    """`checked_labels`, and how many of them are not ignored."""
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        got = labels.dtype if isinstance(labels, np.ndarray) else type(labels).__name__
        raise TypeError(f"{op}: expected labels to be an integer array, got {got}")
    if labels.shape != shape:
        raise ValueError(f"{op}: expected labels of shape {shape}, got {labels.shape}")
    checked = plain(labels.astype(np.int64, copy=False))
    # An unsigned label may be negative only for having been too large.
    skipped = None if labels.dtype.kind == "u" and (ignore_index or 0) < 0 else ignore_index
    skips = skipped is not None
    wrong, ignored = _tally(checked.reshape(-1), classes, skips, skipped if skips else 0)
    if wrong >= 0:
        index = tuple(int(i) for i in np.unravel_index(wrong, shape))
        or_ignored = "" if ignore_index is None else f" or ignore_index {ignore_index}"
        where = f" at row {index[0]}" if len(index) == 1 else f" at {index}" if index else ""
        raise ValueError(
            f"{op}: expected labels from 0 to {classes - 1}{or_ignored}, got {labels[index]}{where}"
        )
    return checked, checked.size - ignored


@jit
def _tally(labels, classes, skips, ignore_index):
    """Where the first label out of range is, or -1, and how many are ignored."""
    wrong = ignored = 0
    for label in labels:
        skip = skips and label == ignore_index
        ignored += skip
        wrong += not skip and not 0 <= label < classes
    if wrong:
        for i in range(labels.size):
            skip = skips and labels[i] == ignore_index
            if not skip and not 0 <= labels[i] < classes:
                return i, ignored
    return -1, ignored
