"""Loss and accuracy of a model as it is."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .. import functional
from ..module import Module
from ..tape import no_grad
from ..tensor import Tensor
from .accuracy import count_right

Loss = Callable[[Tensor, Tensor], Tensor]
Batches = Iterable[tuple[Tensor, Tensor]]


class Evaluation(NamedTuple):
    """Averages over samples; the accuracy is a share, None where targets are not classes."""

    loss: float
    accuracy: float | None


def evaluate(model: Module, loader: Batches, loss: Loss = functional.cross_entropy) -> Evaluation:
    """Run the model over all batches in eval mode, without recording; change nothing in it.

    loader  yields (inputs, targets)
    loss    (outputs, targets) -> the mean over the batch

    Raises ValueError if the loader yields no sample.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> train, test = nn.data.mnist()
    >>> loss, accuracy = nn.evaluate(model, nn.data.DataLoader(test, batch_size=1000))
    >>> 0 <= accuracy <= 1
    True
    """
    total, right, samples = 0.0, 0, 0
    classes = True
    with evaluating(model), no_grad():
        for inputs, targets in loader:
            outputs = model(inputs)
            count = len(targets)
            total += loss(outputs, targets).item() * count
            samples += count
            found = count_right(outputs.numpy(), targets.numpy())
            classes = classes and found is not None
            right += found or 0
    if not samples:
        raise ValueError("evaluate: expected at least one batch, got none")
    return Evaluation(total / samples, right / samples if classes else None)


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Eval mode inside, and each module's own mode again behind."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
