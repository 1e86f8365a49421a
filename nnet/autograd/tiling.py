"""Tensor methods that repeat elements, or put them elsewhere along their axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .integers import as_integer
from .operand import Operand, R
from .places import rows_at
from .shaping import axis, sizes_of

__all__ = ["repeat_interleave", "flip", "roll"]


class Tiling(Operand[R]):
    """All of them copy."""

    __slots__ = ()

    def repeat(self, *sizes: Any, repeats: Sequence[int] | None = None) -> R:
        """The tensor so many times along each axis; more of them than axes add axes in front.

        Numbers one by one, in a tuple, or by name. Raises ValueError for fewer than axes, and for
        one below 0.
        """
        times = tuple(repeats) if repeats is not None else sizes_of(sizes)
        times = tuple(_whole("repeat", "repeats", each) for each in times)
        x = self.data
        added = len(times) - x.ndim
        if added < 0 or min(times, default=0) < 0:
            raise ValueError(
                f"repeat: expected {x.ndim} numbers or more, none below 0, got {times}"
            )
        shape = (1,) * added + x.shape
        apart = tuple(size for pair in zip(times, shape, strict=True) for size in pair)
        rows = x.reshape(tuple(size for n in shape for size in (1, n)))
        tiled = np.array(np.broadcast_to(rows, apart), order="C")
        y = tiled.reshape(tuple(n * size for n, size in zip(times, shape, strict=True)))
        before = x.shape

        def backward(dy: np.ndarray) -> np.ndarray:
            every = tuple(range(0, len(apart), 2))
            sums = dy.reshape(apart).sum(every, dtype=np.float64)
            return np.asarray(sums, dy.dtype).reshape(before)

        return self._record(y, (self,), backward)

    def repeat_interleave(
        self, repeats: Any, dim: int | None = None, *, output_size: int | None = None
    ) -> R:
        """Each entry along `dim` so many times, one after another; of all elements for None."""
        return repeat_interleave(self, repeats, dim, output_size=output_size)

    def flip(self, *axes: Any, dims: Sequence[int] | None = None) -> R:
        """The elements in reverse order along axes, one by one, in a tuple, or by name as `dims`.

        Raises ValueError for an axis that is given twice.

        >>> import nnet as nn
        >>> nn.flip(nn.tensor([[1, 2], [3, 4]]), (1,))
        tensor([[2, 1],
                [4, 3]])
        """
        ndim = self.data.ndim
        given = sizes_of(axes) if dims is None else tuple(dims)
        turned = tuple(axis(dim, ndim or 1) for dim in given)
        if len(set(turned)) < len(turned):
            raise ValueError(f"flip: expected each axis once, got {given}")
        turned = turned if ndim else ()
        y = np.flip(self.data, turned).copy()
        return self._record(y, (self,), lambda dy: np.flip(dy, turned))

    def roll(self, shifts: Any, dims: Any = None) -> R:
        """The elements moved on along axes; those that leave at the end come in at the start.

        shifts, dims  a number and its axis, or several in tuples; without dims along all elements

        Raises ValueError unless there are as many shifts as axes.

        >>> import nnet as nn
        >>> nn.roll(nn.tensor([1, 2, 3, 4]), 1)
        tensor([4, 1, 2, 3])
        """
        by = tuple(_whole("roll", "shifts", each) for each in _several(shifts))
        given = () if dims is None else _several(dims)
        axes = tuple(axis(dim, self.data.ndim or 1) for dim in given)
        if len(by) != (len(axes) or 1):
            raise ValueError(
                f"roll: expected as many shifts as axes, or one without axes, got {by} and {given}"
            )
        if not self.data.ndim:
            return self._record(self.data.copy(), (self,), lambda dy: dy)
        along = axes or None
        back = tuple(-each for each in by)
        if along is None:
            by, back = by[0], back[0]  # type: ignore[assignment]
        return self._record(
            np.roll(self.data, by, along), (self,), lambda dy: np.roll(dy, back, along)
        )


flip, roll = Tiling.flip, Tiling.roll


def repeat_interleave(
    tensor: Operand[R],
    repeats: Any = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> R:
    """Each entry along `dim` so many times, one after another; of all elements for None.

    repeats      a number, or a tensor of integers, of one or one for each entry; without it the
                 tensor holds them, for 0, 1, ...
    output_size  the length that `dim` will have, checked if it is given

    Raises TypeError for repeats that are no integers, ValueError for one below 0 and for too few
    or too many.

    >>> import nnet as nn
    >>> nn.repeat_interleave(nn.tensor([1, 2, 3]), 2)
    tensor([1, 1, 2, 2, 3, 3])
    >>> nn.repeat_interleave(nn.tensor([1, 2, 3]), nn.tensor([0, 2, 1]))
    tensor([2, 2, 3])
    """
    if repeats is None:
        repeats, x = tensor, np.arange(tensor.data.size)
    else:
        x = tensor.data
    shape = x.shape
    flat = x.reshape(-1) if dim is None or not x.ndim else x
    dim = 0 if dim is None else axis(dim, x.ndim or 1)
    chosen = np.repeat(np.arange(flat.shape[dim]), _times(repeats, flat.shape[dim]))
    if output_size is not None and output_size != len(chosen):
        raise ValueError(
            f"repeat_interleave: expected output_size {len(chosen)}, got {output_size}"
        )
    sizes = flat.shape
    return tensor._record(
        np.take(flat, chosen, dim),
        (tensor,),
        lambda dy: rows_at(dy, chosen, dim, sizes).reshape(shape),
    )


def _times(repeats: Any, length: int) -> np.ndarray:
    """How often each of `length` entries."""
    times = repeats.data if isinstance(repeats, Operand) else np.asarray(repeats)
    if times.dtype not in (np.int32, np.int64):
        raise TypeError(f"repeat_interleave: expected repeats of int32 or int64, got {times.dtype}")
    if times.ndim > 1 or times.size not in (1, length):
        raise ValueError(
            f"repeat_interleave: expected repeats of shape ({length},), or one number, "
            f"got shape {times.shape}"
        )
    if times.size and times.min() < 0:
        raise ValueError(f"repeat_interleave: expected repeats >= 0, got {times.min()}")
    return np.broadcast_to(times, (length,))


def _several(given: Any) -> tuple:
    return tuple(given) if isinstance(given, tuple | list) else (given,)


def _whole(name: str, option: str, number: Any) -> int:
    integer = as_integer(number)
    if integer is None:
        raise TypeError(f"{name}: expected {option} as integers, got {number!r}")
    return integer
