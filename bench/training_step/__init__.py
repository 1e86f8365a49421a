"""Whole training steps, in this library and in PyTorch: forward, loss, backward, optimizer.

The same network of `nnet.models` or `nnet_models`, the same batch, the same optimizer, PyTorch's
fused. From the same weights they must give the same loss, gradients and statistics before they are
timed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import nnet as nn
from bench.case import assert_agree
from bench.training_step.nnet_models import MODELS
from nnet import optim

CLASSES = 10
LR, MOMENTUM, WEIGHT_DECAY = 1e-3, 0.9, 1e-4

# What both step functions return: the model, and what trains it by one step for the loss.
Trained = tuple[Any, Callable[[], float]]


@dataclass(frozen=True)
class Training:
    """What is trained, on which batch.

    shape      of the images, batch first
    arguments  of the model; those of PyTorch's twin are the same
    optimizer  "adam", or "sgd" with momentum and weight decay
    dropout    whether the model has any: it is 0 while results are compared, since masks differ
    tolerance  of gradients: a value that rounding takes across the corner of a ReLU, or to
               another maximum, changes those of a deep network by as much as a percent
    small      cheap enough for tests
    """

    model: str
    shape: tuple[int, ...]
    optimizer: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    dropout: bool = True
    tolerance: float = 1e-3
    small: bool = False

    @property
    def name(self) -> str:
        sizes = [self.arguments[key] for key in ("inputs",) if key in self.arguments]
        return "-".join(map(str, [self.model, *sizes, f"batch{self.shape[0]}"]))

    def batch(self, size: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Images as the loader yields them, normalized, and labels."""
        rng = np.random.default_rng(0)
        shape = (size or self.shape[0], *self.shape[1:])
        return rng.standard_normal(shape, np.float32), rng.integers(0, CLASSES, shape[0])

    def in_nnet(self, size: int | None = None, compared: bool = False) -> Trained:
        """This library's step, on a batch of `size` if given."""
        nn.manual_seed(0)
        model = MODELS[self.model](**self._arguments(compared))
        optimizer: optim.Optimizer
        if self.optimizer == "adam":
            optimizer = optim.Adam(model.parameters(), lr=LR)
        else:
            optimizer = optim.SGD(
                model.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
            )
        x, targets = map(nn.from_numpy, self.batch(size))

        def step() -> float:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), targets)
            loss.backward()
            optimizer.step()
            return loss.item()

        return model, step

    def in_torch(self, size: int | None = None, compared: bool = False) -> Trained:
        """PyTorch's step."""
        import torch

        from bench.training_step import torch_models

        torch.manual_seed(0)
        model = getattr(torch_models, self.model)(**self._arguments(compared))
        optimizer: torch.optim.Optimizer
        if self.optimizer == "adam":
            optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
        else:
            optimizer = torch.optim.SGD(
                model.parameters(),
                lr=LR,
                momentum=MOMENTUM,
                weight_decay=WEIGHT_DECAY,
                fused=True,
            )
        x, targets = map(torch.tensor, self.batch(size))

        def step() -> float:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), targets)
            loss.backward()
            optimizer.step()
            return loss.item()

        return model, step

    def check(self, size: int | None = None) -> None:
        """From the same weights: the same loss, gradients and statistics, but for rounding."""
        import torch

        ours, our_step = self.in_nnet(size, compared=True)
        theirs, their_step = self.in_torch(size, compared=True)
        state = {name: np.array(_array(value)) for name, value in ours.state_dict().items()}
        theirs.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
        our_loss, their_loss = np.array(our_step()), np.array(their_step())
        assert_agree(f"{self.name}: loss", our_loss, their_loss, 1e-5)
        others = dict(theirs.named_parameters())
        for name, parameter in ours.named_parameters():
            one, other = _array(parameter.grad), others[name].grad.numpy()
            assert_agree(f"{self.name}: gradient of {name}", one, other, self.tolerance)
        found = dict(ours.named_buffers())
        for name, value in theirs.named_buffers():
            assert_agree(f"{self.name}: {name}", _array(found[name]), value.numpy(), 1e-4)

    def _arguments(self, compared: bool) -> dict[str, Any]:
        return dict(self.arguments) | ({"dropout": 0.0} if compared and self.dropout else {})


@dataclass(frozen=True)
class TextTraining(Training):
    """A language model on random symbols; `shape` is (batch, steps)."""

    @property
    def name(self) -> str:
        return f"{self.arguments['cell'].lower()}_{self.model}-batch{self.shape[0]}"

    def batch(self, size: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Symbols (steps, batch), and the one behind each, in a row."""
        samples, steps = size or self.shape[0], self.shape[1]
        symbols = np.random.default_rng(0).integers(0, VOCABULARY, (steps + 1, samples))
        return symbols[:-1], symbols[1:].ravel()


VOCABULARY = 64
TRAININGS = (
    Training("mnist_cnn", (64, 1, 28, 28), "adam", small=True),
    Training("vgg_small", (64, 3, 32, 32), "sgd", tolerance=0.05),
    Training("resnet20", (64, 3, 32, 32), "sgd", dropout=False, tolerance=0.05),
    Training("mlp", (128, 784), "adam"),
    Training(
        "mlp",
        (32, 64),
        "sgd",
        {"inputs": 64, "hidden": (32,), "dropout": 0.0, "batch_norm": False},
        small=True,
    ),
    *(
        TextTraining("language", (32, 100), "adam", {"cell": cell}, dropout=False)
        for cell in ("LSTM", "GRU", "RNN")
    ),
)
MNIST_CNN, _, RESNET20, *_ = TRAININGS


def _array(value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else value.detach().numpy()
