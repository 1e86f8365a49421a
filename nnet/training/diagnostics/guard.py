"""A loss that is not finite: where it came from, and the weights from before."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...autograd.integers import size_of
from ...autograd.recording import no_grad
from ...autograd.tensor import Tensor
from ...module.module import Module
from ..callback import Callback, Training
from ..history import History


class NonFiniteLoss(ArithmeticError):
    """The loss became NaN or infinite; the model has its last good weights again.

    epoch, step  counted from 1, the step within its epoch
    loss         the value
    where        what was not finite first: a module by its name, its inputs, or the loss
    good_step    steps in all that the restored weights have seen
    history      of the training until then

    >>> import nnet as nn
    >>> model, batch = nn.Linear(2, 1), (nn.ones(4, 2), nn.zeros(4, 1))
    >>> optimizer = nn.optim.SGD(model.parameters(), lr=1e30)
    >>> try:
    ...     history = nn.fit(
    ...         model, [batch], epochs=3, optimizer=optimizer, loss=nn.functional.mse_loss,
    ...         progress=False,
    ...     )
    ... except nn.training.NonFiniteLoss as error:
    ...     error.step, error.good_step, error.where
    (1, 0, 'the loss')
    """

    def __init__(
        self, epoch: int, step: int, loss: float, where: str, good_step: int, history: History
    ) -> None:
        self.epoch, self.step, self.loss = epoch, step, loss
        self.where, self.good_step, self.history = where, good_step, history
        super().__init__(
            f"the loss is {loss} at epoch {epoch}, step {step}; not finite first: {where}; "
            f"the model is back at the weights of step {good_step}"
        )


class Guard(Callback):
    """Watches the loss, and keeps a copy of weights and buffers with which it was finite.

    every  steps after which it is taken anew: a copy costs a few percent of a step

    `fit` has one by default. Raises NonFiniteLoss for a loss that is not finite, before its step is
    taken and with the model as it was.

    >>> import nnet as nn
    >>> model, batch = nn.Linear(1, 1), (nn.tensor([[float("inf")]]), nn.zeros(1, 1))
    >>> try:
    ...     nn.fit(
    ...         model, [batch], epochs=1, optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...         loss=nn.functional.mse_loss, callbacks=[nn.training.Guard(every=10)],
    ...     )
    ... except nn.training.NonFiniteLoss as error:
    ...     error.where
    'the inputs of the model'
    """

    def __init__(self, every: int = 50) -> None:
        self.every = size_of("Guard", "every", every)

    def before_epoch(self, training: Training) -> None:
        if training.epoch == 1:
            self._keep(training)

    def after_loss(self, training: Training) -> None:
        history = training.history
        steps = len(history.step_loss)
        if math.isfinite(training.loss):
            if steps and steps % self.every == 0:
                self._keep(training)
            return
        model = training.model
        where = first_non_finite(model, partial(training.measure, model, training.batch))
        model.load_state_dict(self._copy)
        raise NonFiniteLoss(
            training.epoch, training.step, training.loss, where, self._step, history
        )

    def _keep(self, training: Training) -> None:
        self._step = len(training.history.step_loss)
        state = training.model.state_dict()
        self._copy = {name: np.array(value) for name, value in state.items()}


def first_non_finite(model: Module, run: Callable[[], Any]) -> str:
    """Name what is not finite first while `run` takes the model to a loss.

    Of what the model is given the first counts: what else it is given may be its own state.
    """
    inputs: list[bool] = []
    outputs: list[bool] = []
    found: list[str] = []

    def look(module: Module, given: tuple, named: dict, output: Any) -> None:
        inputs.append(_finite([*given, *named.values()][:1]))
        outputs.append(_finite(output))

    handles = [model.register_forward_hook(look, with_kwargs=True)]
    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            handles.append(module.register_forward_hook(_watch(name, found)))
    try:
        with no_grad(), np.errstate(all="ignore"):
            run()
    finally:
        for handle in handles:
            handle.remove()
    if not all(inputs):
        return "the inputs of the model"
    if found:
        return found[0]
    return "the loss" if all(outputs) else "the output of the model"


def _watch(name: str, found: list[str]) -> Callable[[Module, tuple, Any], None]:
    def look(module: Module, inputs: tuple, output: Any) -> None:
        if found or _finite(output):
            return
        broken = [key for key, value in module.named_parameters() if not _finite(value)]
        of = f" (its {' and '.join(broken)} hold such values)" if broken else ""
        found.append(f"the output of {name or 'the model'}, a {type(module).__name__}{of}")

    return look


def _finite(values: Any) -> bool:
    """Of a tensor, or of all in what a layer with several outputs returns."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, tuple | list):
        return all(map(_finite, values))
    return not isinstance(values, Tensor) or bool(np.isfinite(values.numpy()).all())
