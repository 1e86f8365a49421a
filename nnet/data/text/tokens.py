"""Texts as tokens, characters or words, and which of them a vocabulary is made of."""

from collections import Counter
from collections.abc import Iterable, Sequence

UNITS = ("characters", "words")

# Symbols that stand for no text.
PAD, BOS, EOS, UNK = SPECIALS = ("<pad>", "<bos>", "<eos>", "<unk>")


def tokens_of(text: str, unit: str) -> Sequence[str]:
    """A text's characters, or its words."""
    return text if unit == "characters" else text.split()


def kept_of(
    sequences: Iterable[Iterable[str]],
    specials: Sequence[str],
    min_count: int,
    max_size: int | None,
) -> list[str]:
    """The tokens of sequences, sorted: without the specials, and without what is too rare.

    >>> from nnet.data.text.tokens import kept_of
    >>> kept_of(["banana"], [], 2, None), kept_of(["banana"], ["b"], 1, 2)
    (['a', 'n'], ['a'])
    """
    counts = Counter(token for tokens in sequences for token in tokens)
    for special in specials:
        counts.pop(special, None)
    found = [token for token, count in counts.items() if count >= min_count]
    if max_size is not None:
        found.sort(key=lambda token: (-counts[token], token))
        found = found[: max(0, max_size - len(specials))]
    return sorted(found)


def check_symbols(symbols: Sequence[str], unit: str, specials: Sequence[str]) -> None:
    """Each is a token of that unit, or special, and there once; TypeError or ValueError else."""
    if unit not in UNITS:
        raise ValueError(f"Vocabulary: expected a unit of {' or '.join(UNITS)}, got {unit!r}")
    every = [*specials, *symbols]
    for symbol in every:
        if not isinstance(symbol, str):
            raise TypeError(f"Vocabulary: expected symbols to be strings, got {symbol!r}")
        if not symbol.isascii() and any("\ud800" <= each <= "\udfff" for each in symbol):
            raise ValueError(f"Vocabulary: expected symbols of UTF-8, got {symbol!r}")
    for symbol in symbols:
        if not symbol or (unit == "characters" and len(symbol) != 1):
            raise ValueError(f"Vocabulary: expected {unit} for symbols, got {symbol!r}")
    if len(set(every)) != len(every):
        repeated = Counter(every).most_common(1)[0][0]
        raise ValueError(f"Vocabulary: expected every symbol once, got {repeated!r} again")
