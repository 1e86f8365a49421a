"""A classifier of series of different lengths: who speaks, what moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ... import data, functional, models, optim
from ...autograd.recording import no_grad
from ...module.modes import evaluating
from ...module.module import Module
from ...optim.lr_scheduler import OneCycleLR
from ...runs.run_folder import Run
from ...training import Evaluation, History, fit
from ...training import evaluate as evaluate_model
from .. import job
from ..classifying import refuse_picture, told
from ..classifying import tell as tell
from ..options import AT_LEAST_0, COUNT, POSITIVE, SHARE, Choice, option, recorded, seed, threads
from .description import SeriesDescription
from .measurements import check_channels, classified, loader, read_series, statistics_of

ABOUT = "a classifier of series"
DESCRIPTION = SeriesDescription


@dataclass(frozen=True)
class Settings:
    """All that a training depends on, but for the versions of the libraries."""

    data: str = option(str, "npz of x, len and y, each of _train and _test", positional=True)
    epochs: int = option(COUNT, "passes over the training set", 60)
    batch_size: int = option(COUNT, "series a step", 16)
    cell: str = option(Choice(tuple(models.CELLS)), " or ".join(models.CELLS), "gru")
    hidden: int = option(COUNT, "recurrent units a layer and direction", 64)
    layers: int = option(COUNT, "recurrent layers", 1)
    dropout: float = option(SHARE, "share of a layer's inputs that is lost", 0.3)
    lr: float = option(POSITIVE, "largest learning rate of the one-cycle schedule", 5e-3)
    weight_decay: float = option(AT_LEAST_0, "of Adam, decoupled", 1e-2)
    clip: float = option(POSITIVE, "greatest length of a gradient", 1.0)
    validation: float = option(SHARE, "share of the training set held back to be watched", 0.0)
    seed: int = seed()
    threads: int | None = threads()


@dataclass(frozen=True)
class Prepared(job.Prepared):
    settings: Settings
    parts: dict[str, data.SeriesDataset]
    description: SeriesDescription


def prepare(
    settings: Settings, folder: str | Path | None = None, overwrite: bool = False
) -> Prepared:
    """Check the settings, make the run folder, load the data.

    Raises OSError, ValueError or TypeError for whatever would keep the training from starting.
    """
    folder = job.begin(settings, Path(settings.data).stem, folder, overwrite)
    train, test = data.series_npz(settings.data)
    held_back = {}
    if settings.validation:
        train, held_back["validation"] = data.split(train, settings.validation, settings.seed)
    arguments = {
        "channels": train.series.shape[2],
        "classes": len(train.classes),
        "hidden": settings.hidden,
        "layers": settings.layers,
        "cell": settings.cell,
        "dropout": settings.dropout,
    }
    description = SeriesDescription(arguments, *data.series_statistics(train), train.classes)
    parts = {"train": train, **held_back, "test": test}
    return Prepared(settings, folder, parts, description, description.build())


def train(prepared: Prepared, progress: bool = True) -> History:
    """Train with AdamW and a one-cycle learning rate. Raises NonFiniteLoss."""
    settings, parts = prepared.settings, prepared.parts
    batches = loader(
        parts["train"], prepared.description, settings.batch_size, shuffle=True, seed=settings.seed
    )
    optimizer = optim.AdamW(
        prepared.model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    held_back = parts.get("validation")
    return fit(
        prepared.model,
        batches,
        epochs=settings.epochs,
        optimizer=optimizer,
        scheduler=OneCycleLR(optimizer, settings.lr, settings.epochs * len(batches)),
        validation=None if held_back is None else loader(held_back, prepared.description),
        progress=progress,
        measure=lambda: classified,
        clip=settings.clip,
    )


def test(prepared: Prepared) -> Evaluation:
    """Loss and accuracy on the test set."""
    return _tested(prepared.model, prepared.parts["test"], prepared.description)


def evaluate(run: Run[SeriesDescription], name: str | None = None) -> Evaluation:
    """Loss and accuracy on the test set of that file. Raises ValueError for other series."""
    if name is None:
        (name,) = recorded(run, Settings, "data")
    _, test = data.series_npz(name)
    classes = run.description.classes
    check_channels(run.description, test, name)
    if len(test.classes) > len(classes):
        raise ValueError(
            f"{name}: expected {len(classes)} classes, as the run was trained on, "
            f"got {len(test.classes)}"
        )
    return _tested(run.model, test, run.description)


def predict(
    run: Run[SeriesDescription], inputs: Sequence[str], picture: str | None = None
) -> Iterator[str]:
    """File and number, class and probability of each series, read before the first is classified.

    Raises ValueError for a picture to be drawn, which there is none of.
    """
    refuse_picture(picture, "series")
    files = [read_series(name, run.description.classes) for name in inputs]
    for name, dataset in zip(inputs, files, strict=True):
        check_channels(run.description, dataset, name)
    statistics = statistics_of(run.description)
    return _lines(run, inputs, [dataset.standardized(statistics) for dataset in files])


def _lines(
    run: Run[SeriesDescription], names: Sequence[str], files: Sequence[data.SeriesDataset]
) -> Iterator[str]:
    classes = run.description.classes
    with evaluating(run.model), no_grad():
        for name, dataset in zip(names, files, strict=True):
            # One by one and in their order; padding would change nothing.
            for index in range(len(dataset)):
                series, lengths, _ = dataset.batch([index])
                (probabilities,) = functional.softmax(run.model(series, lengths), 1).numpy()
                yield told(f"{name} {index}", probabilities, classes)


def _tested(
    model: Module, dataset: data.SeriesDataset, description: SeriesDescription
) -> Evaluation:
    batches = loader(dataset, description)
    return evaluate_model(model, batches, measure=classified)
