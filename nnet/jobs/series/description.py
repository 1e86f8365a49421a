"""What a classifier of series is, and what it takes in."""

from dataclasses import dataclass
from typing import ClassVar

from ... import models
from ...module.module import Module
from ...runs.description import Description
from ...training.schema import arguments_of, check_names, check_numbers


@dataclass(frozen=True)
class SeriesDescription(Description):
    """A classifier of series.

    arguments  of `nnet.models.SeriesClassifier`
    mean, std  one number a channel that series are normalized with
    classes    names of the classes

    >>> import nnet as nn
    >>> about = nn.training.SeriesDescription(
    ...     {"channels": 1, "classes": 2, "hidden": 3}, (0.5,), (0.2,), ("no", "yes")
    ... )
    >>> about.check()
    >>> about.build().linear
    Linear(in_features=6, out_features=2, bias=True)
    """

    KIND: ClassVar = "series"

    arguments: dict
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]

    def build(self) -> Module:
        return models.SeriesClassifier(**self.arguments)

    def check(self) -> None:
        arguments = arguments_of(models.SeriesClassifier, self.arguments)
        check_numbers("mean", self.mean, arguments["channels"])
        check_numbers("std", self.std, arguments["channels"], above=0)
        check_names("classes", self.classes, arguments["classes"])
