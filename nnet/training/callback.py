"""What a training calls."""

from ..module.module import Module
from .history import History


class Callback:
    """What to do between steps and epochs; override what is of use."""

    def after_step(self, model: Module, history: History) -> None:
        """Called after every step; `history.step_loss` ends with its loss."""

    def after_epoch(self, model: Module, history: History) -> None:
        """Called after every epoch; `history.epochs` ends with it."""
