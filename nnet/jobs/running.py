"""The order of a run: prepare, train, save whatever happens, test, write down what was found."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..module.module import Module
from ..runs.run_folder import write_record
from ..training import History, NonFiniteLoss
from .by_kind import job_named
from .job import Found, Job, Prepared, check_finite
from .options import checked_settings
from .saving import saved


@dataclass(frozen=True)
class Result:
    """What became of a run.

    model     as it is saved: trained, or with the last good weights
    history   of its training
    folder    where it is saved: another than was asked for if that takes no files any more, None
              if there is no room anywhere
    failures  that kept it from a folder
    error     that ended the training, for a loss that is not finite
    found     numbers of the test, and `line` says them; None for a training that ended early, or
              is not saved in its folder

    >>> import nnet as nn
    >>> lost = nn.jobs.Result(nn.Linear(1, 1), nn.training.History(1), None)
    >>> lost.interrupted, lost.folder
    (False, None)
    """

    model: Module
    history: History
    folder: Path | None
    failures: tuple[OSError, ...] = ()
    error: NonFiniteLoss | None = None
    found: Found | None = None
    line: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training early."""
        return self.history.interrupted


def run(
    kind: str,
    settings: Any = None,
    folder: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Result:
    """Do a job as `nnet train` does: train, save, test.

    kind       a name in JOBS
    settings   the job's `Settings`; its defaults if not given
    folder     of the run; runs/DATA-TIME if not given
    overwrite  a run that is there
    progress   whether to print a line for every epoch, and to show a bar on a terminal

    Sets the number of threads and the seed of random numbers as the settings say. Ctrl-C and a
    loss that is not finite end the training, and it is saved; the result tells.

    Raises, before the training, OSError, ValueError or TypeError for what is not there or does not
    fit; behind it NotFinite where the model that was saved gives no numbers.

    >>> import nnet as nn, tempfile
    >>> settings = nn.jobs.images.Settings(epochs=1, limit=256)
    >>> result = nn.jobs.run("images", settings, tempfile.mkdtemp(), progress=False)
    >>> len(result.history.step_loss), 0 <= result.found.accuracy <= 1
    (3, True)
    """
    job = job_named(kind)
    settings = checked_settings(job.Settings() if settings is None else settings, job.Settings)
    return carry_out(job, job.prepare(settings, folder, overwrite), progress)


def carry_out(
    job: Job, prepared: Prepared, progress: bool = True, command: list[str] | None = None
) -> Result:
    """What comes after `prepare`.

    command  that started the run
    """
    error = None
    try:
        history = job.train(prepared, progress)
    except NonFiniteLoss as caught:
        error, history = caught, caught.history
    stopped = "interrupted" if history.interrupted else None if error is None else str(error)
    folder, record, failures = saved(prepared, history, command, stopped)
    if stopped or failures:
        return Result(prepared.model, history, folder, failures, error)
    found = job.test(prepared)
    check_finite("the loss", found.loss)
    write_record(prepared.folder, record | {"result": found._asdict()})
    return Result(prepared.model, history, folder, found=found, line=job.tell(found))
