"""Flat buffers that hold the values and gradients of many parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from sys import getrefcount
from typing import Any

import numpy as np

from kernels import _memory

from .results import record
from .tensor import Tensor

# Elements; each parameter starts at a multiple, the gaps are zeros in every buffer.
ALIGNMENT = 16


class Home:
    """A parameter's place in flat buffers.

    buffers          values and gradients of all that live there, 1-D
    start            index of its first element
    data, gradient   its views of the two
    _values, _slopes the same, 1-D: NumPy lets every view of data or gradient refer to them and no
                     further, since they stand on memoryviews; so their references tell of views
    grad             a tensor on `gradient`, which the parameter's `grad` is after `backward`
    """

    __slots__ = ("_slopes", "_values", "buffers", "data", "grad", "gradient", "start")

    def __init__(
        self, buffers: tuple[np.ndarray, np.ndarray], start: int, shape: tuple[int, ...], size: int
    ) -> None:
        self.buffers = buffers
        self.start = start
        self._values, self._slopes = (
            np.frombuffer(buffer[start : start + size].data, buffer.dtype) for buffer in buffers
        )
        self.data, self.gradient = (row.reshape(shape) for row in (self._values, self._slopes))
        self.grad = record(self.gradient, ())

    def is_free(self, data: np.ndarray) -> bool:
        """Whether a parameter of these values has a place here for its first gradient.

        Not while somebody else holds the last one, as a tensor, an array or a view: it keeps its
        values.
        """
        return (
            self.data is data
            and getrefcount(self.grad) == 2
            and getrefcount(self.gradient) == 3
            and getrefcount(self._slopes) == 3
        )

    def is_seen(self) -> bool:
        """Whether somebody else holds the values, as an array or a view."""
        return getrefcount(self.data) > 3 or getrefcount(self._values) > 3


def layout(parameters: Sequence[Tensor]) -> tuple[list[int], int]:
    """Where each parameter starts in a flat buffer, and the buffer's size."""
    starts, size = [], 0
    for parameter in parameters:
        starts.append(size)
        size += -(-parameter.data.size // ALIGNMENT) * ALIGNMENT
    return starts, size


def flatten(parameters: Sequence[Tensor]) -> None:
    """Move parameters of one dtype into flat buffers, unless they lie in a row already.

    Those whose memory somebody else looks into stay where they are: tied weights, and what
    `detach()`, `state_dict()` or the array it was made from still shows.
    """
    starts, size = layout(parameters)
    if _in_a_row(parameters, starts):
        return
    dtype = parameters[0].data.dtype
    buffers = _memory.zeros(size, dtype), _memory.zeros(size, dtype)
    addresses = Counter(_address(parameter) for parameter in parameters)
    for parameter, start in zip(parameters, starts, strict=True):
        if addresses[_address(parameter)] > 1 or _is_shared(parameter):
            continue
        data, grad = parameter.data, parameter.grad
        home = parameter._home = Home(buffers, start, data.shape, data.size)
        np.copyto(home.data, data)
        parameter._place(home.data)
        if grad is not None and grad.data.shape == data.shape:
            np.copyto(home.gradient, grad.data)
            parameter.grad = home.grad


def at_home(parameter: Tensor) -> Home | None:
    """The parameter's home if values and gradient still live there, None after an assignment."""
    home: Any = parameter._home
    grad = parameter.grad
    if home is None or parameter.data is not home.data:
        return None
    if grad is not home.grad or grad.data is not home.gradient:
        return None
    return home


def _in_a_row(parameters: Sequence[Tensor], starts: list[int]) -> bool:
    first: Any = parameters[0]._home
    if first is None:
        return False
    for parameter, start in zip(parameters, starts, strict=True):
        home: Any = parameter._home
        if home is None or parameter.data is not home.data:
            return False
        if home.buffers is not first.buffers or home.start - first.start != start:
            return False
    return True


def _is_shared(parameter: Tensor) -> bool:
    """Whether another array, tensor or buffer looks into the parameter's memory."""
    home: Any = parameter._home
    if home is not None and home.data is parameter.data:
        return home.is_seen()
    array: Any = parameter.data
    while getrefcount(array) == 3:  # the tensor's or that of an array on it, this one, the call's
        array = array.base
        if array is None or _memory.is_block(array):
            return False
        if isinstance(array, memoryview) and getrefcount(array) == 3:  # as of what was pickled
            array = array.obj
            return not isinstance(array, bytes | bytearray) or getrefcount(array) > 3
        if not isinstance(array, np.ndarray):
            break
    return True


def _address(parameter: Tensor) -> int:
    return parameter.data.__array_interface__["data"][0]
