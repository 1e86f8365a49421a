"""What a model on disk is, and what it takes in; each job has a kind of its own."""

from typing import Any, ClassVar

from ..module.module import Module


class Description:
    """Plain data that JSON can hold: what the kinds, dataclasses all, have in common.

    arguments  of the model

    One that was read is checked as a whole.

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
