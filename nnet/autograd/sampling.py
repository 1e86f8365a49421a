"""Tensor methods that draw random numbers, which all follow from `manual_seed`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..random import generator
from .in_place import assign
from .integers import as_integer
from .operand import Operand, R


class Sampling(Operand[R]):
    """Gradients do not pass: those to what was drawn from, or written over, are 0."""

    __slots__ = ()

    def uniform_(self, from_: float = 0.0, to: float = 1.0) -> R:
        """Uniform on [from_, to). Raises ValueError unless from_ <= to."""
        dtype = _floats("uniform_", self)
        if not from_ <= to:
            raise ValueError(f"uniform_: expected from <= to, got {from_} and {to}")
        values = generator().random(self.data.shape, dtype)
        return assign(
            "uniform_", self, ..., (from_ + (to - from_) * values).astype(dtype, copy=False)
        )

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> R:
        """Normal with that mean and standard deviation. Raises ValueError for std below 0."""
        dtype = _floats("normal_", self)
        if not std >= 0:
            raise ValueError(f"normal_: expected std >= 0, got {std}")
        values = generator().standard_normal(self.data.shape, dtype)
        return assign("normal_", self, ..., mean + std * values)

    def bernoulli_(self, p: Any = 0.5) -> R:
        """1 with probability p, a number or a tensor that broadcasts, else 0."""
        chances = _chances("bernoulli_", p.data if isinstance(p, Operand) else np.asarray(p))
        ones = generator().random(self.data.shape) < chances
        return assign("bernoulli_", self, ..., ones)

    def bernoulli(self, p: float | None = None) -> R:
        """1 with the probability that the element says, or p, else 0.

        Raises TypeError for integers without p, ValueError for what is not in [0, 1].

        >>> import nnet as nn
        >>> nn.bernoulli(nn.tensor([0.0, 1.0, 1.0]))
        tensor([0., 1., 1.])
        """
        if p is None:
            _floats("bernoulli", self)
        chances = _chances("bernoulli", self.data if p is None else np.asarray(p))
        y = (generator().random(self.data.shape) < chances).astype(self.data.dtype)
        return self._record(y, (self,), np.zeros_like)

    def multinomial(self, num_samples: int, replacement: bool = False) -> R:
        """Indices of the last axis, (num_samples,) or (rows, num_samples) int64.

        Each is drawn with the probability that its element has in the sum of its row; without
        `replacement` none is drawn twice. Raises TypeError for integers, ValueError for other
        than one or two axes, for elements below 0 or not finite, for a row without any above 0,
        and without replacement for fewer elements than num_samples.

        >>> import nnet as nn
        >>> nn.multinomial(nn.tensor([[0.0, 0.5], [2.0, 0.0]]), 3, replacement=True)
        tensor([[1, 1, 1],
                [0, 0, 0]])
        """
        _floats("multinomial", self)
        weights, count = self.data, as_integer(num_samples)
        if count is None:
            raise TypeError(f"multinomial: expected an integer num_samples, got {num_samples!r}")
        if weights.ndim not in (1, 2):
            raise ValueError(f"multinomial: expected 1 or 2 axes, got shape {weights.shape}")
        classes = weights.shape[-1]
        if count < 1 or not (replacement or count <= classes):
            most = "" if replacement else f" and at most {classes} without replacement"
            raise ValueError(f"multinomial: expected num_samples >= 1{most}, got {count}")
        rows = np.atleast_2d(weights).astype(np.float64)
        if not (np.isfinite(rows) & (rows >= 0)).all():
            raise ValueError("multinomial: expected finite elements, none below 0")
        if not (rows.max(1, initial=0) > 0).all():
            raise ValueError("multinomial: expected an element above 0 in each row")
        found = (_with_replacement if replacement else _without_replacement)(rows, count)
        return self._record(found.reshape(*weights.shape[:-1], count), ())


def _with_replacement(rows: np.ndarray, count: int) -> np.ndarray:
    """Where numbers uniform on [0, 1) lie among the sums of each row's weights up to there."""
    upto = (rows / rows.max(1, keepdims=True)).cumsum(1)
    points = generator().random((len(rows), count)) * upto[:, -1:]
    found = np.empty(points.shape, np.int64)
    for row, point, place in zip(upto, points, found, strict=True):
        # The last one above 0, where rounding took a point up to the whole sum.
        last = np.searchsorted(row, row[-1])
        np.minimum(np.searchsorted(row, point, side="right"), last, out=place)
    return found


def _without_replacement(rows: np.ndarray, count: int) -> np.ndarray:
    """The first to come, in each row, of waiting times with the weights as rates."""
    with np.errstate(all="ignore"):
        times = generator().standard_exponential(rows.shape) / rows
    return np.argsort(times, 1)[:, :count]


def _chances(op: str, chances: np.ndarray) -> np.ndarray:
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError(f"{op}: expected probabilities in [0, 1], got others")
    return chances


def _floats(op: str, tensor: Operand) -> Any:
    if tensor.data.dtype.kind != "f":
        raise TypeError(f"{op}: expected float32 or float64, got {tensor.data.dtype}")
    return tensor.data.dtype
