"""Operations that compute nothing."""

from __future__ import annotations

import numpy as np

from ..autograd.tensor import Tensor
from .check import check_is_tensor, whole

__all__ = ["flatten", "one_hot"]


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from start_dim to end_dim into one.

    >>> import nnet as nn, nnet.functional as F
    >>> F.flatten(nn.zeros(2, 3, 4), 1).shape
    (2, 12)
    """
    check_is_tensor("flatten", input)
    return input.flatten(start_dim, end_dim)


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """int64 zeros with a one at each label, along a new last axis.

    num_classes  -1 for as many as the greatest label says

    Raises TypeError for labels of no integer dtype, ValueError for one outside [0, num_classes).

    >>> import nnet as nn, nnet.functional as F
    >>> F.one_hot(nn.tensor([1, 0]), 3)
    tensor([[0, 1, 0],
            [1, 0, 0]])
    """
    check_is_tensor("one_hot", input)
    num_classes = whole("one_hot", "num_classes", num_classes)
    labels = input.data
    if labels.dtype.kind not in "iu":
        raise TypeError(f"one_hot: expected integer labels, got {labels.dtype}")
    largest = int(labels.max()) if labels.size else -1
    classes = largest + 1 if num_classes == -1 else num_classes
    if classes < 1:
        raise ValueError(f"one_hot: expected num_classes of at least 1, got {num_classes}")
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(f"one_hot: expected labels from 0 to {classes - 1}, got {wrong[0]}")
    ones = np.zeros((*labels.shape, classes), np.int64)
    np.put_along_axis(ones, labels[..., None].astype(np.int64), 1, -1)
    return Tensor(ones)
