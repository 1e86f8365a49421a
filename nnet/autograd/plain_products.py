"""Products of two vectors, two matrices or two stacks of them, which do not broadcast."""

from __future__ import annotations

from typing import Any

from .operand import Operand, R
from .products import matmul

__all__ = ["dot", "mm", "bmm"]


class PlainProducts(Operand[R]):
    """Both operands are tensors of one dtype; TypeError if not, ValueError for other shapes."""

    __slots__ = ()

    def dot(self, tensor: Operand) -> R:
        """The sum of the products of two vectors' elements.

        >>> import nnet as nn
        >>> nn.dot(nn.tensor([1.0, 2.0]), nn.tensor([3.0, 4.0]))
        tensor(11.)
        """
        return _product("dot", self, tensor, 1)

    def mm(self, mat2: Operand) -> R:
        """The product of two matrices.

        >>> import nnet as nn
        >>> nn.mm(nn.ones(2, 3), nn.ones(3, 1))
        tensor([[3.],
                [3.]])
        """
        return _product("mm", self, mat2, 2)

    def bmm(self, mat2: Operand) -> R:
        """The products of two stacks of matrices, one by one.

        >>> import nnet as nn
        >>> nn.bmm(nn.ones(5, 2, 3), nn.ones(5, 3, 4)).shape
        (5, 2, 4)
        """
        return _product("bmm", self, mat2, 3)


dot, mm, bmm = PlainProducts.dot, PlainProducts.mm, PlainProducts.bmm


def _product(op: str, a: Operand[R], b: Any, ndim: int) -> R:
    if not isinstance(b, Operand):
        raise TypeError(f"{op}: expected two tensors, got {type(b).__name__}")
    if a.data.dtype != b.data.dtype or a.data.dtype.kind == "b":
        raise TypeError(
            f"{op}: expected numbers of one dtype, got {a.data.dtype} and {b.data.dtype}"
        )
    x, y = a.data.shape, b.data.shape
    inner = max(ndim - 2, 0)
    if len(x) != ndim or len(y) != ndim or x[:inner] != y[:inner] or x[-1] != y[inner]:
        raise ValueError(f"{op}: expected {_SHAPES[op]}, got {x} and {y}")
    return matmul(a, b)


_SHAPES = {
    "dot": "shapes (N,) and (N,)",
    "mm": "shapes (M, K) and (K, N)",
    "bmm": "shapes (B, M, K) and (B, K, N)",
}
