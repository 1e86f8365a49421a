"""A classifier of series of different lengths."""

from . import job
from .job import ABOUT, Prepared, Settings, evaluate, predict, prepare, tell, test, train

__all__ = [
    "ABOUT",
    "Settings",
    "Prepared",
    "prepare",
    "train",
    "test",
    "tell",
    "evaluate",
    "predict",
    "job",
]
