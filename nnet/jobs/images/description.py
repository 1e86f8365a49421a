"""What a classifier of images is, and what it takes in."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from ... import models
from ...module.module import Module
from ...runs.description import Description
from ...training.schema import (
    arguments_of,
    check_count,
    check_names,
    check_numbers,
    check_same,
    shown,
)


@dataclass(frozen=True)
class ImageDescription(Description):
    """A classifier of images.

    model       a name in `nnet.models.MODELS`
    arguments   its keyword arguments
    shape       of one image, (C, H, W)
    mean, std   one number a channel that pixels in [0, 1] are normalized with
    classes     names of the classes

    >>> import nnet as nn
    >>> about = nn.training.ImageDescription(
    ...     "mlp", {"inputs": 4, "classes": 2}, (1, 2, 2), (0.5,), (0.2,), ("no", "yes")
    ... )
    >>> about.check()
    >>> about.build()(nn.zeros(9, *about.shape)).shape
    (9, 2)
    """

    KIND: ClassVar = "images"

    model: str
    arguments: dict
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]

    def build(self) -> Module:
        """A new model with fresh weights.

        Raises ValueError for a name that is not known, and for images of another size.
        """
        self._check_name()
        model = models.MODELS[self.model](**self.arguments)
        made = arguments_of(models.MODELS[self.model], self.arguments)
        if "height" in made:
            size = made["height"], made["width"]
            check_same("height and width", size, tuple(self.shape[1:]))
        return model

    def check(self) -> None:
        self._check_name()
        arguments = arguments_of(models.MODELS[self.model], self.arguments)
        if not isinstance(self.shape, tuple) or len(self.shape) != 3:
            raise ValueError(f"expected a shape (C, H, W), got {shown(self.shape)}")
        for size in self.shape:
            check_count("a size of shape", size)
        check_count("the product of shape", prod(self.shape))
        check_numbers("mean", self.mean, self.shape[0])
        check_numbers("std", self.std, self.shape[0], above=0)
        check_names("classes", self.classes, arguments.get("classes", len(self.classes)))
        for name, size in (("channels", self.shape[0]), ("inputs", prod(self.shape))):
            check_same(name, arguments.get(name, size), size)

    def _check_name(self) -> None:
        if not isinstance(self.model, str) or self.model not in models.MODELS:
            known = ", ".join(models.MODELS)
            raise ValueError(f"expected a model out of {known}, got {shown(self.model)}")
