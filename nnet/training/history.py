"""What happened while a model was trained."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .schema import check_count, check_keys, check_plain, shown


@dataclass
class Epoch:
    """One pass over the training set.

    train_loss, train_accuracy            averages while training: of weights that changed
    validation_loss, validation_accuracy  of the weights at the end; None without validation
    learning_rate                         of the last step
    seconds                               of training, without the validation

    An accuracy is a share in [0, 1]; None where targets are not classes.

    >>> import nnet as nn
    >>> model, batch = nn.Linear(2, 1), (nn.ones(4, 2), nn.zeros(4, 1))
    >>> history = nn.fit(
    ...     model, [batch], epochs=2, optimizer=nn.optim.SGD(model.parameters(), lr=0.1),
    ...     loss=nn.functional.mse_loss, progress=False,
    ... )
    >>> last = history.epochs[-1]
    >>> last.train_loss < history.epochs[0].train_loss, last.train_accuracy, last.learning_rate
    (True, None, 0.1)
    """

    train_loss: float
    train_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    learning_rate: float
    seconds: float


@dataclass
class History:
    """Epochs that were finished, and every step.

    steps_an_epoch  how many steps one pass takes
    step_loss       the loss of each batch, before its step
    interrupted     whether Ctrl-C ended the training early
    stopped         why a callback ended it, see `StopTraining`; None if none did

    >>> import nnet as nn
    >>> nn.training.History(steps_an_epoch=1, step_loss=[2.3]).to_json()["step_loss"]
    [2.3]
    """

    steps_an_epoch: int
    epochs: list[Epoch] = field(default_factory=list)
    step_loss: list[float] = field(default_factory=list)
    interrupted: bool = False
    stopped: str | None = None

    @property
    def seconds(self) -> float:
        """Time spent on training in all finished epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_json(self) -> dict:
        """Numbers, strings and None alone, as `json.dump` takes them."""
        return asdict(self)

    @staticmethod
    def from_json(content: Any) -> "History":
        """The inverse of `to_json`. Raises TypeError or ValueError for anything else."""
        check_keys("a history", content, _names(History), ("steps_an_epoch", "epochs"))
        check_count("steps_an_epoch", content["steps_an_epoch"])
        check_plain("step_loss", content.get("step_loss", []))
        if not isinstance(content.get("interrupted", False), bool):
            raise TypeError(
                f"expected interrupted as true or false, got {content['interrupted']!r}"
            )
        if not isinstance(content.get("stopped"), str | None):
            raise TypeError(f"expected stopped as a text or null, got {shown(content['stopped'])}")
        if not isinstance(content["epochs"], list):
            raise TypeError(f"expected epochs as a list, got {shown(content['epochs'])}")
        for epoch in content["epochs"]:
            check_keys("an epoch", epoch, _names(Epoch), _names(Epoch))
            for name, value in epoch.items():
                check_plain(name, [value], none=name in _MAY_LACK)
        epochs = [Epoch(**epoch) for epoch in content["epochs"]]
        return History(**content | {"epochs": epochs})


_MAY_LACK = ("train_accuracy", "validation_loss", "validation_accuracy")


def _names(kind: type) -> list[str]:
    return [each.name for each in fields(kind)]
