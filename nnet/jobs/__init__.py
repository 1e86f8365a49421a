"""The jobs that `nnet train` does, a module each: from data to a run folder, and what follows.

A module has `ABOUT` and `Settings`, and in the order of a run

    prepare(settings, folder, overwrite) -> Prepared    checks everything, reads the data
    train(prepared, progress) -> History                raises NonFiniteLoss
    test(prepared) -> found                             numbers, a NamedTuple
    tell(found) -> str                                  the numbers in a line

and of a run that was read back

    evaluate(run, data) -> found                        on the run's own data where data is None
    predict(run, inputs, picture) -> lines              an answer to each input
"""

from importlib import import_module
from types import ModuleType

from ..runs.descriptions import KINDS, Description

# Of each kind of description, from the folder of that name.
JOBS: dict[str, ModuleType] = {
    kind: import_module(f".{kind.replace('-', '_')}.job", __name__) for kind in KINDS
}


def job_of(description: Description) -> ModuleType:
    """The job that trained what is described so."""
    return JOBS[description.KIND]
