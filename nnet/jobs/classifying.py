"""What jobs of classifiers share."""

from collections.abc import Sequence

import numpy as np

from ..training import Evaluation
from .job import check_finite


def tell(found: Evaluation) -> str:
    """The numbers in a line."""
    assert found.accuracy is not None
    return f"test accuracy {100 * found.accuracy:.2f} %, loss {found.loss:.4f}"


def told(name: str, probabilities: np.ndarray, classes: Sequence[str]) -> str:
    """The likeliest class in a line. Raises NotFinite for probabilities that are none."""
    check_finite(f"probabilities for {name}", probabilities)
    best = int(probabilities.argmax())
    return f"{name}  {classes[best]}  {probabilities[best]:.4f}"


def refuse_picture(picture: str | None, what: str) -> None:
    """Raises ValueError for a picture to be drawn."""
    if picture is not None:
        raise ValueError(f"a classifier of {what} has no attention to be drawn")
