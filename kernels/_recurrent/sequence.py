"""What recurrent ops do on the host: a run over time, its outputs and gradients."""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._recurrent.arguments import check_gradient, check_inputs, check_lengths


class Weights(NamedTuple):
    """Of a layer, or their gradients, which have no elements where they are not asked for."""

    ih: np.ndarray  # (gates H, I)
    hh: np.ndarray  # (gates H, H)
    bias: np.ndarray


class Sequence(NamedTuple):
    """What a layer runs over, after checks.

    x         (T, N, I), zeros behind each sample's end
    lengths   (N,) int64
    shorter   whether some samples may be shorter than T
    biases    whether bias_ih and bias_hh were given
    """

    op: str
    x: np.ndarray
    hidden: int
    lengths: np.ndarray
    shorter: bool
    reverse: bool
    biases: tuple[bool, bool]

    @property
    def steps(self) -> int:
        return self.x.shape[0]

    @property
    def samples(self) -> int:
        return self.x.shape[1]

    def states(self, width: int) -> np.ndarray:
        """For the state before the first step and that of every step, in the order of time."""
        return _memory.empty((self.steps + 1, self.samples, width), self.x.dtype)

    def output(self, width: int) -> np.ndarray:
        """For y where it is not what the steps left behind, else empty."""
        shape = (self.steps, self.samples, width) if self.shorter else (0, 0, 0)
        return _memory.empty(shape, self.x.dtype)

    def outputs(self, states: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """y, and the last states."""
        return y if self.shorter else in_time(states, self.reverse)[1], self.last(states)

    def last(self, states: np.ndarray) -> np.ndarray:
        """A copy of the state that the last step left."""
        return states[0 if self.reverse else -1].copy()

    def incoming(self, name: str, given: np.ndarray | None, *shape: int) -> np.ndarray:
        """A gradient that was given, checked; zeros for None."""
        return check_gradient(self.op, name, given, shape, self.x.dtype)

    def gradient(self, like: np.ndarray, needed: object = True) -> np.ndarray:
        """For a gradient, without elements where it is not needed; zeros of an empty batch."""
        new = _memory.empty if self.samples else _memory.zeros
        return new(like.shape if needed else (0,) * like.ndim, self.x.dtype)


def sequence_of(
    op: str, arrays: dict[str, np.ndarray], gates: int, lengths: np.ndarray | None, reverse: object
) -> Sequence:
    """Of x, weight_ih and the biases there are, by name, and of the lengths."""
    steps, samples, _, hidden = check_inputs(op, arrays, gates)
    ends = check_lengths(op, lengths, steps, samples)
    x = arrays["x"] if lengths is None else without_padding(arrays["x"], ends)
    biases = "bias_ih" in arrays, "bias_hh" in arrays
    return Sequence(op, x, hidden, ends, lengths is not None, bool(reverse), biases)


def in_time(states: np.ndarray, reverse: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the steps found and what they left, each (T, N, H) of states (T + 1, N, H)."""
    return (states[1:], states[:-1]) if reverse else (states[:-1], states[1:])


def asked_for(needs: tuple[bool, ...], *gradients: np.ndarray) -> tuple[np.ndarray | None, ...]:
    """None where a gradient is not needed; no two are one array."""
    found: list[np.ndarray | None] = []
    for needed, gradient in zip(needs, gradients, strict=True):
        known = any(gradient is other for other in found)
        found.append((gradient.copy() if known else gradient) if needed else None)
    return tuple(found)


def without_padding(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """x with zeros behind each sample's end: NaN there times 0 would reach the weights."""
    shorter = np.flatnonzero(lengths < len(x))
    if not shorter.size:
        return x
    cleared = _memory.empty(x.shape, x.dtype)
    cleared[...] = x
    for n in shorter:
        cleared[lengths[n] :, n] = 0
    return cleared


def sum_of_biases(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Of bias_ih and bias_hh, those that are given."""
    weight_ih = arrays["weight_ih"]
    total = np.zeros(len(weight_ih), weight_ih.dtype)
    for name in ("bias_ih", "bias_hh"):
        if name in arrays:
            total += arrays[name]
    return total
