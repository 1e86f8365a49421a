"""What the kinds of dropout share: masks of elements, or of whole channels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernels import bernoulli_mask

from ... import random
from ...autograd.in_place import rewrite
from ...autograd.results import record
from ...autograd.tape import Backward
from ...autograd.tensor import Tensor
from ..check import check_tensors


def check(op: str, input: Tensor, p: float) -> None:
    check_tensors(op, input=input)
    if isinstance(p, Tensor):
        raise TypeError(f"{op}: expected p as a number, got a tensor")
    if not 0 <= p <= 1:
        raise ValueError(f"{op}: expected p from 0 to 1, got {p}")


def masked(
    op: str, input: Tensor, p: float, training: bool, plane: int, inplace: bool, **numbers: Any
) -> Tensor:
    """In training, drop planes of so many elements with probability p each."""
    if not training or p == 0:
        return input

    def write(x: np.ndarray, out: np.ndarray | None) -> tuple[np.ndarray, Backward]:
        seed, stream = random.next_stream() if p < 1 else (0, 0)
        y, saved = bernoulli_mask.forward(
            x, p, seed=seed, stream=stream, plane=plane, out=out, **numbers
        )
        return y, lambda dy: bernoulli_mask.backward(dy, saved)

    if inplace:
        return rewrite(op, input, lambda x, out: write(x, out)[1])
    y, backward = write(input.data, None)
    return record(y, (input,), backward)


def channels_masked(
    op: str,
    input: Tensor,
    p: float,
    training: bool,
    inplace: bool,
    axes: dict[int, int],
    **numbers: Any,
) -> Tensor:
    """Drop channels together: `axes` says for a number of axes how many count channels."""
    check(op, input, p)
    shape = input.shape
    if len(shape) not in axes:
        wanted = " or ".join(map(str, axes)) if len(axes) < 3 else "at least 2"
        raise ValueError(f"{op}: expected input of {wanted} axes, got shape {shape}")
    plane = math.prod(shape[axes[len(shape)] :])
    return masked(op, input, p, training, max(plane, 1), inplace, **numbers)
