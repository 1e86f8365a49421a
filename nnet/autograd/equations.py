"""What `einsum` is asked for: its equation, or lists of numbers in its place."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from .contractions import Labels
from .operand import Operand

_TERM = re.compile(r"([A-Za-z]*)(\.\.\.)?([A-Za-z]*)")


class Equation(NamedTuple):
    """The labels of each operand's axes and of the result's, and how long the axes are."""

    terms: list[Labels]
    result: Labels
    sizes: dict[int, int]


def parse(arguments: tuple[Any, ...]) -> tuple[Equation, list[Operand]]:
    """Raises TypeError for what is no tensor, ValueError for what does not fit."""
    if not arguments:
        raise TypeError("einsum: expected an equation and operands, got nothing")
    if isinstance(arguments[0], str):
        text, operands = arguments[0], list(arguments[1:])
        if len(operands) == 1 and isinstance(operands[0], tuple | list):
            operands = list(operands[0])
    else:
        text, operands = _text_of(arguments)
    for each in operands:
        if not isinstance(each, Operand):
            raise TypeError(f"einsum: expected tensors as operands, got {type(each).__name__}")
    left, arrow, right = text.replace(" ", "").partition("->")
    terms = [_split(term) for term in left.split(",")]
    if not operands or len(terms) != len(operands):
        raise ValueError(
            f"einsum: expected as many operands as {text!r} has terms, got {len(operands)}"
        )
    shapes = [each.data.shape for each in operands]
    return _labelled(terms, _split(right) if arrow else None, shapes), operands


def _split(term: str) -> tuple[str, bool, str]:
    """The letters before "...", whether it is there, and those behind."""
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(f"einsum: expected letters and at most one '...' in a term, got {term!r}")
    return match[1], match[2] is not None, match[3]


def _text_of(arguments: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """The equation that operands and lists of numbers stand for."""
    pairs, last = len(arguments) // 2, len(arguments) % 2
    terms = [_letters(arguments[2 * i + 1]) for i in range(pairs)]
    text = ",".join(terms) + ("->" + _letters(arguments[-1]) if last else "")
    return text, [arguments[2 * i] for i in range(pairs)]


def _letters(numbers: Any) -> str:
    letters = string.ascii_uppercase + string.ascii_lowercase
    if not isinstance(numbers, tuple | list):
        raise TypeError(f"einsum: expected a list of numbers, got {type(numbers).__name__}")
    for each in numbers:
        if each is not Ellipsis and (type(each) is not int or not 0 <= each < len(letters)):
            raise ValueError(f"einsum: expected numbers from 0 to 51, got {each!r}")
    return "".join("..." if each is Ellipsis else letters[each] for each in numbers)


def _labelled(
    terms: list[tuple[str, bool, str]],
    result: tuple[str, bool, str] | None,
    shapes: Sequence[tuple[int, ...]],
) -> Equation:
    numbers: dict[str, int] = {}
    for first, _, last in terms:
        for letter in first + last:
            numbers.setdefault(letter, len(numbers))
    spare = []
    for (first, dots, last), shape in zip(terms, shapes, strict=True):
        spare.append(len(shape) - len(first + last))
        if spare[-1] < 0 or (spare[-1] and not dots):
            name = f"{first}{'...' * dots}{last}"
            raise ValueError(f"einsum: expected {name!r} to name each axis, got shape {shape}")
    most = max(spare)
    unnamed = tuple(range(len(numbers), len(numbers) + most))
    labels = [
        (*(numbers[s] for s in first), *unnamed[most - n :], *(numbers[s] for s in last))
        for (first, _, last), n in zip(terms, spare, strict=True)
    ]
    if result is None:
        count = Counter("".join(first + last for first, _, last in terms))
        once = "".join(sorted(letter for letter in count if count[letter] == 1))
        result = "", True, once
    first, dots, last = result
    for letter, times in Counter(first + last).items():
        if letter not in numbers or times > 1:
            raise ValueError(f"einsum: expected result letters once, of operands, got {letter!r}")
    into = (
        *(numbers[s] for s in first),
        *(unnamed if dots else ()),
        *(numbers[s] for s in last),
    )
    return Equation(labels, into, _sizes(labels, shapes))


def _sizes(terms: list[Labels], shapes: Sequence[tuple[int, ...]]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for labels, shape in zip(terms, shapes, strict=True):
        own: dict[int, int] = {}
        for label, size in zip(labels, shape, strict=True):
            if own.setdefault(label, size) != size:
                raise ValueError(f"einsum: expected a diagonal of equal axes, got shape {shape}")
            if sizes.get(label, 1) == 1:
                sizes[label] = size
            elif size not in (1, sizes[label]):
                raise ValueError(
                    f"einsum: expected axes of one letter equally long or 1, got shapes "
                    f"{list(shapes)}"
                )
    return sizes
