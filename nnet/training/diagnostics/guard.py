"""A loss that is not finite: where it came from, and the weights from before."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...autograd.recording import no_grad
from ...autograd.tensor import Tensor
from ...module.module import Module
from ..history import History


class NonFiniteLoss(ArithmeticError):
    """The loss became NaN or infinite; the model has its last good weights again.

    epoch, step  counted from 1, the step within its epoch
    loss         the value
    where        what was not finite first: a module by its name, its inputs, or the loss
    good_step    steps in all that the restored weights have seen
    history      of the training until then
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


class Guard:
    """Watches the loss, and keeps a copy of weights and buffers with which it was finite.

    Taken anew every `every` steps: a copy costs a few percent of a step.
    """

    def __init__(self, model: Module, every: int = 50) -> None:
        self._model = model
        self._every = every
        self._keep(0)

    def check(self, loss: float, inputs: Any, again: Callable[[], Any], history: History) -> None:
        """Tell the loss of a batch, before the step that it leads to.

        inputs  of the batch
        again   computes the loss once more, to see where it came from

        Raises NonFiniteLoss for a loss that is not finite, with the model as it was.
        """
        steps = len(history.step_loss)
        if math.isfinite(loss):
            if steps and steps % self._every == 0:
                self._keep(steps)
            return
        where = first_non_finite(self._model, inputs, again)
        self._model.load_state_dict(self._copy)
        epoch, step = divmod(steps, history.steps_an_epoch)
        raise NonFiniteLoss(epoch + 1, step + 1, loss, where, self._step, history)

    def _keep(self, step: int) -> None:
        self._step = step
        self._copy = {name: np.array(value) for name, value in self._model.state_dict().items()}


def first_non_finite(model: Module, inputs: Any, run: Callable[[], Any]) -> str:
    """Name what is not finite first while `run` takes the model from the inputs to the loss."""
    if not _finite(inputs):
        return "the inputs of the model"
    found: list[str] = []
    whole: list[bool] = []
    handles = [model.register_forward_hook(lambda *passed: whole.append(_finite(passed[2])))]
    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            handles.append(module.register_forward_hook(_watch(name, found)))
    try:
        with no_grad(), np.errstate(all="ignore"):
            run()
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0]
    return "the loss" if all(whole) else "the output of the model"


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
