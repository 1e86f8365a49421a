"""Settings that can be given on the command line: fields with a check and a word of help."""

import os
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

from ..runs.run_folder import RECORD, Run
from ..training.schema import shown


@dataclass(frozen=True)
class Number:
    """Reads a number and refuses what is not expected, with a ValueError that says so.

    >>> COUNT("3")
    3
    """

    kind: Callable[[str], Any]
    good: Callable[[Any], bool]
    expected: str

    def __call__(self, text: str) -> Any:
        try:
            value = self.kind(text)
        except ValueError:
            value = None
        if value is None or not self.good(value):
            raise ValueError(f"expected {self.expected}, got {text!r}")
        return value


@dataclass(frozen=True)
class Choice:
    """Reads one of a few words."""

    words: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"expected one of {', '.join(self.words)}, got {text!r}")
        return text


COUNT = Number(int, lambda value: value >= 1, "an integer of at least 1")
SEED = Number(int, lambda value: 0 <= value < 1 << 63, "an integer from 0 to 2**63 - 1")
POSITIVE = Number(float, lambda value: 0 < value < float("inf"), "a number above 0")
SHARE = Number(float, lambda value: 0 <= value < 1, "a number from 0 to below 1")
PART = Number(float, lambda value: 0 < value < 1, "a number between 0 and 1")
AT_LEAST_0 = Number(float, lambda value: 0 <= value < float("inf"), "a number of at least 0")


def option(
    read: Callable[[str], Any], about: str, default: Any = MISSING, positional: bool = False
) -> Any:
    """A field of settings.

    read        makes a value of a word, or raises ValueError
    about       what it means
    default     the field must be given if there is none
    positional  given by its place, not by its name
    """
    about_field = {"read": read, "about": about, "positional": positional}
    return field(default=default, metadata=about_field)


def recorded(run: Run[Any], settings: type, *names: str) -> list[Any]:
    """Those of the settings that a run was trained with, as run.json tells them.

    Raises ValueError naming the file for one that is missing or cannot have been given.
    """
    given = run.record.get("settings")
    if not isinstance(given, dict):
        raise ValueError(f"{run.folder / RECORD}: expected settings, got {shown(given)}")
    read = {each.name: each.metadata["read"] for each in fields(settings)}
    found = []
    for name in names:
        if name not in given:
            raise ValueError(f"{run.folder / RECORD}: expected settings with {name}, found none")
        try:
            found.append(_read_again(read[name], given[name]))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{run.folder / RECORD}: settings, {name}: {error}") from error
    return found


def checked_settings(settings: Any, kind: type[Any]) -> Any:
    """Settings of that class, each of which could have been given on the command line.

    Raises TypeError for those of another class, ValueError naming one that is not as expected.

    >>> import nnet as nn
    >>> checked_settings(nn.jobs.images.Settings(lr=1), nn.jobs.images.Settings).lr
    1.0
    """
    if not isinstance(settings, kind):
        raise TypeError(f"expected {kind.__module__}.{kind.__name__}, got {shown(settings)}")
    values = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        if value is None and each.default is None:
            continue
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        try:
            values[each.name] = _read_again(each.metadata["read"], value)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"settings, {each.name}: {error}") from error
    return replace(settings, **values)


def _read_again(read: Callable[[str], Any], value: Any) -> Any:
    """What a word for that value would be read as. Raises ValueError for what no word is for."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"expected a number or a text, got {shown(value)}")
    right = read(str(value))
    if isinstance(right, str) != isinstance(value, str):
        raise ValueError(f"expected another type, got {shown(value)}")
    return right


def seed() -> Any:
    """The field of every job: where weights, dropout and order come from."""
    return option(SEED, "of weights, dropout and order; one seed, one result", 0)


def threads() -> Any:
    """The field of every job."""
    return option(COUNT, "all cores if not given; the result is the same", None)
