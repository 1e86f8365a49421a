"""Networks to start from, of plain arguments; those for images by name in MODELS."""

from collections.abc import Callable

from ..module.module import Module
from .cells import CELLS
from .language import LanguageModel
from .plain import mlp, mnist_cnn, vgg_small
from .residual import ResNet, resnet20
from .series import SeriesClassifier

__all__ = [
    "CELLS",
    "MODELS",
    "LanguageModel",
    "ResNet",
    "SeriesClassifier",
    "mlp",
    "mnist_cnn",
    "resnet20",
    "vgg_small",
]

MODELS: dict[str, Callable[..., Module]] = {
    "mnist_cnn": mnist_cnn,
    "vgg_small": vgg_small,
    "resnet20": resnet20,
    "mlp": mlp,
}
