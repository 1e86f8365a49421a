"""What a job is: its settings, and the steps of a run, from data to a model and what follows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from kernels import runtime

from .. import random as randomness
from ..module.module import Module
from ..runs.description import Description
from ..runs.run_folder import check_room, prepare_run
from ..training.history import History


class Part(Protocol):
    """Data that a run is trained or tested on."""

    def __len__(self) -> int: ...

    def fingerprint(self) -> str: ...


class Found(Protocol):
    """Numbers that a test came to: a NamedTuple, the loss among them."""

    @property
    def loss(self) -> float: ...

    def _asdict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Prepared:
    """Everything checked and loaded, so that nothing but the training itself can fail.

    settings  all that the training depends on, but for the versions of the libraries
    parts     of the data, by name

    Raises TypeError or ValueError for a description that could not be read again, OSError where
    the folder has no room for the weights.
    """

    settings: Any
    folder: Path
    parts: Mapping[str, Part]
    description: Description
    model: Module

    def __post_init__(self) -> None:
        self.description.check()
        check_room(self.folder, self.model)


class Job(Protocol):
    """A module that knows how to do one kind of job; functions in the order of a run.

    ABOUT        what it trains, in a few words
    Settings     a dataclass, its fields made by `options.option`
    DESCRIPTION  the class of what its models are described by

    `prepare` checks everything and reads the data, `train` raises NonFiniteLoss, `test` finds
    numbers and `tell` puts them in a line. The others are given a run that was read back:
    `evaluate` tests it on data of that name, or on its own; `predict` answers to each input.

    >>> import nnet as nn
    >>> job = nn.jobs.JOBS["series"]
    >>> job.ABOUT, job.Settings("waves.npz").epochs
    ('a classifier of series', 60)
    """

    @property
    def ABOUT(self) -> str: ...

    @property
    def Settings(self) -> type: ...

    @property
    def DESCRIPTION(self) -> type[Description]: ...

    def prepare(
        self, settings: Any, folder: str | Path | None = None, overwrite: bool = False
    ) -> Prepared: ...

    def train(self, prepared: Any, progress: bool = True) -> History: ...

    def test(self, prepared: Any) -> Found: ...

    def tell(self, found: Any) -> str: ...

    def evaluate(self, run: Any, name: str | None = None) -> Found: ...

    def predict(
        self, run: Any, inputs: Sequence[str], picture: str | None = None
    ) -> Iterable[str]: ...


class NotFinite(ArithmeticError):
    """What a model gives out is no number.

    >>> import numpy as np
    >>> check_finite("the loss", np.nan)
    Traceback (most recent call last):
    nnet.jobs.job.NotFinite: expected the loss to be finite, the model gives nan
    """


def check_finite(what: str, values: Any) -> None:
    """Raises NotFinite for NaN and infinity."""
    if not np.isfinite(values).all():
        wrong = np.ravel(values)[~np.isfinite(np.ravel(values))][0]
        raise NotFinite(f"expected {what} to be finite, the model gives {wrong}")


def begin(settings: Any, name: str, folder: str | Path | None, overwrite: bool) -> Path:
    """Make the run folder (runs/NAME-TIME by default), set threads and random numbers."""
    if folder is None:
        folder = Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = prepare_run(folder, overwrite)
    if settings.threads is not None:
        runtime.set_num_threads(settings.threads)
    randomness.manual_seed(settings.seed)
    return folder
