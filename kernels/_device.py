"""Which of an op's implementations runs: the one for where the arrays lie."""

from types import ModuleType

import numpy as np


class Implementations(dict[str, ModuleType]):
    """An op's implementations by name: "reference", and one for each device.

    Where a device has several they are called <device>_<algorithm>, in the order in which they are
    asked whether they apply and pay.
    """

    def on(self, device: str) -> dict[str, ModuleType]:
        """The algorithms of a device, by their names."""
        prefix = f"{device}_"
        return {
            name.removeprefix(prefix): implementation
            for name, implementation in self.items()
            if name.startswith(prefix)
        } or self.__missing__(device)

    def __missing__(self, device: str) -> dict[str, ModuleType]:
        op = next(iter(self.values())).__name__.split(".")[1]
        known = sorted({name.split("_")[0] for name in self} - {"reference"})
        raise TypeError(f"{op}: expected arrays on {' or '.join(known)}, got some on {device}")


def device_of(array: object) -> str:
    """Where an array lies. Raises TypeError for what is no array.

    >>> import numpy as np
    >>> from kernels._device import device_of
    >>> device_of(np.ones(2))
    'cpu'
    """
    if isinstance(array, np.ndarray):
        return "cpu"
    raise TypeError(f"expected an array, got {type(array).__name__}")
