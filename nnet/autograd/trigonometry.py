"""Tensor methods of sines and cosines, of the circle and of the hyperbola."""

from __future__ import annotations

import numpy as np

from .broadcasting import floats, quiet
from .operand import Operand, R

__all__ = ["sin", "cos", "sinh", "cosh"]


class Trigonometry(Operand[R]):
    """Angles in radians; integers become float32."""

    __slots__ = ()

    def sin(self) -> R:
        """The sine of each element; NaN of infinities.

        >>> import nnet as nn
        >>> nn.sin(nn.tensor([0.0, 1.0]))
        tensor([0.      , 0.841471])
        """
        x = floats(self)
        with quiet():
            y = np.sin(x)
        return self._record(y, (self,), lambda dy: dy * np.cos(x))

    def cos(self) -> R:
        """The cosine of each element; NaN of infinities.

        >>> import nnet as nn
        >>> nn.cos(nn.tensor([0.0, 1.0]))
        tensor([1.       , 0.5403023])
        """
        x = floats(self)
        with quiet():
            y = np.cos(x)
        return self._record(y, (self,), lambda dy: -dy * np.sin(x))

    def sinh(self) -> R:
        """The hyperbolic sine of each element, (e^x - e^-x) / 2.

        >>> import nnet as nn
        >>> nn.sinh(nn.tensor([0.0, 1.0]))
        tensor([0.       , 1.1752012])
        """
        x = floats(self)
        with quiet():
            y = np.sinh(x)
        return self._record(y, (self,), lambda dy: dy * np.cosh(x))

    def cosh(self) -> R:
        """The hyperbolic cosine of each element, (e^x + e^-x) / 2.

        >>> import nnet as nn
        >>> nn.cosh(nn.tensor([0.0, 1.0]))
        tensor([1.       , 1.5430807])
        """
        x = floats(self)
        with quiet():
            y = np.cosh(x)
        return self._record(y, (self,), lambda dy: dy * np.sinh(x))


sin, cos = Trigonometry.sin, Trigonometry.cos
sinh, cosh = Trigonometry.sinh, Trigonometry.cosh
