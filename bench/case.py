"""What a benchmark case is, and when contenders count as computing the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

# What is reported in GFLOP/s; the others move bytes, and are reported in GB/s.
BOUND_BY_ARITHMETIC = ("matmul", "conv2d", "rnn", "lstm", "gru", "attention")

# Results of one run: the outputs, then the gradients.
Values = list[np.ndarray]


class Work(NamedTuple):
    """What a computation cannot do without.

    flops  additions and multiplications; a transcendental function counts as one
    bytes  every input read once and every output written once
    """

    flops: int
    bytes: int

    def __add__(self, other: Work) -> Work:  # type: ignore[override]
        return Work(self.flops + other.flops, self.bytes + other.bytes)

    def per(self, times: int) -> Work:
        """The mean of as many pieces of work."""
        return Work(self.flops // times, self.bytes // times)


@dataclass(frozen=True)
class Contender:
    """One way to compute a case, bound to the case's inputs; called again and again.

    forward   () -> (output or outputs, whatever backward needs)
    backward  (what forward saved) -> gradients; None for an op without
    """

    forward: Callable[[], tuple[Any, Any]]
    backward: Callable[[Any], Any] | None = None

    def forward_and_backward(self) -> Any:
        assert self.backward is not None
        return self.backward(self.forward()[1])

    def values(self) -> Values:
        """The outputs and gradients of one run, as copies."""
        outputs, saved = self.forward()
        results = _as_tuple(outputs)
        if self.backward is not None:
            results += _as_tuple(self.backward(saved))
        return [np.array(_as_array(result)) for result in results]


@dataclass(frozen=True)
class Case:
    """One op at one shape.

    op          folder in kernels/
    variant     which of the op's functions, where there are several: "max", "relu", ...
    shape       the rest of the name
    inputs      arrays from a random generator, by the contenders' parameter names
    forward     the work of it
    backward    the same; None for an op without gradient
    contenders  module with a function `with_<name>(**inputs, **options) -> Contender` each
    tolerance   of the RMS difference of two contenders' values, relative to their RMS
    small       cheap enough for tests and for a smoke run
    families    cases whose ratios are also given as one geometric mean
    """

    op: str
    shape: str
    inputs: Callable[[np.random.Generator], dict[str, np.ndarray]]
    forward: Work
    backward: Work | None
    contenders: ModuleType
    variant: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 1e-5
    small: bool = False
    families: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.variant}-{self.shape}" if self.variant else self.shape

    @property
    def directions(self) -> tuple[str, ...]:
        return ("forward",) if self.backward is None else ("forward", "forward+backward")

    def work(self, direction: str) -> Work:
        if direction == "forward" or self.backward is None:
            return self.forward
        return self.forward + self.backward

    def contender(self, name: str) -> Contender:
        """Bind the contender of that name to inputs that are the same for all of them."""
        bind = getattr(self.contenders, f"with_{name}")
        return bind(**self.inputs(np.random.default_rng(0)), **self.options)

    def call(self, name: str, direction: str) -> Callable[[], Any]:
        """What is timed."""
        contender = self.contender(name)
        return contender.forward if direction == "forward" else contender.forward_and_backward

    def check(self, names: tuple[str, ...]) -> None:
        """Raise AssertionError unless these contenders compute the same values."""
        found = {name: self.contender(name).values() for name in names}
        if hasattr(self.contenders, "check"):
            inputs = self.inputs(np.random.default_rng(0))
            for name, values in found.items():
                self.contenders.check(f"{self.op} {self.name} {name}", values, **inputs)
            return
        first, *others = found
        for other in others:
            what = f"{self.op} {self.name}: {other} against {first}"
            assert len(found[other]) == len(found[first]), f"{what}: another number of results"
            for index, (one, two) in enumerate(zip(found[other], found[first], strict=True)):
                assert_agree(f"{what}, result {index}", one, two, self.tolerance)


def assert_agree(what: str, one: np.ndarray, two: np.ndarray, tolerance: float) -> None:
    """Same shape, finite, and an RMS difference of at most tolerance * RMS."""
    assert one.shape == two.shape, f"{what}: shapes {one.shape} and {two.shape}"
    assert np.isfinite(one).all() and np.isfinite(two).all(), f"{what}: not finite"
    error, scale = _rms(np.subtract(one, two, dtype=np.float64)), _rms(two)
    assert error <= tolerance * scale, f"{what}: differ by {error / scale:.2e} > {tolerance:.0e}"


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _as_tuple(results: Any) -> tuple:
    return tuple(results) if isinstance(results, tuple | list) else (results,)


def _as_array(result: Any) -> np.ndarray:
    return result.detach().numpy() if hasattr(result, "detach") else result
