"""What a model on disk is, and what it takes in: one class for each kind of job.

A description is plain data that JSON can hold. One that was read is checked as a whole: `check`
raises TypeError or ValueError for what does not fit.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from .. import models
from ..data.text.vocabulary import Vocabulary
from ..models.seq2seq import Seq2Seq
from ..module.module import Module
from ..training.schema import (
    arguments_of,
    check_count,
    check_names,
    check_numbers,
    check_same,
    shown,
)

# A model may write twice as many symbols, and each of them takes longer than the one before.
LONGEST = 1 << 13


class Description:
    """What the kinds, dataclasses all, have in common; the folder of a kind's job has its name.

    arguments  of the model

    >>> import nnet as nn
    >>> nn.training.TextDescription.KIND
    'char-lm'
    """

    KIND: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]

    arguments: dict

    def build(self) -> Module:
        """A new model with fresh weights."""
        raise NotImplementedError

    def check(self) -> None:
        """Raises TypeError or ValueError for what does not fit together."""
        raise NotImplementedError


@dataclass(frozen=True)
class ImageDescription(Description):
    """A classifier of images.

    model       a name in `nnet.models.MODELS`
    arguments   its keyword arguments
    shape       of one image, (C, H, W)
    mean, std   one number a channel that pixels in [0, 1] are normalized with
    classes     names of the classes
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


@dataclass(frozen=True)
class TextDescription(Description):
    """A language model of characters.

    arguments   of `nnet.models.LanguageModel`
    vocabulary  what `Vocabulary.to_dict` returned
    """

    KIND: ClassVar = "char-lm"

    arguments: dict
    vocabulary: dict

    def build(self) -> Module:
        return models.LanguageModel(**self.arguments)

    def check(self) -> None:
        arguments = arguments_of(models.LanguageModel, self.arguments)
        vocabulary = Vocabulary.from_dict(self.vocabulary)
        check_same("a vocabulary of", vocabulary.unit, "characters")
        check_same("symbols", arguments["symbols"], len(vocabulary))


@dataclass(frozen=True)
class SeriesDescription(Description):
    """A classifier of series.

    arguments  of `nnet.models.SeriesClassifier`
    mean, std  one number a channel that series are normalized with
    classes    names of the classes
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


@dataclass(frozen=True)
class PairDescription(Description):
    """A model from one sequence to another.

    arguments       of `nnet.Seq2Seq`
    source, target  what `Vocabulary.to_dict` returned
    longest         symbols of the longest target it was trained on, up to 8192
    """

    KIND: ClassVar = "seq2seq"

    arguments: dict
    source: dict
    target: dict
    longest: int

    def build(self) -> Module:
        return Seq2Seq(**self.arguments)

    def check(self) -> None:
        arguments = arguments_of(Seq2Seq, self.arguments)
        source, target = map(Vocabulary.from_dict, (self.source, self.target))
        check_same("source_size", arguments["source_size"], len(source))
        check_same("target_size", arguments["target_size"], len(target))
        check_same("a source vocabulary with <pad>:", source.pad is not None, True)
        for name in ("pad", "bos", "eos"):
            check_same(f"{name} of target", getattr(target, name), arguments[name])
        check_count("longest", self.longest, LONGEST)


# All those above.
KINDS: dict[str, Any] = {each.KIND: each for each in Description.__subclasses__()}
