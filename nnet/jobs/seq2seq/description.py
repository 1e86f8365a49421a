"""What a model from one sequence to another is, and what it reads and writes."""

from dataclasses import dataclass
from typing import ClassVar

from ...data.text.vocabulary import Vocabulary
from ...models.seq2seq import Seq2Seq
from ...module.module import Module
from ...runs.description import Description
from ...training.schema import arguments_of, check_count, check_same

# A model may write twice as many symbols, and each of them takes longer than the one before.
LONGEST = 1 << 13


@dataclass(frozen=True)
class PairDescription(Description):
    """A model from one sequence to another.

    arguments       of `nnet.Seq2Seq`
    source, target  what `Vocabulary.to_dict` returned
    longest         symbols of the longest target it was trained on, up to 8192

    >>> import nnet as nn
    >>> source = nn.data.Vocabulary("ab", specials=["<pad>"])
    >>> target = nn.data.Vocabulary("ab", specials=["<pad>", "<bos>", "<eos>"])
    >>> sizes = {"source_size": 3, "target_size": 5, "embedding_size": 2, "hidden_size": 4}
    >>> about = nn.training.PairDescription(sizes, source.to_dict(), target.to_dict(), 3)
    >>> about.check()
    >>> about.build().target_size
    5
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
