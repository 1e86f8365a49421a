"""From one sequence to another: translate, spell, reverse, by pairs of texts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ... import data, models, optim
from ...data.text.tokens import BOS, EOS, PAD, UNITS, UNK
from ...models.seq2seq import ATTENTIONS
from ...optim.lr_scheduler import OneCycleLR
from ...runs.run_folder import Run
from ...training import History, fit
from .. import job
from ..options import COUNT, PART, POSITIVE, SHARE, Choice, option, recorded, seed, threads
from .description import LONGEST, PairDescription
from .pairs import Found, Pairs, Vocabularies, continued, tested
from .translating import decoded, picture_of, texts_of

ABOUT = "a model from one sequence to another"
DESCRIPTION = PairDescription

NO_ATTENTION = "none"


@dataclass(frozen=True)
class Settings:
    """All that a training depends on, but for the versions of the libraries."""

    data: str = option(str, "a pair a line, with a tab between its two texts", positional=True)
    unit: str = option(Choice(UNITS), "characters or words", "characters")
    min_count: int = option(COUNT, "symbols that are rarer are one and the same, unknown", 1)
    epochs: int = option(COUNT, "passes over the pairs", 20)
    batch_size: int = option(COUNT, "pairs a step", 64)
    cell: str = option(Choice(tuple(models.CELLS)), " or ".join(models.CELLS), "gru")
    attention: str = option(
        Choice((NO_ATTENTION, *ATTENTIONS)), f"{NO_ATTENTION}, {', '.join(ATTENTIONS)}", "general"
    )
    embedding: int = option(COUNT, "numbers that stand for a symbol", 64)
    hidden: int = option(COUNT, "recurrent units a layer, an even number", 256)
    layers: int = option(COUNT, "recurrent layers on each side", 1)
    dropout: float = option(SHARE, "share of a layer's inputs that is lost", 0.1)
    lr: float = option(POSITIVE, "largest learning rate of the one-cycle schedule", 3e-3)
    clip: float = option(POSITIVE, "greatest length of a gradient", 1.0)
    validation: float = option(PART, "share of the pairs held back to be watched", 0.1)
    seed: int = seed()
    threads: int | None = threads()


@dataclass(frozen=True)
class Prepared(job.Prepared):
    settings: Settings
    parts: dict[str, Pairs]
    description: PairDescription


def prepare(
    settings: Settings, folder: str | Path | None = None, overwrite: bool = False
) -> Prepared:
    """Check the settings, make the run folder, read the pairs.

    Raises OSError or ValueError for whatever would keep the training from starting.
    """
    folder = job.begin(settings, Path(settings.data).stem, folder, overwrite)
    pairs = data.read_pairs(settings.data, settings.unit)
    unknown = [UNK] if settings.min_count > 1 else []
    source, target = (
        data.Vocabulary.from_tokens(
            (pair[side] for pair in pairs), settings.unit, [*specials, *unknown], settings.min_count
        )
        for side, specials in enumerate(([PAD], [PAD, BOS, EOS]))
    )
    arguments = {
        "source_size": len(source),
        "target_size": len(target),
        "embedding_size": settings.embedding,
        "hidden_size": settings.hidden,
        "num_layers": settings.layers,
        "cell": settings.cell,
        "attention": None if settings.attention == NO_ATTENTION else settings.attention,
        "dropout": settings.dropout,
    }
    longest = max(len(pair[1]) for pair in pairs)
    if longest > LONGEST:
        raise ValueError(
            f"{settings.data}: expected targets of at most {LONGEST} symbols, got {longest}"
        )
    description = PairDescription(arguments, source.to_dict(), target.to_dict(), longest)
    both = Pairs(pairs, Vocabularies(source, target))
    train, held_back = data.split(both, settings.validation, settings.seed)
    parts = {"train": train, "validation": held_back}
    return Prepared(settings, folder, parts, description, description.build())


def train(prepared: Prepared, progress: bool = True) -> History:
    """Train to continue true beginnings, with Adam and a one-cycle rate. Raises NonFiniteLoss."""
    settings, parts = prepared.settings, prepared.parts
    batches = parts["train"].loader(settings.batch_size, shuffle=True, seed=settings.seed)
    optimizer = optim.Adam(prepared.model.parameters(), lr=settings.lr)
    return fit(
        prepared.model,
        batches,
        epochs=settings.epochs,
        optimizer=optimizer,
        scheduler=OneCycleLR(optimizer, settings.lr, settings.epochs * len(batches)),
        validation=parts["validation"].loader(),
        progress=progress,
        measure=lambda: continued,
        clip=settings.clip,
    )


def test(prepared: Prepared) -> Found:
    """On the pairs held back."""
    return tested(prepared.model, prepared.parts["validation"], prepared.description)


def tell(found: Found) -> str:
    """The numbers in a line."""
    return (
        f"validation loss {found.loss:.4f} per symbol, {100 * found.accuracy:.2f} % of symbols "
        f"right, {100 * found.whole:.2f} % of outputs whole"
    )


def evaluate(run: Run[PairDescription], name: str | None = None) -> Found:
    """On the pairs held back, or on all of the file of that name.

    Raises ValueError naming what the model has not seen.
    """
    vocabularies = Vocabularies.of(run.description)
    unit = vocabularies.source.unit
    if name is None:
        name, held_back, seed = recorded(run, Settings, "data", "validation", "seed")
        pairs = Pairs(data.read_pairs(name, unit), vocabularies)
        _, pairs = data.split(pairs, held_back, seed)
    else:
        pairs = Pairs(data.read_pairs(name, unit), vocabularies)
    return tested(run.model, pairs, run.description)


def predict(
    run: Run[PairDescription], inputs: Sequence[str], picture: str | None = None
) -> Iterator[str]:
    """The output for each text, or for each line of a file; and a picture of the attention.

    picture  where to; attention.png in the run's folder if not given

    Raises ValueError naming what the model has not seen, and for a picture of a model without
    attention; ImportError for one without matplotlib.
    """
    vocabularies = Vocabularies.of(run.description)
    texts = texts_of(inputs, vocabularies.source)
    draw = picture_of(run, picture)
    return decoded(run, vocabularies, texts, draw)
