"""What a model on disk is, and what it takes in: one class for each kind of job.

A description is plain data that JSON can hold; "kind" says which class it is of. What was written
before there were kinds describes images.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from .. import models
from ..module import Module
from ..seq2seq import Seq2Seq


@dataclass(frozen=True)
class ImageDescription:
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
        """A new model with fresh weights. Raises ValueError for a name that is not known."""
        if self.model not in models.MODELS:
            known = ", ".join(models.MODELS)
            raise ValueError(f"expected a model out of {known}, got {self.model!r}")
        return models.MODELS[self.model](**self.arguments)


@dataclass(frozen=True)
class TextDescription:
    """A language model of characters.

    arguments   of `nnet.models.LanguageModel`
    vocabulary  what `Vocabulary.to_dict` returned
    """

    KIND: ClassVar = "char-lm"

    arguments: dict
    vocabulary: dict

    def build(self) -> Module:
        """A new model with fresh weights."""
        return models.LanguageModel(**self.arguments)


@dataclass(frozen=True)
class SeriesDescription:
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
        """A new model with fresh weights."""
        return models.SeriesClassifier(**self.arguments)


@dataclass(frozen=True)
class PairDescription:
    """A model from one sequence to another.

    arguments       of `nnet.Seq2Seq`
    source, target  what `Vocabulary.to_dict` returned
    longest         symbols of the longest target it was trained on
    """

    KIND: ClassVar = "seq2seq"

    arguments: dict
    source: dict
    target: dict
    longest: int

    def build(self) -> Module:
        """A new model with fresh weights."""
        return Seq2Seq(**self.arguments)


Description = ImageDescription | TextDescription | SeriesDescription | PairDescription

KINDS: dict[str, type[Description]] = {
    each.KIND: each
    for each in (ImageDescription, TextDescription, SeriesDescription, PairDescription)
}


def to_json(description: Description) -> dict:
    """What `from_json` reads."""
    return {"kind": description.KIND} | asdict(description)


def from_json(content: dict) -> Description:
    """The description that `to_json` wrote.

    Raises ValueError for a kind that is not known, TypeError for missing or unknown fields.
    """
    fields = dict(content)
    kind = fields.pop("kind", ImageDescription.KIND)
    if kind not in KINDS:
        raise ValueError(f"expected a kind out of {', '.join(KINDS)}, got {kind!r}")
    return KINDS[kind](**{name: _frozen(value) for name, value in fields.items()})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
