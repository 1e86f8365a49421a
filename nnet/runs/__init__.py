"""Models and trainings on disk; what knows the jobs is in `jobs`, and can be had here too."""

import importlib
from typing import Any

from .checkpoints import save_weights
from .curves import draw_curves
from .description import Description
from .run_folder import Run, save_run

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


def __getattr__(name: str) -> Any:
    """What stands on this is imported when first used."""
    if name in __all__:
        return getattr(importlib.import_module("..jobs", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
