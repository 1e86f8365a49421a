"""A loss that is not finite: where it came from, and the weights from before."""

import math
from collections.abc import Callable

import numpy as np

from ..module import Module
from ..tape import no_grad
from ..tensor import Tensor
from .history import History


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

    def check(self, loss: float, inputs: Tensor, history: History) -> None:
        """Tell the loss of a batch, before the step that it leads to.

        Raises NonFiniteLoss for a loss that is not finite, with the model as it was.
        """
        steps = len(history.step_loss)
        if math.isfinite(loss):
            if steps and steps % self._every == 0:
                self._keep(steps)
            return
        where = first_non_finite(self._model, inputs)
        self._model.load_state_dict(self._copy)
        epoch, step = divmod(steps, history.steps_an_epoch)
        raise NonFiniteLoss(epoch + 1, step + 1, loss, where, self._step, history)

    def _keep(self, step: int) -> None:
        self._step = step
        self._copy = {name: np.array(value) for name, value in self._model.state_dict().items()}


def first_non_finite(model: Module, inputs: Tensor) -> str:
    """Name what is not finite first on the way from the inputs to the model's output."""
    if not _finite(inputs.numpy()):
        return "the inputs of the model"
    found: list[str] = []
    handles = []
    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            handles.append(module.register_forward_hook(_watch(name, found)))
    try:
        with no_grad(), np.errstate(all="ignore"):
            output = model(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if found:
        return found[0]
    return "the loss" if _finite(output.numpy()) else "the output of the model"


def _watch(name: str, found: list[str]) -> Callable[[Module, tuple, Tensor], None]:
    def look(module: Module, inputs: tuple, output: Tensor) -> None:
        if found or _finite(output.numpy()):
            return
        broken = [key for key, value in module.named_parameters() if not _finite(value.numpy())]
        of = f" (its {' and '.join(broken)} hold such values)" if broken else ""
        found.append(f"the output of {name or 'the model'}, a {type(module).__name__}{of}")

    return look


def _finite(array: np.ndarray) -> bool:
    return bool(np.isfinite(array).all())
