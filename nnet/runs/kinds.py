"""Descriptions as JSON: "kind" says which class one is of.

What was written before there were kinds describes images.
"""

from dataclasses import asdict, fields
from typing import Any

from ..training.schema import check_keys, shown
from .descriptions import KINDS, Description, ImageDescription


def to_json(description: Description) -> dict:
    """What `from_json` reads."""
    return {"kind": description.KIND} | asdict(description)


def from_json(content: Any) -> Description:
    """The description that `to_json` wrote.

    Raises ValueError and TypeError for anything else, see `check` of each kind.
    """
    if not isinstance(content, dict):
        raise TypeError(f"expected a description, got {shown(content)}")
    given = dict(content)
    kind = given.pop("kind", ImageDescription.KIND)
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"expected a kind out of {', '.join(KINDS)}, got {shown(kind)}")
    names = [each.name for each in fields(KINDS[kind])]
    check_keys(f"a description of {kind}", given, names, names)
    description = KINDS[kind](**{name: _frozen(value) for name, value in given.items()})
    description.check()
    return description


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
