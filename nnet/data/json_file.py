"""JSON as it comes from a file."""

import json
import os
from typing import Any

from .packed import read_bytes

# The history of some forty million steps.
_LARGEST = 1 << 30


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """The object that a file of JSON holds.

    Raises FileNotFoundError for a missing file, ValueError naming it for any other content.
    """
    try:
        return parsed(read_bytes(path, _LARGEST))
    except NotJson as error:
        raise ValueError(f"{path}: {error}") from error


class NotJson(ValueError):
    """A text that is no JSON object."""


def parsed(text: str | bytearray) -> dict[str, Any]:
    """The object that a text of JSON is.

    >>> parsed('{"epochs": 3}')
    {'epochs': 3}
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise NotJson("expected JSON, got it nested too deeply") from None
    except ValueError as error:  # UTF-8 that it is not, and integers of too many digits, too
        raise NotJson(f"expected JSON, {error}") from error
    if not isinstance(content, dict):
        raise NotJson(f"expected a JSON object, got {type(content).__name__}")
    return content
