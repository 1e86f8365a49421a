"""Networks to start from, each a function of plain arguments: MODELS by name."""

from collections.abc import Callable

from ..module import Module
from .plain import mlp, mnist_cnn, vgg_small
from .residual import ResNet, resnet20

__all__ = ["MODELS", "ResNet", "mlp", "mnist_cnn", "resnet20", "vgg_small"]

MODELS: dict[str, Callable[..., Module]] = {
    "mnist_cnn": mnist_cnn,
    "vgg_small": vgg_small,
    "resnet20": resnet20,
    "mlp": mlp,
}
