"""What the functions of each element share."""

from __future__ import annotations

import numpy as np

from kernels import activation

from ...autograd.in_place import rewrite
from ...autograd.results import record
from ...autograd.tape import Backward
from ...autograd.tensor import Tensor
from ..check import check_tensors


def apply(op: str, formula: activation.Formula, input: Tensor, inplace: bool = False) -> Tensor:
    """The formula of every element; in place, written over the input, which is returned."""
    check_tensors(op, input=input)
    if not inplace:
        y, saved = activation.forward(formula, input.data)
        return record(y, (input,), lambda dy: activation.backward(dy, saved))

    def write(x: np.ndarray, out: np.ndarray) -> Backward:
        if isinstance(formula, activation.Hardtanh):  # so that later writes do not spoil it
            y, saved = activation.forward(formula, x)
            np.copyto(out, y)
        else:
            saves_input = not activation.keeps_output(formula) or activation.keeps_input_too(
                formula
            )
            _, saved = activation.forward(formula, x.copy() if saves_input else x, out)
        return lambda dy: activation.backward(dy, saved)

    return rewrite(op, input, write)
