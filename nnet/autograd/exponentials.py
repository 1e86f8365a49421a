"""Tensor methods that weigh elements by their exponentials."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kernels import softmax as softmax_op

from .broadcasting import floats, quiet
from .numpy_names import renamed
from .operand import Operand, R
from .reductions import Dim, axes_of, floats_of, in_target, wide_sum
from .shaping import axis

__all__ = ["logsumexp"]


class Exponentials(Operand[R]):
    """`axis` and `keepdims` are other names of dim and keepdim. Raises IndexError for no axis."""

    __slots__ = ()

    @renamed
    def softmax(self, dim: int, dtype: npt.DTypeLike | None = None) -> R:
        """e^x over its sum along `dim`; in `dtype`, if given."""
        return _weighed(in_target(self, dtype), "softmax", dim)

    @renamed
    def log_softmax(self, dim: int, dtype: npt.DTypeLike | None = None) -> R:
        """x - log(sum of e^x along `dim`); in `dtype`, if given."""
        return _weighed(in_target(self, dtype), "log_softmax", dim)

    @renamed
    def logsumexp(self, dim: Dim, keepdim: bool = False) -> R:
        """log(sum of e^x) along one axis or several, without overflow; integers become float32.

        >>> import nnet as nn
        >>> nn.logsumexp(nn.tensor([0.0, 0.0]), 0)
        tensor(0.6931472)
        """
        x = floats(self)
        axes = axes_of(dim, x.ndim) or None
        with quiet():
            top = np.max(x, axes, keepdims=True, initial=-np.inf)
            top = np.where(np.isfinite(top), top, 0)
            kept = top + np.log(wide_sum(np.exp(x - top), axes, True))

        def backward(dy: np.ndarray) -> np.ndarray:
            with quiet():
                return dy.reshape(kept.shape) * np.exp(x - np.where(kept == -np.inf, 0, kept))

        return self._record(kept if keepdim else kept.squeeze(axes), (self,), backward)


logsumexp = Exponentials.logsumexp


def _weighed(tensor: Operand[R], op: str, dim: int) -> R:
    x = floats_of(op, tensor)
    along, shape = axis(dim, x.ndim or 1), x.shape
    y, saved = softmax_op.forward(x if shape else x.reshape(1), along, log=op == "log_softmax")

    def backward(dy: np.ndarray) -> np.ndarray:
        return softmax_op.backward(dy if shape else dy.reshape(1), saved).reshape(shape)

    return tensor._record(y.reshape(shape), (tensor,), backward)
