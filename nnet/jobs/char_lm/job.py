"""A character language model: one text to learn, and texts in its manner."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from ... import data, models, optim
from ...optim.warm_cosine import WarmCosine
from ...runs.run_folder import Run
from ...training import Clock, Evaluation, History, fit
from ...training import evaluate as evaluate_model
from .. import job
from ..options import (
    AT_LEAST_0,
    COUNT,
    PART,
    POSITIVE,
    SHARE,
    Choice,
    option,
    recorded,
    seed,
    threads,
)
from .description import TextDescription
from .text import Text, carried, ids_of, streams_of, vocabulary_of

ABOUT = "a character language model"
DESCRIPTION = TextDescription


@dataclass(frozen=True)
class Settings:
    """All that a training depends on, but for the versions of the libraries and `minutes`."""

    text: str = option(str, "file of UTF-8, plain or gzip")
    epochs: int = option(COUNT, "passes over the text", 12)
    minutes: float | None = option(
        POSITIVE, "train for so long, whatever the epochs; the time decides the result", None
    )
    batch_size: int = option(COUNT, "places in the text that are read side by side", 32)
    steps: int = option(COUNT, "characters through which a gradient flows back", 100)
    cell: str = option(Choice(tuple(models.CELLS)), " or ".join(models.CELLS), "gru")
    embedding: int = option(COUNT, "numbers that stand for a character", 64)
    hidden: int = option(COUNT, "recurrent units a layer", 512)
    layers: int = option(COUNT, "recurrent layers", 1)
    dropout: float = option(SHARE, "share of a layer's inputs that is lost", 0.2)
    lr: float = option(POSITIVE, "largest learning rate, which then falls along a cosine", 4e-3)
    weight_decay: float = option(AT_LEAST_0, "of Adam", 0.0)
    clip: float = option(POSITIVE, "greatest length of a gradient", 1.0)
    validation: float = option(PART, "share of the text, its end, held back to be watched", 0.1)
    seed: int = seed()
    threads: int | None = threads()


@dataclass(frozen=True)
class Prepared(job.Prepared):
    settings: Settings
    parts: dict[str, Text]
    description: TextDescription


def prepare(
    settings: Settings, folder: str | Path | None = None, overwrite: bool = False
) -> Prepared:
    """Check the settings, make the run folder, read the text.

    Raises OSError or ValueError for whatever would keep the training from starting.
    """
    folder = job.begin(settings, Path(settings.text).stem, folder, overwrite)
    text = data.read_text(settings.text)
    train, held_back = data.split_text(text, settings.validation)
    vocabulary = data.Vocabulary.from_text(text)
    arguments = {
        "symbols": len(vocabulary),
        "embedding": settings.embedding,
        "hidden": settings.hidden,
        "layers": settings.layers,
        "cell": settings.cell,
        "dropout": settings.dropout,
    }
    description = TextDescription(arguments, vocabulary.to_dict())
    parts = {"train": Text(train), "validation": Text(held_back)}
    prepared = Prepared(settings, folder, parts, description, description.build())
    for part in parts:
        _streams(prepared, part)
    return prepared


def train(prepared: Prepared, progress: bool = True) -> History:
    """Train with Adam, through time by `steps` characters at once. Raises NonFiniteLoss."""
    settings = prepared.settings
    batches = _streams(prepared, "train")
    optimizer = optim.Adam(
        prepared.model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    clock = None if settings.minutes is None else Clock(settings.minutes)
    total = settings.epochs * len(batches)

    def done(steps: int) -> float:
        return steps / total if clock is None else clock.share

    return fit(
        prepared.model,
        batches,
        epochs=settings.epochs if clock is None else None,
        optimizer=optimizer,
        scheduler=WarmCosine(optimizer, settings.lr, done, warm_up=100),
        validation=_streams(prepared, "validation"),
        progress=progress,
        measure=carried,
        clip=settings.clip,
        clock=clock,
    )


def test(prepared: Prepared) -> Evaluation:
    """Loss and share of characters told right on the part held back."""
    streams = _streams(prepared, "validation")
    return evaluate_model(prepared.model, streams, measure=carried())


def tell(found: Evaluation) -> str:
    """The numbers in a line."""
    assert found.accuracy is not None
    bits = found.loss / math.log(2)
    return (
        f"validation loss {found.loss:.4f} per character ({bits:.3f} bits), "
        f"{100 * found.accuracy:.2f} % of characters right"
    )


def evaluate(run: Run[TextDescription], name: str | None = None) -> Evaluation:
    """On the part of its text that was held back, or on all of the file of that name.

    Raises ValueError naming the characters that the model has not seen.
    """
    batch_size, steps = recorded(run, Settings, "batch_size", "steps")
    if name is None:
        name, held_back = recorded(run, Settings, "text", "validation")
        text = data.split_text(data.read_text(name), held_back)[1]
    else:
        text = data.read_text(name)
    ids = ids_of(text, vocabulary_of(run.description), name)
    streams = streams_of(ids, batch_size, steps)
    return evaluate_model(run.model, streams, measure=carried())


def predict(
    run: Run[TextDescription], inputs: Sequence[str], picture: str | None = None
) -> NoReturn:
    """A language model goes on with a text, see `generating`. Raises ValueError."""
    raise ValueError("a language model goes on with a text: nnet generate RUN --prompt TEXT")


def _streams(prepared: Prepared, part: str) -> data.TextStreams:
    settings, text = prepared.settings, prepared.parts[part]
    ids = ids_of(text.content, vocabulary_of(prepared.description), settings.text)
    return streams_of(ids, settings.batch_size, settings.steps)
