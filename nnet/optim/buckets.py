"""The parameters of a group, as few stretches of memory as possible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..autograd.flat import at_home, flatten, layout
from ..autograd.memory import bounds_of
from ..autograd.tensor import Tensor
from ..autograd.writes import log, wrote


class Bucket:
    """The parameters of a group that share a dtype, with their state in flat buffers."""

    def __init__(self, params: list[Tensor]) -> None:
        self._set_up(params)
        flatten(params)
        self._laid_out = True

    def _set_up(self, params: list[Tensor]) -> None:
        self.params = params
        self.dtype = params[0].dtype
        self.starts, self.size = layout(params)
        self.steps = [0] * len(params)
        self.state: dict[str, np.ndarray] = {}
        self._whole: Run | None = None
        self._laid_out = False

    def __getstate__(self) -> dict[str, Any]:
        """Without what says where things lie in memory: a copy lies elsewhere."""
        return {name: getattr(self, name) for name in ("params", "steps", "state")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a row from the first step on, when what reads the copy has let go of its arrays."""
        self._set_up(state["params"])
        vars(self).update(state)

    def flat(self, name: str) -> np.ndarray:
        """The state of that name of all parameters, zeros at first."""
        if name not in self.state:
            self.state[name] = np.zeros(self.size, self.dtype)
        return self.state[name]

    def view(self, name: str, i: int) -> np.ndarray:
        """The state of one parameter, in its shape."""
        param, start = self.params[i].data, self.starts[i]
        return self.flat(name)[start : start + param.size].reshape(param.shape)

    def runs(self) -> Iterator[Run]:
        """The parameters that have a gradient, as few stretches of memory as possible."""
        params, starts, steps = self.params, self.starts, self.steps
        if not self._laid_out:
            flatten(params)
            self._laid_out = True
        whole = self._whole
        if whole is not None and whole.still_holds():
            yield whole
            return
        self._whole = None
        i = 0
        while i < len(params):
            first = i
            i += 1
            if params[first].grad is None:
                continue
            home = at_home(params[first])
            if home is None:
                yield self._own_run(first)
                continue
            shift = home.start - starts[first]
            while i < len(params) and steps[i] == steps[first]:
                other = at_home(params[i])
                if (
                    other is None
                    or other.buffers is not home.buffers
                    or other.start - starts[i] != shift
                ):
                    break
                i += 1
            stop = shift + starts[i - 1] + params[i - 1].data.size
            values, gradients = home.buffers
            run = Run(self, first, i, values[home.start : stop], gradients[home.start : stop])
            if i - first == len(params):
                self._whole = run
            yield run

    def _own_run(self, i: int) -> Run:
        """A parameter whose values or gradient lie elsewhere, as those assigned by the user."""
        param = self.params[i]
        grad = param.grad
        if not isinstance(grad, Tensor) or grad.dtype != self.dtype or param.dtype != self.dtype:
            got = grad.dtype if isinstance(grad, Tensor) else type(grad).__name__
            raise TypeError(
                f"optimizer: expected a {self.dtype} parameter and gradient as when it was "
                f"built, got {param.dtype} and {got}"
            )
        if grad.shape != param.shape:
            raise ValueError(
                f"optimizer: expected a gradient of shape {param.shape}, got {grad.shape}"
            )
        if not param.data.flags.writeable:
            param.data = np.array(param.data, order="C")
        values = np.ascontiguousarray(param.data).reshape(-1)
        spread = None if param.data.flags.c_contiguous else param.data
        return Run(self, i, i + 1, values, np.ascontiguousarray(grad.data).reshape(-1), spread)


class Run:
    """Parameters `first` to `stop` of a bucket: one stretch of values, gradients and state.

    spread  where the values belong if they had to be copied to lie in a row
    """

    __slots__ = (
        "_bounds",
        "_bucket",
        "_first",
        "_homes",
        "_spread",
        "_states",
        "_stop",
        "gradient",
        "values",
    )

    def __init__(
        self,
        bucket: Bucket,
        first: int,
        stop: int,
        values: np.ndarray,
        gradient: np.ndarray,
        spread: np.ndarray | None = None,
    ) -> None:
        self._bucket = bucket
        self._first = first
        self._stop = stop
        self.values = values
        self.gradient = gradient
        self._spread = spread
        self._bounds = bounds_of(values)
        self._homes = [param._home for param in bucket.params]
        self._states: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def still_holds(self) -> bool:
        """Whether values and gradients of all parameters lie where they lay, at the same step."""
        for param, home in zip(self._bucket.params, self._homes, strict=True):
            grad = param.grad
            if home is None or param._home is not home or param.data is not home.data:
                return False
            if grad is None or grad is not home.grad or grad.data is not home.gradient:
                return False
        steps = self._bucket.steps
        return steps.count(steps[0]) == len(steps)

    def state(self, name: str) -> np.ndarray:
        flat = self._bucket.flat(name)
        known = self._states.get(name)
        if known is None or known[0] is not flat:
            start = self._bucket.starts[self._first]
            known = self._states[name] = flat, flat[start : start + self.values.size]
        return known[1]

    def finish(self) -> None:
        """Put the new values where they belong, and note that they were written."""
        if self._spread is None:
            log.add(*self._bounds)
        else:
            self._spread[...] = self.values.reshape(self._spread.shape)
            wrote(self._spread)

    def advance(self) -> int:
        """Count a step; its number, from 1."""
        steps = self._bucket.steps
        step = steps[self._first] + 1
        steps[self._first : self._stop] = [step] * (self._stop - self._first)
        return step
