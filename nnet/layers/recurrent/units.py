"""What recurrent layers and cells share."""

from __future__ import annotations

import math

from ... import init
from ...module.module import Module


class Units(Module):
    """Weights that are drawn by the number of units.

    gates  how many sums each unit needs
    """

    gates = 1
    hidden_size: int

    def reset_parameters(self) -> None:
        """Draw the initial values anew: uniform in +-1/sqrt(hidden_size), biases too."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)
