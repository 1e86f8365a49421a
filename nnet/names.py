"""Public names: a module lists its own in `__all__`, and packages hand them on."""

from types import ModuleType
from typing import Any


def publish(namespace: dict[str, Any], *others: str) -> None:
    """Make `__all__` of what a package has taken from its modules by stars, and of `others`.

    Python binds the modules themselves in the package, too; they are left out. Type checkers follow
    the stars, as long as no `__all__` that they cannot compute stands in the package's own text.

    >>> import nnet as nn
    >>> "ReLU" in nn.layers.activation.__all__, "rectifiers" in nn.layers.activation.__all__
    (True, False)
    """
    namespace["__all__"] = [
        *(
            name
            for name, value in namespace.items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        ),
        *others,
    ]
