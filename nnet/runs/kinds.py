"""Descriptions as JSON: "kind" says which class one is of.

What was written before there were kinds describes images.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from ..training.schema import check_keys, shown
from .description import Description

Kinds = Mapping[str, type[Description]]

FIRST = "images"


def to_json(description: Description) -> dict:
    """What `from_json` reads."""
    return {"kind": description.KIND} | asdict(description)


def from_json(content: Any, kinds: Kinds) -> Description:
    """The description that `to_json` wrote, of one of these kinds.

    Raises ValueError and TypeError for anything else, see `check` of each kind.
    """
    if not isinstance(content, dict):
        raise TypeError(f"expected a description, got {shown(content)}")
    given = dict(content)
    kind = given.pop("kind", FIRST)
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"expected a kind out of {', '.join(kinds)}, got {shown(kind)}")
    names = [each.name for each in fields(kinds[kind])]
    check_keys(f"a description of {kind}", given, names, names)
    description = kinds[kind](**{name: _frozen(value) for name, value in given.items()})
    description.check()
    return description


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
