"""The jobs by the kinds of their descriptions, and how what they saved is read back."""

import os
from typing import Any

import numpy as np

from ..module.module import Module
from ..runs import checkpoints, run_folder
from ..runs.description import Description
from ..runs.run_folder import Run
from .char_lm import job as char_lm
from .images import job as images
from .job import Job
from .seq2seq import job as seq2seq
from .series import job as series

_ALL: tuple[Job, ...] = (
    images,
    char_lm,
    series,
    seq2seq,
)

JOBS: dict[str, Job] = {each.DESCRIPTION.KIND: each for each in _ALL}
KINDS = {kind: job.DESCRIPTION for kind, job in JOBS.items()}


def job_named(kind: str) -> Job:
    """The job of that kind. Raises ValueError for one that is not known.

    >>> import nnet as nn
    >>> nn.jobs.job_named("images").ABOUT
    'an image classifier'
    """
    if kind not in JOBS:
        raise ValueError(f"expected a job out of {', '.join(JOBS)}, got {kind!r}")
    return JOBS[kind]


def load_weights(
    path: str | os.PathLike,
) -> tuple[dict[str, np.ndarray], Description | None]:
    """Read a safetensors file of this or another library: arrays by name, and the description.

    bfloat16 becomes float32, which holds its values. Raises FileNotFoundError for a missing file,
    ValueError for one that is no whole safetensors file, for numbers that NumPy has not, and for
    a description that cannot be read.

    >>> import tempfile, nnet as nn
    >>> path = tempfile.mkdtemp() + "/weights.safetensors"
    >>> nn.training.save_weights(path, nn.Linear(2, 3))
    >>> state, description = nn.training.load_weights(path)
    >>> state["weight"].shape, description
    ((3, 2), None)
    """
    return checkpoints.load_weights(path, KINDS)


def load_model(path: str | os.PathLike) -> tuple[Module, Description]:
    """Rebuild a model from a file of weights that describes it.

    Raises what `load_weights` raises, and ValueError for weights without a description or that
    do not fit the model described; one that is larger than the file is not built.

    >>> import tempfile, nnet as nn
    >>> path = tempfile.mkdtemp() + "/weights.safetensors"
    >>> letters = nn.data.Vocabulary("abc").to_dict()
    >>> about = nn.training.TextDescription({"symbols": 3, "hidden": 4}, letters)
    >>> nn.training.save_weights(path, about.build(), about)
    >>> model, description = nn.training.load_model(path)
    >>> model.linear, description == about
    (Linear(in_features=4, out_features=3, bias=True), True)
    """
    return checkpoints.load_model(path, KINDS)


def load_run(folder: str | os.PathLike) -> Run[Any]:
    """Read a run back.

    Raises FileNotFoundError for a missing folder or file, ValueError for a damaged one.

    >>> import pathlib, tempfile, nnet as nn
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> letters = nn.data.Vocabulary("abc").to_dict()
    >>> about = nn.training.TextDescription({"symbols": 3, "hidden": 4}, letters)
    >>> nn.training.save_run(folder, about.build(), about, nn.training.History(1), {"why": "try"})
    >>> nn.training.load_run(folder).record
    {'why': 'try'}
    """
    return run_folder.load_run(folder, KINDS)
