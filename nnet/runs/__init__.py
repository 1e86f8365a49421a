"""Models and trainings on disk, of whatever job: `jobs` knows them."""

from .checkpoints import save_weights
from .curves import draw_curves
from .description import Description
from .run_folder import Run, save_run

__all__ = [
    "Description",
    "save_weights",
    "Run",
    "save_run",
    "draw_curves",
]
