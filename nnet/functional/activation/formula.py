"""What the functions of each element share."""

from __future__ import annotations

from kernels import activation

from ...tensor import Tensor, record
from ..check import check_tensors


def apply(op: str, formula: activation.Formula, input: Tensor) -> Tensor:
    """The formula of every element."""
    check_tensors(op, input=input)
    y, saved = activation.forward(formula, input.data)
    return record(y, (input,), lambda dy: activation.backward(dy, saved))
