"""NumPy's names of arguments, which PyTorch takes as well."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def renamed(method: F) -> F:
    """The method, which takes `axis` for dim and `keepdims` for keepdim as well."""

    @functools.wraps(method)
    def call(*arguments: Any, **options: Any) -> Any:
        for other, name in _NAMES.items():
            if other in options:
                if name in options:
                    raise TypeError(f"{method.__name__}: expected {name} or {other}, got both")
                options[name] = options.pop(other)
        return method(*arguments, **options)

    return call  # type: ignore[return-value]
