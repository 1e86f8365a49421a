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

    def type(self, dtype: Any = None, non_blocking: Any = False) -> Any:
        """The name of this type of tensors, "torch.FloatTensor"; or the tensor in another dtype.

        dtype  or one of those names, or the function: `x.type(nn.LongTensor)`
        """
        if dtype is None:
            return f"torch.{_TENSOR_OF[self.data.dtype.name]}"
        name = getattr(dtype, "__name__", dtype)
        if isinstance(name, str) and name.endswith("Tensor"):
            found = [
                of
                for of, tensor in _TENSOR_OF.items()
                if (tensor if callable(dtype) else f"torch.{tensor}") == name
            ]
            if not found:
                raise ValueError(f"type: expected a name as 'torch.FloatTensor', got {name!r}")
            dtype = found[0]
        elif isinstance(dtype, str):
            raise ValueError(f"type: expected a name as 'torch.FloatTensor', got {dtype!r}")
        return self.to(np.dtype(dtype))

    def type_as(self, other: Operand) -> R:
        """In the dtype of another tensor."""
        return self.to(other.data.dtype)

    def cpu(self) -> R:
        return self  # type: ignore[return-value]

    def float(self) -> R:
        return self.to(np.float32)

    def double(self) -> R:
        return self.to(np.float64)

    def byte(self) -> R:
        return self.to(np.uint8)

    def char(self) -> R:
        return self.to(np.int8)

    def short(self) -> R:
        return self.to(np.int16)

    def int(self) -> R:
        return self.to(np.int32)

    def long(self) -> R:
        return self.to(np.int64)

    def bool(self) -> R:
        return self.to(np.bool_)


_TENSOR_OF = {
    "float32": "FloatTensor",
    "float64": "DoubleTensor",
    "uint8": "ByteTensor",
    "int8": "CharTensor",
    "int16": "ShortTensor",
    "int32": "IntTensor",
    "int64": "LongTensor",
    "bool": "BoolTensor",
}


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
