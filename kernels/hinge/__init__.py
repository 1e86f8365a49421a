"""The multi-class support vector machine's loss, on scores (N, C) with labels (N,).

A row with the label y loses weight[y] / C * sum over c != y of max(0, margin - x[y] + x[c])^power
(Weston & Watkins 1999, over C as in PyTorch). forward computes the gradient in the same pass.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays, float_arrays_or_none
from kernels._device import Implementations, device_of
from kernels._labels import checked_labels
from kernels.hinge import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    gradient: np.ndarray  # (N, C); empty where it was not wanted
    reduced: bool


def forward(
    x: np.ndarray,
    labels: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    power: int = 1,
    margin: float = 1.0,
    divisor: float | None = None,
    gradient: bool = True,
) -> tuple[np.ndarray, Saved]:
    """Return the rows' losses (N,), or their sum over `divisor` where that is given.

    x         (N, C) float32 or float64, C >= 1
    labels    (N,) of any integer dtype in [0, C)
    weight    (C,) of x's dtype, or None for ones
    power     1 or 2
    divisor   NaN comes out for 0
    gradient  whether backward will be called

    Raises TypeError for other dtypes; ValueError for other shapes, labels out of range, another
    power.

    >>> import numpy as np
    >>> from kernels import hinge
    >>> scores = np.array([[3.0, 5.0, 2.5]])
    >>> loss, saved = hinge.forward(scores, np.array([0]), divisor=1)
    >>> round(3 * loss, 6), 3 * hinge.backward(np.ones(()), saved)
    (np.float64(3.5), array([[-2.,  1.,  1.]]))
    """
    x, weight = float_arrays_or_none("hinge", {"x": x}, weight=weight)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"hinge: expected x of shape (N, C), C >= 1, got {x.shape}")
    rows, classes = x.shape
    if weight is None:
        weight = np.ones(classes, x.dtype)
    check_shape("hinge", "weight", weight, (classes,))
    if power not in (1, 2):
        raise ValueError(f"hinge: expected power 1 or 2, got {power}")
    labels = checked_labels("hinge", labels, (rows,), classes, None)
    losses = np.empty(rows, np.float64)
    slope = _memory.empty((rows if gradient else 0, classes), x.dtype)
    if rows:
        IMPLEMENTATIONS[device_of(x)].forward(
            x=x,
            labels=labels,
            weight=weight,
            power=int(power),
            margin=float(margin),
            scale=1.0 / divisor if divisor else 1.0,
            out_loss=losses,
            out_gradient=slope,
        )
    if divisor is not None:
        losses = np.array(losses.sum() / divisor if divisor else np.nan)
    with np.errstate(over="ignore"):  # float32 may end at inf; whoever trains sees that
        return losses.astype(x.dtype), Saved(slope, divisor is not None)


def backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx (N, C) for dloss of the loss's shape; what forward saved itself where it is 1.

    Raises TypeError for another dtype, ValueError for another shape.
    """
    gradient, reduced = saved
    _, dloss = float_arrays("hinge", x=gradient, dloss=dloss)
    rows = len(gradient)
    check_shape("hinge", "dloss", dloss, () if reduced else (rows,))
    if reduced and dloss == 1:
        return gradient
    dx = _memory.empty(gradient.shape, gradient.dtype)
    if rows:
        row_scale = dloss.astype(np.float64).reshape(-1)
        IMPLEMENTATIONS[device_of(gradient)].backward(
            gradient=gradient, row_scale=row_scale, out_dx=dx
        )
    return dx
