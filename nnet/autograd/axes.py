"""Methods that arrange axes, as functions: `nn.permute(x, dims)` is `x.permute(dims)`."""

from __future__ import annotations

from collections.abc import Sequence

from .tensor import Tensor

__all__ = ["reshape", "permute", "transpose", "squeeze", "unsqueeze"]


def reshape(input: Tensor, shape: Sequence[int]) -> Tensor:
    """The same elements in that shape, in which one size may be -1; a view where it can be.

    Raises ValueError for a shape of another number of elements.

    >>> import nnet as nn
    >>> nn.reshape(nn.tensor([1, 2, 3, 4]), (2, -1))
    tensor([[1, 2],
            [3, 4]])
    """
    return input.reshape(_sequence("reshape", "shape", shape))


def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """A view in which axis i is axis dims[i].

    >>> import nnet as nn
    >>> nn.permute(nn.zeros(2, 3, 5), (2, 0, 1)).shape
    (5, 2, 3)
    """
    return input.permute(_sequence("permute", "dims", dims))


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two axes swapped; IndexError for one that is not there.

    >>> import nnet as nn
    >>> nn.transpose(nn.zeros(2, 3, 5), 0, -1).shape
    (5, 3, 2)
    """
    return input.transpose(dim0, dim1)


def squeeze(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """A view without axes of size one: without all of them, or those of `dim` of size one.

    >>> import nnet as nn
    >>> nn.squeeze(nn.zeros(1, 3, 1), 0).shape
    (3, 1)
    """
    return input.squeeze(dim)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A view with a new axis of size one, before axis `dim`; IndexError if there is no such place.

    >>> import nnet as nn
    >>> nn.unsqueeze(nn.zeros(2, 3), -1).shape
    (2, 3, 1)
    """
    return input.unsqueeze(dim)


def _sequence(name: str, option: str, numbers: Sequence[int]) -> Sequence[int]:
    if not isinstance(numbers, tuple | list):
        raise TypeError(f"{name}: expected {option} as a tuple of integers, got {numbers!r}")
    return numbers
