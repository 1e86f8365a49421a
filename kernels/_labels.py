"""Class labels, checked before a kernel takes them as positions."""

import numpy as np

from kernels._check import plain


def checked_labels(
    op: str, labels: np.ndarray, shape: tuple[int, ...], classes: int, ignore_index: int | None
) -> np.ndarray:
    """The labels as plain int64, each in [0, classes) or equal to ignore_index.

    Raises TypeError for what is no array of integers, ValueError for another shape and for the
    first label out of range.
    """
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        got = labels.dtype if isinstance(labels, np.ndarray) else type(labels).__name__
        raise TypeError(f"{op}: expected labels to be an integer array, got {got}")
    if labels.shape != shape:
        raise ValueError(f"{op}: expected labels of shape {shape}, got {labels.shape}")
    checked = plain(labels.astype(np.int64, copy=False))
    # As unsigned numbers negative labels are large ones.
    if labels.size and checked.view(np.uint64).max() >= classes:
        wrong = (labels < 0) | (labels >= classes)
        if ignore_index is not None:
            wrong &= labels != ignore_index
        if wrong.any():
            index = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), shape))
            ignored = "" if ignore_index is None else f" or ignore_index {ignore_index}"
            where = f" at row {index[0]}" if len(index) == 1 else f" at {index}" if index else ""
            raise ValueError(
                f"{op}: expected labels from 0 to {classes - 1}{ignored}, "
                f"got {labels[index]}{where}"
            )
    return checked
