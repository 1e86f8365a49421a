"""The training loop, evaluation, and models on disk."""

from .checkpoints import load_model, load_weights, save_weights
from .clock import Clock
from .curves import draw_curves
from .descriptions import (
    Description,
    ImageDescription,
    PairDescription,
    SeriesDescription,
    TextDescription,
)
from .diagnostics import NonFiniteLoss
from .evaluation import Evaluation, evaluate
from .firing import DeadUnits, dead_units
from .history import Epoch, History
from .loop import Callback, fit
from .measures import Measure, Measured, supervised
from .run_folder import Run, load_run, save_run

__all__ = [
    "fit",
    "evaluate",
    "Callback",
    "Clock",
    "Measure",
    "Measured",
    "supervised",
    "History",
    "Epoch",
    "Evaluation",
    "NonFiniteLoss",
    "DeadUnits",
    "dead_units",
    "Description",
    "ImageDescription",
    "TextDescription",
    "SeriesDescription",
    "PairDescription",
    "save_weights",
    "load_weights",
    "load_model",
    "Run",
    "save_run",
    "load_run",
    "draw_curves",
]
