"""Small calls of every op that has parallel kernels: what the checker and same-bits tests launch.

A call takes a random generator, makes its inputs and returns what is run: a function without
arguments, forward and backward. Sizes lie on both sides of what each kernel takes for one thread,
and leave tails: not whole values, not whole tasks. A new parallel kernel needs a call here that
launches it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.races.calls_elements import ELEMENTS
from tests.races.calls_lines import LINES
from tests.races.calls_products import PRODUCTS
from tests.races.calls_sequences import SEQUENCES

Call = Callable[[np.random.Generator], Callable[[], Any]]

CALLS: dict[str, Call] = ELEMENTS | LINES | PRODUCTS | SEQUENCES
