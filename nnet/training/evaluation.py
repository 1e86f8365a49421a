"""Loss and accuracy of a model as it is."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from .. import functional
from ..autograd.recording import no_grad
from ..module.modes import evaluating
from ..module.module import Module
from .measures import Average, Loss, Measure, supervised

# Of (inputs, targets), or of what else a measure takes.
Batches = Iterable[Any]


class Evaluation(NamedTuple):
    """Averages over samples, or labels that count, or symbols of a text.

    The accuracy is a share, None where targets are not classes.

    >>> import nnet as nn
    >>> scores, labels = nn.tensor([[9.0, 0.0], [9.0, 0.0]]), nn.tensor([0, 1])
    >>> nn.evaluate(nn.Identity(), [(scores, labels)]).accuracy
    0.5
    >>> nn.evaluate(nn.Identity(), [(scores, scores - 2)], nn.functional.mse_loss)
    Evaluation(loss=4.0, accuracy=None)
    """

    loss: float
    accuracy: float | None


def evaluate(
    model: Module,
    loader: Batches,
    loss: Loss = functional.cross_entropy,
    measure: Measure | None = None,
) -> Evaluation:
    """Run the model over all batches in eval mode, without recording; change nothing in it.

    loader   yields (inputs, targets)
    loss     (outputs, targets) -> the mean over the batch; both as the model and the loader give
             them, one tensor or several
    measure  in place of loss, for other batches: see `measures`

    Raises ValueError if the loader yields no sample, or none whose label counts.

    >>> import nnet as nn
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    >>> train, test = nn.data.mnist()
    >>> loss, accuracy = nn.evaluate(model, nn.data.DataLoader(test, batch_size=1000))
    >>> 0 <= accuracy <= 1
    True
    """
    measure = measure or supervised(loss)
    average = Average()
    batches = 0
    with evaluating(model), no_grad():
        for batch in loader:
            found = measure(model, batch)
            average.add(found.loss.item(), found)
            batches += 1
    if batches and not average.count:
        raise ValueError("evaluate: expected at least one label that counts, got none")
    if not batches:
        raise ValueError("evaluate: expected at least one batch, got none")
    return Evaluation(average.loss, average.accuracy)
