"""What a description of a model may say: types, ranges, and what must agree.

All raise TypeError or ValueError that say what was expected.
"""

import inspect
import math
import sys
from collections.abc import Callable, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

# No size of a layer is larger, and all of them can be multiplied.
_LARGEST = (1 << 31) - 1

# Of layers, each of which is a side of some weight, or the number of layers.
_SIZES = (
    *("channels", "classes", "filters", "hidden", "inputs", "width", "layers", "symbols"),
    *("embedding", "embedding_size", "hidden_size", "num_layers", "source_size", "target_size"),
)

# What the jobs decide for themselves.
_OWN = ("device", "dtype", "batch_first")


def check_keys(what: str, given: Any, allowed: Sequence[str], needed: Sequence[str]) -> None:
    """A dict with these keys."""
    if not isinstance(given, dict):
        raise TypeError(f"expected {what} as an object, got {shown(given)}")
    unknown = [key for key in given if key not in allowed]
    if unknown:
        raise ValueError(
            f"expected {what} out of {', '.join(allowed)}, got {', '.join(map(shown, unknown[:4]))}"
        )
    missing = [key for key in needed if key not in given]
    if missing:
        raise ValueError(f"expected {what} with {', '.join(missing)}, found none")


def arguments_of(make: Callable[..., Any], given: Any) -> dict[str, Any]:
    """Keyword arguments that a model can be made with, its defaults among them."""
    parameters = {
        name: each for name, each in inspect.signature(make).parameters.items() if name not in _OWN
    }
    needed = [name for name, each in parameters.items() if each.default is each.empty]
    check_keys("arguments", given, list(parameters), needed)
    hints = get_type_hints(make.__init__ if inspect.isclass(make) else make)
    for name, value in given.items():
        if name in hints and not _fits(hints[name], value, 1 if name in _SIZES else -_LARGEST):
            raise TypeError(f"expected {name} as {_told(hints[name])}, got {shown(value)}")
    return {name: each.default for name, each in parameters.items()} | given


def check_sizes(arguments: dict[str, Any], largest: int) -> None:
    """Sizes of layers, none of them larger than that."""
    for name, value in arguments.items():
        if name in _SIZES and _fits(int, value) and value > largest:
            raise ValueError(
                f"expected {name} of at most {largest}, as its weights and inputs have, got {value}"
            )


def check_count(name: str, value: Any, largest: int = _LARGEST) -> None:
    """An integer from 1 on."""
    if not _fits(int, value) or value > largest:
        raise ValueError(f"expected {name} as an integer from 1 to {largest}, got {shown(value)}")


def check_numbers(name: str, values: Any, count: int, above: float = -math.inf) -> None:
    """So many finite numbers."""
    if not isinstance(values, list | tuple) or len(values) != count:
        raise ValueError(f"expected {name} of {count} numbers, one a channel, got {shown(values)}")
    for value in values:
        if not _fits(float, value) or value <= above:
            least = f" above {above}" if above > -math.inf else ""
            raise ValueError(f"expected {name} of finite numbers{least}, got {shown(value)}")


def check_names(name: str, values: Any, count: int) -> None:
    """So many strings, which can be printed."""
    if not isinstance(values, list | tuple) or len(values) != count:
        raise ValueError(f"expected {count} {name}, one for each output, got {shown(values)}")
    for value in values:
        if not isinstance(value, str) or any("\ud800" <= each <= "\udfff" for each in value):
            raise ValueError(f"expected {name} to be texts of UTF-8, got {shown(value)}")


def check_same(name: str, got: Any, expected: Any) -> None:
    """Two things that a description says in two places."""
    if got != expected:
        raise ValueError(f"expected {name} {shown(expected)}, got {shown(got)}")


def check_plain(name: str, values: Any, none: bool = False) -> None:
    """A list of numbers, finite or not, or of what else is None where that is one of them."""
    kinds = {int, float, type(None)} if none else {int, float}
    if not isinstance(values, list) or not set(map(type, values)) <= kinds:
        raise TypeError(f"expected {name} as numbers, got {shown(values)}")


def shown(value: Any) -> str:
    """In a line that is not long, whatever it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _fits(hint: Any, value: Any, least: int = 1) -> bool:
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(each, value, least) for each in get_args(hint))
    if hint is type(None):
        return value is None
    if get_origin(hint) is not None and issubclass(get_origin(hint), Sequence):
        inner = get_args(hint)[0]
        return isinstance(value, list | tuple) and all(_fits(inner, each) for each in value)
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    if hint is int:
        return isinstance(value, int) and least <= value <= _LARGEST
    if hint is float:
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return not isinstance(hint, type) or isinstance(value, hint)


def _told(hint: Any) -> str:
    kinds = {int: f"an integer up to {_LARGEST}", float: "a finite number", str: "a text",
             bool: "true or false", type(None): "null"}  # fmt: skip
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_told, get_args(hint)))
    return kinds.get(hint, "a list of integers")
