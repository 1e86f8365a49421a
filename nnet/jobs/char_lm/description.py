"""What a language model of characters is, and what it reads."""

from dataclasses import dataclass
from typing import ClassVar

from ... import models
from ...data.text.vocabulary import Vocabulary
from ...module.module import Module
from ...runs.description import Description
from ...training.schema import arguments_of, check_same


@dataclass(frozen=True)
class TextDescription(Description):
    """A language model of characters.

    arguments   of `nnet.models.LanguageModel`
    vocabulary  what `Vocabulary.to_dict` returned

    >>> import nnet as nn
    >>> letters = nn.data.Vocabulary("abc")
    >>> about = nn.training.TextDescription({"symbols": 3, "hidden": 4}, letters.to_dict())
    >>> about.check()
    >>> about.build().embedding
    Embedding(3, 64)
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
