"""MNIST, bundled with the package. Its authors and licence: ../files/mnist/ATTRIBUTION."""

from pathlib import Path

from .dataset import ImageDataset
from .idx import idx_folder

__all__ = ["mnist", "MNIST_FOLDER"]

MNIST_FOLDER = Path(__file__).parents[1] / "files" / "mnist"


def mnist() -> tuple[ImageDataset, ImageDataset]:
    """Handwritten digits: 60,000 to train on and 10,000 to test, 28x28 grey values.

    LeCun, Cortes and Burges; CC BY-SA 3.0.

    >>> import nnet as nn
    >>> train, test = nn.data.mnist()
    >>> train.images.shape, test.labels[:5]
    ((60000, 1, 28, 28), array([7, 2, 1, 0, 4]))
    """
    return idx_folder(MNIST_FOLDER, classes=tuple("0123456789"))
