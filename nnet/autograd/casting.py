"""Tensor methods that change the dtype, and the device, of which there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from .operand import Operand, R

__all__ = ["device"]


class Casting(Operand[R]):
    """Gradients of floats come back in the dtype before; integers leave the tape."""

    __slots__ = ()

    def to(self, *target: Any, device: Any = None, dtype: Any = None) -> R:
        """Another dtype; the device "cpu" changes nothing."""
        dtype = target_dtype(*target, device, dtype)
        x = self.data
        if dtype is None or dtype == x.dtype:
            return self  # type: ignore[return-value]
        if dtype.kind != "f":
            return self._record(x.astype(dtype), ())
        before = x.dtype
        return self._record(x.astype(dtype), (self,), lambda dy: dy.astype(before))

    type = to

    def cpu(self) -> R:
        return self  # type: ignore[return-value]

    def float(self) -> R:
        return self.to(np.float32)

    def double(self) -> R:
        return self.to(np.float64)

    def long(self) -> R:
        return self.to(np.int64)

    def bool(self) -> R:
        return self.to(np.bool_)


def device(name: str) -> str:
    """The only device there is, "cpu"; ValueError for another one.

    >>> import nnet as nn
    >>> nn.zeros(2).to(nn.device("cpu"))
    tensor([0., 0.])
    """
    target_dtype(name)
    return name


def target_dtype(*target: Any) -> np.dtype | None:
    """The dtype among the arguments of `to`, which may also name the device "cpu"."""
    dtype = None
    for argument in target:
        if isinstance(argument, str):
            if argument != "cpu":
                raise ValueError(f"to: expected the device 'cpu', got {argument!r}")
        elif isinstance(argument, Operand):
            dtype = argument.data.dtype
        elif argument is not None:
            dtype = np.dtype(argument)
            if dtype.kind not in "biu" and dtype not in (np.float32, np.float64):
                raise TypeError(
                    f"to: expected float32, float64, an integer type or bool, got {dtype}"
                )
    return dtype


def check_device(op: str, device: Any) -> None:
    """Raise ValueError for another device than "cpu", TypeError for what is none."""
    if device is not None and not isinstance(device, str):
        raise TypeError(f"{op}: expected the device 'cpu', got {type(device).__name__}")
    if device not in (None, "cpu"):
        raise ValueError(f"{op}: expected the device 'cpu', got {device!r}")
