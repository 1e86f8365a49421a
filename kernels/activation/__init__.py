"""A function of every element of an array of any shape: ReLU, sigmoid, GELU and their like.

`forward(formula, x)` returns `(y, Saved)`, `backward(dy, saved)` returns dx; `formulas` says
which functions there are. Arrays are float32 or float64; TypeError for others, ValueError for a dy
of another shape than y. NaN in is NaN out.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.activation import cpu, reference
from kernels.activation.formulas import (
    ELU,
    GELU,
    Formula,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
    TanhGELU,
    keeps_input_too,
    keeps_output,
)

__all__ = [
    "ELU",
    "GELU",
    "IMPLEMENTATIONS",
    "Formula",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "ReLU",
    "Saved",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
    "TanhGELU",
    "backward",
    "forward",
    "keeps_input_too",
    "keeps_output",
]

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


_NOTHING: dict[int, np.ndarray] = {4: np.empty(0, np.float32), 8: np.empty(0, np.float64)}


class Saved(NamedTuple):
    """Which formula, and the output if the gradient follows from it, else the input.

    x is the input where both are looked at, else empty.
    """

    formula: Formula
    kept: np.ndarray
    x: np.ndarray


def forward(
    formula: Formula, x: np.ndarray, out: np.ndarray | None = None
) -> tuple[np.ndarray, Saved]:
    """Return the formula's value at every x.

    out  C-contiguous, of x's shape and dtype, takes the values and is returned; it may be x where
         the gradient follows from the output alone

    >>> import numpy as np
    >>> from kernels import activation
    >>> activation.forward(activation.ReLU(), np.array([-1.0, 0.0, 2.0]))[0]
    array([0., 0., 2.])
    >>> activation.forward(activation.Sigmoid(), np.array([-1000.0, 0.0, 1000.0]))[0]
    array([0. , 0.5, 1. ])
    """
    (x,) = float_arrays(type(formula).__name__, x=x)
    y = _memory.empty(x.shape, x.dtype) if out is None else out
    if x.size:
        IMPLEMENTATIONS[device_of(x)].forward(formula=formula, x=x.reshape(-1), out_y=y.reshape(-1))
    kept = y if keeps_output(formula) else x
    return y, Saved(formula, kept, x if keeps_input_too(formula) else _NOTHING[x.itemsize])


def backward(dy: np.ndarray, saved: Saved) -> np.ndarray:
    """Return dy times the derivative."""
    formula, kept, x = saved
    name = type(formula).__name__
    kept, dy = float_arrays(name, y=kept, dy=dy)
    check_shape(name, "dy", dy, kept.shape)
    dx = _memory.empty(dy.shape, dy.dtype)
    if dy.size:
        IMPLEMENTATIONS[device_of(dy)].backward(
            formula=formula,
            dy=dy.reshape(-1),
            kept=kept.reshape(-1),
            x=x.reshape(-1),
            out_dx=dx.reshape(-1),
        )
    return dx
