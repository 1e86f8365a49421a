"""The symbols of a text, characters or words, and their numbers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...autograd.integers import is_integer
from ...autograd.tensor import Tensor
from ..json_file import read_json
from .tokens import BOS, EOS, PAD, SPECIALS, check_symbols, kept_of, tokens_of

__all__ = ["Vocabulary"]


class Vocabulary:
    """Symbols and their ids: the specials first, then the others, from 0 on without a gap.

    symbols   characters or words, each once, in the order of their ids
    unit      "characters": a text is its characters; "words": what white space separates
    specials  symbols that stand for no text, often of "<pad>", "<bos>", "<eos>" and "<unk>": for
              padding, for begin and end of a sequence, and for what the vocabulary lacks

    `pad`, `bos`, `eos` and `unk` are the ids of these four, None for one that is not there.

    Raises TypeError for symbols that are no strings, ValueError for another unit, an empty or
    repeated symbol, and more than one character where characters are the unit.

    >>> import nnet as nn
    >>> letters = nn.data.Vocabulary.from_text("banana")
    >>> len(letters), letters.encode("ban"), letters.decode([1, 0, 2, 2, 0])
    (3, array([1, 0, 2]), 'banna')
    """

    def __init__(
        self, symbols: Iterable[str], unit: str = "characters", specials: Sequence[str] = ()
    ) -> None:
        symbols = tuple(symbols)
        check_symbols(symbols, unit, specials)
        self.unit = unit
        self.specials = tuple(specials)
        self.symbols = self.specials + symbols
        self._ids = {symbol: id for id, symbol in enumerate(self.symbols)}
        self.pad, self.bos, self.eos, self.unk = (
            self._ids[name] if name in self.specials else None for name in SPECIALS
        )

    @classmethod
    def from_text(
        cls, text: str, unit: str = "characters", specials: Sequence[str] = (), **limits: Any
    ) -> Vocabulary:
        """The vocabulary of a text; `limits` as of `from_tokens`. ValueError for an empty text."""
        if not isinstance(text, str):
            raise TypeError(f"Vocabulary: expected a text, got {type(text).__name__}")
        return cls.from_tokens([tokens_of(text, unit)], unit, specials, **limits)

    @classmethod
    def from_tokens(
        cls,
        sequences: Iterable[Iterable[str]],
        unit: str = "characters",
        specials: Sequence[str] = (),
        min_count: int = 1,
        max_size: int | None = None,
    ) -> Vocabulary:
        """The vocabulary of sequences of tokens, sorted.

        min_count  leave out what is rarer
        max_size   keep the most frequent so that with the specials there are no more than this

        Raises ValueError where nothing is left.

        >>> import nnet as nn
        >>> pairs = [(["to", "be"], ["sein"]), (["to", "see"], ["sehen"])]
        >>> english = nn.data.Vocabulary.from_tokens((e for e, _ in pairs), "words", ["<pad>"])
        >>> english.symbols, english.pad
        (('<pad>', 'be', 'see', 'to'), 0)
        """
        found = kept_of(sequences, specials, min_count, max_size)
        if not found:
            raise ValueError("Vocabulary: expected a text with at least one symbol, got none")
        return cls(found, unit, specials)

    def __len__(self) -> int:
        return len(self.symbols)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._ids

    def __getitem__(self, symbol: str) -> int:
        """The id of a symbol; KeyError where there is none."""
        return self._ids[symbol]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.unit, self.symbols, self.specials))

    def __repr__(self) -> str:
        specials = f", specials={list(self.specials)}" if self.specials else ""
        return f"Vocabulary({len(self)} {self.unit}{specials})"

    def encode(self, text: str | Sequence[str]) -> np.ndarray:
        """The ids of a text or of a list of tokens, (n,) int64; `unk` for what is not there.

        Raises ValueError naming the symbol and its position where there is no "<unk>".
        """
        tokens = tokens_of(text, self.unit) if isinstance(text, str) else text
        ids = self._ids
        try:
            found = [ids[token] for token in tokens]
        except KeyError as error:
            if self.unk is None:
                unknown = error.args[0]
                raise ValueError(
                    f"Vocabulary: expected {self.unit} among the {len(self)} known, "
                    f"got {unknown!r} at position {list(tokens).index(unknown)}"
                ) from None
            found = [ids.get(token, self.unk) for token in tokens]
        return np.array(found, np.int64)

    def tokens(self, ids: Iterable[int] | np.ndarray) -> list[str]:
        """The symbol of each id.

        Raises TypeError for what is no integer, ValueError naming an id that is out of range.
        """
        found = [id.item() if isinstance(id, Tensor) else id for id in ids]
        for position, id in enumerate(found):
            if not is_integer(id):
                raise TypeError(
                    f"Vocabulary: expected ids to be integers, got {id!r} at position {position}"
                )
            if not 0 <= id < len(self):
                raise ValueError(
                    f"Vocabulary: expected ids from 0 to {len(self) - 1}, "
                    f"got {id} at position {position}"
                )
        return [self.symbols[id] for id in found]

    def decode(self, ids: Iterable[int] | np.ndarray) -> str:
        """The text of ids, without padding, begin and end."""
        silent = {PAD, BOS, EOS} & set(self.specials)
        kept = (token for token in self.tokens(ids) if token not in silent)
        return ("" if self.unit == "characters" else " ").join(kept)

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` makes an equal vocabulary of; JSON can hold it."""
        return {
            "unit": self.unit,
            "specials": list(self.specials),
            "symbols": list(self.symbols[len(self.specials) :]),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Vocabulary:
        """The vocabulary that `to_dict` described; ValueError for anything else."""
        if not isinstance(content, dict) or set(content) != {"unit", "specials", "symbols"}:
            raise ValueError("Vocabulary: expected a dict of unit, specials and symbols")
        for name in ("specials", "symbols"):
            if not isinstance(content[name], list | tuple):
                raise TypeError(f"Vocabulary: expected {name} as a list, got {content[name]!r:.60}")
        return cls(content["symbols"], content["unit"], content["specials"])

    def save(self, path: str | os.PathLike) -> None:
        """Write the vocabulary as JSON."""
        Path(path).write_text(json.dumps(self.to_dict(), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike) -> Vocabulary:
        """Read what `save` wrote; ValueError for another file."""
        try:
            return cls.from_dict(read_json(path))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: expected a vocabulary, {error}") from error
