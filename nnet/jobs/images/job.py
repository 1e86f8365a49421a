"""A classifier of images: MNIST, or any folder of IDX files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ... import data, functional, optim
from ...autograd.recording import no_grad
from ...module.modes import evaluating
from ...optim.lr_scheduler import OneCycleLR
from ...runs.run_folder import Run
from ...training import Evaluation, History, fit
from ...training import evaluate as evaluate_model
from .. import job
from ..classifying import refuse_picture, told
from ..classifying import tell as tell
from ..options import AT_LEAST_0, COUNT, POSITIVE, SHARE, option, recorded, seed, threads
from .description import ImageDescription

ABOUT = "an image classifier"
DESCRIPTION = ImageDescription


@dataclass(frozen=True)
class Settings:
    """All that a training depends on, but for the versions of the libraries."""

    data: str = option(str, "mnist, or a folder of IDX files", "mnist")
    epochs: int = option(COUNT, "passes over the training set", 3)
    batch_size: int = option(COUNT, "samples a step", 64)
    lr: float = option(POSITIVE, "largest learning rate of the one-cycle schedule", 3e-3)
    weight_decay: float = option(AT_LEAST_0, "of Adam", 0.0)
    seed: int = seed()
    threads: int | None = threads()
    validation: float = option(SHARE, "share of the training set held back to be watched", 0.05)
    limit: int | None = option(COUNT, "train on that many samples only", None)


@dataclass(frozen=True)
class Prepared(job.Prepared):
    settings: Settings
    parts: dict[str, data.ImageDataset]
    description: ImageDescription


def prepare(
    settings: Settings, folder: str | Path | None = None, overwrite: bool = False
) -> Prepared:
    """Check the settings, make the run folder, load the data.

    Raises OSError, ValueError or TypeError for whatever would keep the training from starting.
    """
    folder = job.begin(settings, Path(settings.data).name, folder, overwrite)
    train, test = _load(settings.data)
    if settings.limit is not None:
        train = train.subset(range(min(settings.limit, len(train))))
    held_back = {}
    if settings.validation:
        train, held_back["validation"] = data.split(train, settings.validation, settings.seed)
    if len(train) < 2:
        raise ValueError(f"expected at least 2 samples to train on, got {len(train)}")
    _, channels, height, width = train.images.shape
    arguments = {
        "channels": channels,
        "height": height,
        "width": width,
        "classes": len(train.classes),
    }
    description = ImageDescription(
        "mnist_cnn",
        arguments,
        (channels, height, width),
        *data.channel_statistics(train),
        train.classes,
    )
    parts = {"train": train, **held_back, "test": test}
    return Prepared(settings, folder, parts, description, description.build())


def train(prepared: Prepared, progress: bool = True) -> History:
    """Train with Adam and a one-cycle learning rate. Raises NonFiniteLoss."""
    settings, description, samples = prepared.settings, prepared.description, prepared.parts
    batches = data.DataLoader(
        samples["train"],
        settings.batch_size,
        shuffle=True,
        seed=settings.seed,
        # A rest of one sample has no variance to be normalized by.
        drop_last=len(samples["train"]) >= settings.batch_size,
        mean=description.mean,
        std=description.std,
    )
    optimizer = optim.Adam(
        prepared.model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
    )
    held_back = samples.get("validation")
    return fit(
        prepared.model,
        batches,
        epochs=settings.epochs,
        optimizer=optimizer,
        scheduler=OneCycleLR(optimizer, settings.lr, settings.epochs * len(batches)),
        validation=None if held_back is None else _loader(held_back, description),
        progress=progress,
    )


def test(prepared: Prepared) -> Evaluation:
    """Loss and accuracy on the test set."""
    return evaluate_model(prepared.model, _loader(prepared.parts["test"], prepared.description))


def evaluate(run: Run[ImageDescription], name: str | None = None) -> Evaluation:
    """Loss and accuracy on the test set of that name. Raises ValueError for other images."""
    description = run.description
    if name is None:
        (name,) = recorded(run, Settings, "data")
    _, test = _load(name)
    shape, classes = description.shape, description.classes
    if test.images.shape[1:] != shape or len(test.classes) > len(classes):
        raise ValueError(
            f"{name}: expected images of shape {shape} in {len(classes)} classes, as the run "
            f"was trained on, got {test.images.shape[1:]} in {len(test.classes)}"
        )
    return evaluate_model(run.model, _loader(test, description))


def predict(
    run: Run[ImageDescription], inputs: Sequence[str], picture: str | None = None
) -> Iterator[str]:
    """Name, class and probability of each image file, read before the first is classified.

    Raises ValueError for a picture to be drawn, which there is none of.
    """
    refuse_picture(picture, "images")
    images = [data.read_image(name, run.description.shape) for name in inputs]
    return _classified(run, inputs, np.stack(images))


def _classified(
    run: Run[ImageDescription], names: Sequence[str], images: np.ndarray
) -> Iterator[str]:
    classes = run.description.classes
    dataset = data.ImageDataset(images, np.zeros(len(images), np.int64), classes)
    left = iter(names)
    with evaluating(run.model), no_grad():
        for batch, _ in _loader(dataset, run.description):
            for probabilities in functional.softmax(run.model(batch), 1).numpy():
                yield told(next(left), probabilities, classes)


def _load(name: str) -> tuple[data.ImageDataset, data.ImageDataset]:
    return data.mnist() if name == "mnist" else data.idx_folder(name)


def _loader(
    dataset: data.ImageDataset, description: ImageDescription, batch_size: int = 500
) -> data.DataLoader:
    """Batches in order, normalized as the model is used to."""
    return data.DataLoader(dataset, batch_size, mean=description.mean, std=description.std)
