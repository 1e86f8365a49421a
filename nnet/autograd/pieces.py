"""Tensor methods that cut an axis into pieces, views all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .history import record_view
from .integers import as_integer
from .operand import Operand, R
from .shaping import axis

__all__ = ["chunk", "split", "narrow"]


class Pieces(Operand[R]):
    """Raises IndexError for an axis that is not there."""

    __slots__ = ()

    def split(self, split_size: int | Sequence[int], dim: int = 0) -> tuple[R, ...]:
        """Pieces of `split_size` elements along `dim`, the last one smaller if need be.

        An axis without elements is one empty piece.
        """
        return split(self, split_size, dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[R, ...]:
        """At most so many pieces along `dim`, all as long as the first but the last one.

        Raises ValueError for chunks below 1.

        >>> import nnet as nn
        >>> nn.chunk(nn.tensor([1, 2, 3, 4, 5]), 2)
        (tensor([1, 2, 3]), tensor([4, 5]))
        """
        count = _whole("chunk", "chunks", chunks)
        if count < 1:
            raise ValueError(f"chunk: expected chunks of at least 1, got {chunks}")
        dim = axis(dim, self.data.ndim)
        length = self.data.shape[dim]
        return split(self, -(-length // count) if length else [0] * count, dim)

    def narrow(self, dim: int, start: Any, length: int) -> R:
        """The `length` elements along `dim` from start on, which counts from the end if below 0.

        Raises IndexError for a start that is not there, ValueError for too many elements.

        >>> import nnet as nn
        >>> nn.narrow(nn.tensor([1, 2, 3, 4, 5]), 0, 1, 3)
        tensor([2, 3, 4])
        """
        dim = axis(dim, self.data.ndim)
        size = self.data.shape[dim]
        first, count = _whole("narrow", "start", start), _whole("narrow", "length", length)
        if not -size <= first <= size:
            raise IndexError(f"narrow: expected start from {-size} to {size}, got {first}")
        first += size if first < 0 else 0
        if not 0 <= count <= size - first:
            raise ValueError(f"narrow: expected length from 0 to {size - first}, got {count}")
        return _piece(self, dim, first, first + count)


chunk, narrow = Pieces.chunk, Pieces.narrow


def split(
    tensor: Operand[R], split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[R, ...]:
    """Pieces of so many elements along `dim`, the last one smaller if need be; or of those sizes.

    An axis without elements is one empty piece. Raises ValueError for a size below 1, and for
    sizes that do not add up.

    >>> import nnet as nn
    >>> nn.split(nn.tensor([1, 2, 3, 4, 5]), 2)
    (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    >>> nn.split(nn.tensor([1, 2, 3]), [1, 2])
    (tensor([1]), tensor([2, 3]))
    """
    dim = axis(dim, tensor.data.ndim)
    length = tensor.data.shape[dim]
    if isinstance(split_size_or_sections, tuple | list):
        sizes = [_whole("split", "sizes", each) for each in split_size_or_sections]
        if sum(sizes) != length or min(sizes, default=0) < 0:
            raise ValueError(f"split: expected sizes that add up to {length}, got {sizes}")
    else:
        size = _whole("split", "a size", split_size_or_sections)
        if size < 0 or (not size and length):
            raise ValueError(f"split: expected a size above 0, got {size}")
        sizes = [size] * max(-(-length // size) if size else 1, 1)
    pieces, start = [], 0
    for n in sizes:
        pieces.append(_piece(tensor, dim, start, min(start + n, length)))
        start += n
    return tuple(pieces)


def _piece(tensor: Operand[R], dim: int, start: int, stop: int) -> R:
    index = (*(slice(None),) * dim, slice(start, stop))
    shape, dtype = tensor.data.shape, tensor.data.dtype

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = np.zeros(shape, dtype)
        dx[index] = dy
        return dx

    return record_view(tensor, lambda x: x[index], backward)


def _whole(name: str, option: str, number: Any) -> int:
    integer = as_integer(number)
    if integer is None:
        raise TypeError(f"{name}: expected {option} as an integer, got {number!r}")
    return integer
