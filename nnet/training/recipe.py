"""The training that `nnet train` runs: an image classifier from a data set to a run folder."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from kernels import _jit

from .. import data, environment, optim
from .. import random as randomness
from ..module import Module
from ..optim.lr_scheduler import OneCycleLR
from .checkpoints import Description
from .evaluation import Evaluation, evaluate
from .history import History
from .loop import fit
from .run_folder import prepare_run, save_run, write_record


@dataclass(frozen=True)
class Settings:
    """All that a training depends on, but for the versions of the libraries.

    data        "mnist", or a folder of IDX files
    lr          largest learning rate of the one-cycle schedule
    seed        of weights, dropout, the order of samples and what is held back
    threads     None: as many as the machine has; the result does not depend on it
    validation  share of the training set that is held back to be watched
    limit       train on that many samples only
    """

    data: str = "mnist"
    epochs: int = 3
    batch_size: int = 64
    lr: float = 3e-3
    weight_decay: float = 0.0
    seed: int = 0
    threads: int | None = None
    validation: float = 0.05
    limit: int | None = None


@dataclass(frozen=True)
class Prepared:
    """Everything checked and loaded, so that nothing but the training itself can fail."""

    settings: Settings
    folder: Path
    train: data.ImageDataset
    validation: data.ImageDataset | None
    test: data.ImageDataset
    description: Description
    model: Module


def load_data(name: str) -> tuple[data.ImageDataset, data.ImageDataset]:
    """The bundled "mnist", or a folder of IDX files: a training set and a test set."""
    return data.mnist() if name == "mnist" else data.idx_folder(name)


def loader(
    dataset: data.ImageDataset, description: Description, batch_size: int = 500
) -> data.DataLoader:
    """Batches in order, normalized as the model is used to."""
    return data.DataLoader(dataset, batch_size, mean=description.mean, std=description.std)


def prepare(
    settings: Settings, folder: str | Path | None = None, overwrite: bool = False
) -> Prepared:
    """Check the settings, make the run folder (runs/NAME-TIME by default), load the data.

    Raises OSError, ValueError or TypeError for whatever would keep the training from starting.
    """
    if folder is None:
        folder = Path("runs") / f"{Path(settings.data).name}-{datetime.now():%Y%m%d-%H%M%S}"
    folder = prepare_run(folder, overwrite)
    if settings.threads is not None:
        _jit.set_num_threads(settings.threads)
    randomness.manual_seed(settings.seed)
    train, test = load_data(settings.data)
    if settings.limit is not None:
        train = train.subset(range(min(settings.limit, len(train))))
    validation = None
    if settings.validation:
        train, validation = data.split(train, settings.validation, settings.seed)
    if len(train) < 2:
        raise ValueError(f"expected at least 2 samples to train on, got {len(train)}")
    _, channels, height, width = train.images.shape
    arguments = {
        "channels": channels,
        "height": height,
        "width": width,
        "classes": len(train.classes),
    }
    description = Description(
        "mnist_cnn",
        arguments,
        (channels, height, width),
        *data.channel_statistics(train),
        train.classes,
    )
    return Prepared(settings, folder, train, validation, test, description, description.build())


def train(prepared: Prepared, progress: bool = True) -> History:
    """Train with Adam and a one-cycle learning rate. Raises NonFiniteLoss."""
    settings, description = prepared.settings, prepared.description
    batches = data.DataLoader(
        prepared.train,
        settings.batch_size,
        shuffle=True,
        seed=settings.seed,
        # A rest of one sample has no variance to be normalized by.
        drop_last=len(prepared.train) >= settings.batch_size,
        mean=description.mean,
        std=description.std,
    )
    optimizer = optim.Adam(
        prepared.model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    held_back = prepared.validation
    return fit(
        prepared.model,
        batches,
        epochs=settings.epochs,
        optimizer=optimizer,
        scheduler=OneCycleLR(optimizer, settings.lr, settings.epochs * len(batches)),
        validation=None if held_back is None else loader(held_back, description),
        progress=progress,
    )


def save(
    prepared: Prepared, history: History, command: list[str], stopped: str | None = None
) -> dict:
    """Write the run folder, and return what run.json holds.

    command  that started the training
    stopped  why it ended early
    """
    parts = {"train": prepared.train, "validation": prepared.validation, "test": prepared.test}
    record = {
        "command": command,
        "settings": asdict(prepared.settings),
        "stopped": stopped,
        "data": {
            name: {"samples": len(part), "sha256": part.fingerprint()}
            for name, part in parts.items()
            if part is not None
        },
        "versions": environment.versions(),
        "processor": environment.processor()._asdict(),
    }
    save_run(prepared.folder, prepared.model, prepared.description, history, record)
    return record


def test(prepared: Prepared, record: dict) -> Evaluation:
    """Evaluate on the test set, and add the result to what run.json holds."""
    found = evaluate(prepared.model, loader(prepared.test, prepared.description))
    write_record(prepared.folder, record | {"result": found._asdict()})
    return found
