"""Losses that are a sum over elements, each of a number x and its target t.

kind               loss                                              parameter, default 1
"squared"          (x - t)^2
"absolute"         |x - t|
"smooth"           (x - t)^2 / (2 beta) where |x - t| < beta,        beta > 0
                   else |x - t| - beta / 2
"huber"            beta times that                                   delta > 0
"binary"           -t log x - (1 - t) log(1 - x), x in [0, 1]
"logistic"         "binary" of sigmoid(x), computed from x
"divergence"       t (log t - x), x a logarithm
"log_divergence"   e^t (t - x), both logarithms
"hinge"            x where t = 1, max(0, margin - x) where t = -1    margin

forward computes the gradient to x in the same pass, and backward has nothing to do where dloss
is 1. Sums are taken in float64, in an order that depends on the size alone.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.pointwise_loss import cpu, reference
from kernels.pointwise_loss.formulas import KINDS

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    gradient: np.ndarray  # of x's shape; empty where it was not wanted
    reduced: bool


def forward(
    kind: str,
    x: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray | None = None,
    pos_weight: np.ndarray | None = None,
    *,
    parameter: float = 1.0,
    divisor: float | None = None,
    gradient: bool = True,
) -> tuple[np.ndarray, Saved]:
    """Return the losses of x's shape, or their sum over `divisor` where that is given.

    x, target   one shape, float32 or float64
    weight      broadcasts to x: a factor of each loss
    pos_weight  broadcasts to x: a factor of t in "logistic", where t = 1 shall count more
    divisor     NaN comes out for 0
    gradient    whether backward will be called

    Raises TypeError for other dtypes; ValueError for other shapes, for an unknown kind, for
    "binary" with x outside [0, 1].

    >>> import numpy as np
    >>> from kernels import pointwise_loss
    >>> x, t = np.array([1.0, 2.0]), np.array([1.0, 4.0])
    >>> loss, saved = pointwise_loss.forward("squared", x, t, divisor=2)
    >>> loss, pointwise_loss.backward(np.ones(()), saved)
    (array(2.), array([ 0., -2.]))
    """
    op = f"pointwise_loss {kind}"
    if kind not in KINDS:
        raise ValueError(f"pointwise_loss: expected kind from {', '.join(KINDS)}, got {kind!r}")
    x, target = float_arrays(op, x=x, target=target)
    check_shape(op, "target", target, x.shape)
    if kind == "binary" and x.size:
        least, most = np.fmin.reduce(x, axis=None), np.fmax.reduce(x, axis=None)
        if least < 0 or most > 1:
            raise ValueError(f"{op}: expected x from 0 to 1, got {least if least < 0 else most}")
    shape, reduced = x.shape, divisor is not None
    losses = _memory.empty(0 if reduced else shape, x.dtype)
    total = np.zeros(1)
    slope = _memory.empty(shape if gradient else 0, x.dtype)
    if x.size:
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.forward(
            kind=kind,
            x=x.reshape(-1),
            target=target.reshape(-1),
            weight=_spread(op, "weight", weight, x),
            pos_weight=_spread(op, "pos_weight", pos_weight, x),
            parameter=float(parameter),
            scale=1.0 / divisor if divisor else 1.0,
            **_memory.scratch(implementation.forward_scratch(x)),
            out_loss=losses.reshape(-1),
            out_sum=total,
            out_gradient=slope.reshape(-1),
        )
    if divisor is None:
        return losses, Saved(slope, reduced)
    with np.errstate(over="ignore"):  # float32 may end at inf; whoever trains sees that
        loss = np.array(total[0] / divisor if divisor else np.nan).astype(x.dtype)
    return loss, Saved(slope, reduced)


def backward(dloss: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dx for dloss of the loss's shape; what forward saved itself where dloss is 1.

    Raises TypeError for another dtype, ValueError for another shape.
    """
    gradient, reduced = saved
    _, dloss = float_arrays("pointwise_loss", x=gradient, dloss=dloss)
    check_shape("pointwise_loss", "dloss", dloss, () if reduced else gradient.shape)
    if reduced and dloss == 1:
        return gradient
    dx = _memory.empty(gradient.shape, gradient.dtype)
    if dx.size:
        IMPLEMENTATIONS[device_of(gradient)].backward(
            gradient=gradient.reshape(-1), dloss=dloss.reshape(-1), out_dx=dx.reshape(-1)
        )
    return dx


def _spread(op: str, name: str, factor: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    """The factor of each element; empty for None."""
    if factor is None:
        return np.empty(0, x.dtype)
    _, factor = float_arrays(op, x=x, **{name: factor})
    try:
        spread = np.broadcast_to(factor, x.shape)
    except ValueError:
        raise ValueError(
            f"{op}: expected {name} that broadcasts to {x.shape}, got {factor.shape}"
        ) from None
    return (
        np.ascontiguousarray(spread).reshape(-1)
        if spread.shape != factor.shape
        else factor.reshape(-1)
    )
