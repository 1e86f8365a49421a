"""The jobs that `nnet train` does, a folder each: from data to a run folder, and what follows."""

from ..runs import Description, Run, draw_curves, save_run, save_weights
from .by_kind import JOBS, job_named, load_model, load_run, load_weights
from .char_lm.description import TextDescription
from .images.description import ImageDescription
from .job import Job, NotFinite
from .running import Result, run
from .seq2seq.description import PairDescription
from .series.description import SeriesDescription

__all__ = [
    "JOBS",
    "Job",
    "job_named",
    "run",
    "Result",
    "NotFinite",
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
