"""The training loop, evaluation, and models on disk."""

from .checkpoints import Description, load_model, load_weights, save_weights
from .curves import draw_curves
from .diagnostics import NonFiniteLoss
from .evaluation import Evaluation, evaluate
from .firing import DeadUnits, dead_units
from .history import Epoch, History
from .loop import Callback, fit
from .run_folder import Run, load_run, save_run

__all__ = [
    "fit",
    "evaluate",
    "Callback",
    "History",
    "Epoch",
    "Evaluation",
    "NonFiniteLoss",
    "DeadUnits",
    "dead_units",
    "Description",
    "save_weights",
    "load_weights",
    "load_model",
    "Run",
    "save_run",
    "load_run",
    "draw_curves",
]
