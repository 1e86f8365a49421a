"""What optimizers share: parameter groups and state."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np

from ..autograd.recording import enable_grad
from ..autograd.results import record
from ..autograd.slots import set_grad
from ..autograd.tensor import Tensor
from ..module.state import as_values
from .buckets import Bucket, Run

__all__ = ["Optimizer"]


class Optimizer:
    """Base class; a new optimizer implements `_update` and lists its state in STATE.

    params    parameters, (name, parameter) pairs, or dicts {"params": [...], option: value}
    defaults  options of groups that do not say otherwise, "lr" and "weight_decay" among them

    The parameters of a group move into one flat buffer, their gradients into another. Those whose
    memory something else looks into, as a `state_dict()` that is kept, stay where they are, and so
    does what the user assigns to `p.data` or `p.grad`, at the price of a kernel call for each.

    Raises TypeError for what is no tensor, ValueError for options out of range, no parameters,
    computed tensors, or a parameter in two groups.

    >>> import numpy as np, nnet as nn
    >>> class SignSGD(nn.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr, "weight_decay": 0.0})
    ...     def _update(self, run, group):
    ...         run.values[...] -= group["lr"] * np.sign(run.gradient)
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = SignSGD([w], lr=0.5)
    >>> w.square().sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([ 0.5, -1.5])
    """

    STATE: tuple[str, ...] = ()

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self._buckets: list[list[Bucket]] = []
        if isinstance(params, Tensor):
            raise TypeError(f"{self._name}: expected an iterable of parameters, got one tensor")
        groups = list(params)
        if not groups:
            raise ValueError(f"{self._name}: expected at least one parameter, got none")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """More parameters, with options of their own."""
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        params = [param[1] if isinstance(param, tuple) else param for param in params]
        known = {id(param) for each in self.param_groups for param in each["params"]}
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(
                    f"{self._name}: expected parameters to be tensors, got {type(param).__name__}"
                )
            if not param.is_leaf or param.dtype.kind != "f":
                raise ValueError(
                    f"{self._name}: expected float tensors that are leaves of the graph, "
                    f"got shape {param.shape}, {param.dtype}, leaf: {param.is_leaf}"
                )
            if id(param) in known:
                raise ValueError(
                    f"{self._name}: expected each parameter once, got one of shape "
                    f"{param.shape} twice"
                )
            known.add(id(param))
        complete = {**self.defaults, **group, "params": params}
        self._check(complete)
        buckets = [
            Bucket([param for param in params if param.dtype == dtype])
            for dtype in dict.fromkeys(param.dtype for param in params)
        ]
        self.param_groups.append(complete)
        self._buckets.append(buckets)

    def _check(self, group: dict[str, Any]) -> None:
        for option in ("lr", "weight_decay"):
            self._check_range(group, option, 0.0, np.inf)

    def _check_range(self, group: dict[str, Any], option: str, low: float, below: float) -> None:
        value = group[option]
        if not low <= value < below:
            raise ValueError(f"{self._name}: expected {low:g} <= {option} < {below:g}, got {value}")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters that have a gradient; `closure` may compute the loss anew."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for group, buckets in zip(self.param_groups, self._buckets, strict=True):
            for bucket in buckets:
                for run in bucket.runs():
                    self._update(run, group)
                    run.finish()
        return loss

    def _update(self, run: Run, group: dict[str, Any]) -> None:
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or overwrite them with zeros."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    set_grad(param, None)
                elif param.grad is not None:
                    param.grad.zero_()

    def state_dict(self) -> dict[str, Any]:
        """Copies of the state, by the parameters' numbers, and the options; PyTorch's layout."""
        numbers = {id(param): i for i, param in enumerate(self._all_params())}
        state = {}
        for bucket in chain.from_iterable(self._buckets):
            for i, param in enumerate(bucket.params):
                if bucket.steps[i]:
                    state[numbers[id(param)]] = {
                        "step": bucket.steps[i],
                        **{
                            name: record(bucket.view(name, i).copy(), ())
                            for name in self.STATE
                            if name in bucket.state
                        },
                    }
        groups = [
            {**group, "params": [numbers[id(param)] for param in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": dict(sorted(state.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned, here or in PyTorch, options of its groups included.

        Raises ValueError, before anything is changed, if it belongs to other parameters or has
        options out of range.
        """
        groups, state = state_dict["param_groups"], state_dict["state"]
        sizes = [len(group["params"]) for group in self.param_groups]
        given = [len(group["params"]) for group in groups]
        if sizes != given:
            raise ValueError(
                f"{self._name}: expected state for groups of {sizes} parameters, got {given}"
            )
        numbers = [number for group in groups for number in group["params"]]
        values: dict[int, dict[str, np.ndarray]] = {}
        for number, param in zip(numbers, self._all_params(), strict=True):
            entry = state.get(number, {})
            values[id(param)] = {
                name: as_values(entry[name]) for name in self.STATE if entry.get(name) is not None
            }
            for name, array in values[id(param)].items():
                if array.shape != param.shape:
                    raise ValueError(
                        f"{self._name}: expected {name} of parameter {number} of shape "
                        f"{param.shape}, got {array.shape}"
                    )
        steps = {
            id(param): int(state.get(number, {}).get("step", len(values[id(param)]) > 0))
            for number, param in zip(numbers, self._all_params(), strict=True)
        }
        loaded = []
        for own, group in zip(self.param_groups, groups, strict=True):
            options = copy.deepcopy({key: group[key] for key in group if key != "params"})
            known = {key: own[key] for key in self.defaults}
            loaded.append({**known, **options, "params": own["params"]})
            self._check(loaded[-1])
        for own, complete in zip(self.param_groups, loaded, strict=True):
            own.clear()
            own.update(complete)
        for bucket in chain.from_iterable(self._buckets):
            bucket.state = {}
            for i, param in enumerate(bucket.params):
                bucket.steps[i] = steps[id(param)]
                for name, array in values[id(param)].items():
                    bucket.view(name, i)[...] = array

    def _all_params(self) -> list[Tensor]:
        return [param for group in self.param_groups for param in group["params"]]
