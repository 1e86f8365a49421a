"""The training loop and evaluation; what is on disk is in `jobs`, and can be had here too."""

import importlib
from typing import Any

from ..inspection.dead_units import DeadUnits, dead_units
from .callback import Callback, StopTraining, Training
from .clock import Clock
from .defaults import ClipGradients
from .diagnostics.guard import Guard, NonFiniteLoss
from .evaluation import Evaluation, evaluate
from .history import Epoch, History
from .loop import fit
from .measures import Measure, Measured, supervised
from .progress import Progress

__all__ = [
    "fit",
    "evaluate",
    "Callback",
    "Training",
    "StopTraining",
    "Guard",
    "ClipGradients",
    "Clock",
    "Progress",
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

_OF_RUNS = {
    *("Description", "ImageDescription", "TextDescription", "SeriesDescription"),
    *("PairDescription", "save_weights", "load_weights", "load_model"),
    *("Run", "save_run", "load_run", "draw_curves"),
}


def __getattr__(name: str) -> Any:
    """What stands on this is imported when first used."""
    if name in _OF_RUNS:
        return getattr(importlib.import_module("..jobs", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
