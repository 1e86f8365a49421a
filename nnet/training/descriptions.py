"""What a model on disk is, and what it takes in: one class for each kind of job.

A description is plain data that JSON can hold; "kind" says which class it is of. What was written
before there were kinds describes images.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from .. import models
from ..module import Module


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


Description = ImageDescription

KINDS: dict[str, type[Description]] = {ImageDescription.KIND: ImageDescription}


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
