"""Numbers in steps, and the identity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from .casting import check_device
from .integers import as_integer
from .tensor import Tensor

__all__ = ["arange", "linspace", "eye"]


def arange(
    start: float | None = None,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from start to below end, or from 0 to below start; float32 if one of them is a float.

    Raises ValueError for a step of 0, one that leads away from end, and what is not finite.

    >>> import nnet as nn
    >>> nn.arange(3, 0, -1)
    tensor([3, 2, 1])
    """
    check_device("arange", device)
    if end is None:
        if start is None:
            raise TypeError("arange: expected an end, got none")
        start, end = 0, start
    given = [each.item() if isinstance(each, Tensor) else each for each in (start or 0, end, step)]
    if not all(math.isfinite(each) for each in given):
        raise ValueError(f"arange: expected finite numbers, got {given}")
    if dtype is not None and np.dtype(dtype).kind != "f":
        given = [int(each) for each in given]
    first, last, by = given
    if by == 0 or (last - first) * by < 0:
        raise ValueError(f"arange: expected a step that leads from {first} to {last}, got {by}")
    numbers = np.arange(first, last, by)
    if dtype is None and numbers.dtype.kind == "f":
        dtype = np.float32
    return Tensor(numbers if dtype is None else numbers.astype(dtype, copy=False), requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from start to end, both among them, at equal distances; start alone if one.

    Raises ValueError for steps below 0.

    >>> import nnet as nn
    >>> nn.linspace(0, 1, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    check_device("linspace", device)
    count = _count("linspace", "steps", steps)
    first, last = (
        each.item() if isinstance(each, Tensor) else float(each) for each in (start, end)
    )
    numbers = np.linspace(first, last, count)
    dtype = np.dtype(dtype or np.float32)
    return Tensor(
        (np.trunc(numbers) if dtype.kind in "iu" else numbers).astype(dtype), requires_grad
    )


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones where row and column are the same, in n rows and m columns, n if not given.

    Raises ValueError for sizes below 0.

    >>> import nnet as nn
    >>> nn.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    check_device("eye", device)
    rows = _count("eye", "n", n)
    columns = rows if m is None else _count("eye", "m", m)
    return Tensor(np.eye(rows, columns, dtype=dtype or np.float32), requires_grad)


def _count(op: str, name: str, number: Any) -> int:
    count = as_integer(number)
    if count is None:
        raise TypeError(f"{op}: expected an integer {name}, got {number!r}")
    if count < 0:
        raise ValueError(f"{op}: expected {name} >= 0, got {count}")
    return count
