"""Models and trainings on disk."""

from .checkpoints import load_model, load_weights, save_weights
from .curves import draw_curves
from .descriptions import (
    Description,
    ImageDescription,
    PairDescription,
    SeriesDescription,
    TextDescription,
)
from .run_folder import Run, load_run, save_run

__all__ = [
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
