"""Compile beforehand what the networks of `nnet.models` need: `nnet warmup`.

Kernels are compiled when they are first called, and kept on disk. So each network is trained and
evaluated for a moment, on noise, in batches as large and as small as occur.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from time import perf_counter
from typing import Any

import numpy as np

from kernels import runtime

from . import functional
from .autograd.tensor import Tensor

# Images that each network is made for, and the recurrent layers of those for sequences. Neighbours
# go to different processes, so that those which have few kernels in common are compiled at the
# same time.
SHAPES = {
    "mnist_cnn": (1, 28, 28),
    "mlp": (1, 28, 28),
    "resnet20": (3, 32, 32),
    "vgg_small": (3, 32, 32),
}
SEQUENCES = ("lstm", "gru")
NAMES = (*SHAPES, *SEQUENCES)
PROCESSES = 2

# Small batches take other kernels than large ones.
BATCH, REST = 64, 2
STEPS, SYMBOLS = 8, 16

# What a process says of a network that it has compiled for.
_READY = "nnet.warmup: ready: "


def warm_up(
    names: Sequence[str] = NAMES, say: Callable[[str], None] = print, progress: bool = True
) -> None:
    """Compile what the networks of those names need, in processes side by side.

    say       is told a line for each network that is ready
    progress  show a bar on a terminal

    What was compiled before is only read. Raises RuntimeError if a process fails, or where
    compiled kernels cannot be kept.
    """
    from tqdm import tqdm

    if runtime.cache_folder() is None:
        raise RuntimeError("expected a cache folder that is yours alone and can be written to")
    start = perf_counter()
    shares = [share for i in range(PROCESSES) if (share := list(names[i::PROCESSES]))]
    one_at_a_time = Lock()
    # disable=None: only on a terminal.
    bar = tqdm(
        total=len(names),
        desc="compiling",
        unit="network",
        leave=False,
        disable=None if progress else True,
    )

    def heard(line: str) -> None:
        ready = line.startswith(_READY)
        with one_at_a_time:
            with tqdm.external_write_mode():
                if ready:
                    name = line.removeprefix(_READY).strip()
                    say(f"{name} ready after {perf_counter() - start:.1f} s")
                else:
                    sys.stderr.write(line)
            bar.update(ready)

    def run(share: list[str]) -> None:
        command = [sys.executable, "-m", "nnet.warmup", *share]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                heard(line)
        if child.returncode:
            raise RuntimeError(f"compiling for {', '.join(share)} failed")

    with bar, ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(run, shares))
    say(f"kernels are kept in {runtime.cache_folder()}")


def train_a_moment(name: str) -> None:
    """Train and evaluate the network of that name, or those with that recurrent layer, here."""
    if name in SEQUENCES:
        _train_on_sequences(name)
    else:
        _train_on_images(name)


def _train_on_images(name: str) -> None:
    """With one optimizer, then with the other."""
    from . import data, models, optim
    from .training import evaluate, fit

    samples, shape = BATCH + REST, SHAPES[name]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (samples, *shape), np.uint8)
    dataset = data.ImageDataset(images, rng.integers(0, 10, samples), tuple("0123456789"))
    mean, std = data.channel_statistics(dataset)
    batches = data.DataLoader(dataset, BATCH, shuffle=True, mean=mean, std=std)
    model = models.MODELS[name]()
    for optimizer in (
        optim.Adam(model.parameters(), lr=1e-3),
        optim.SGD(model.parameters(), lr=1e-3, momentum=0.9),
    ):
        fit(model, batches, epochs=1, optimizer=optimizer, progress=False)
    evaluate(model, batches)


def _train_on_sequences(cell: str) -> None:
    """Networks of text and of series with that recurrent layer."""
    from . import models, optim
    from .autograd.recording import no_grad
    from .optim.clip_gradients import clip_grad_norm_

    rng = np.random.default_rng(0)
    networks: tuple[tuple[Any, Callable], ...] = (
        (models.LanguageModel(SYMBOLS, cell=cell), _language_loss),
        (models.SeriesClassifier(SYMBOLS, SYMBOLS, cell=cell), _series_loss),
    )
    for model, loss in networks:
        optimizer = optim.Adam(model.parameters())
        for samples in (BATCH, REST, 1):
            loss(model, rng, samples).backward()
            clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            with no_grad():
                loss(model, rng, samples)


def _language_loss(model: Any, rng: np.random.Generator, samples: int) -> Tensor:
    ids = Tensor(rng.integers(0, SYMBOLS, (STEPS, samples)))
    return functional.cross_entropy(model(ids)[0].flatten(0, 1), ids.flatten())


def _series_loss(model: Any, rng: np.random.Generator, samples: int) -> Tensor:
    series = Tensor(rng.random((STEPS, samples, SYMBOLS), np.float32))
    lengths = Tensor(rng.integers(1, STEPS + 1, samples))
    return functional.cross_entropy(model(series, lengths), lengths)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        train_a_moment(each)
        print(f"{_READY}{each}", flush=True)
