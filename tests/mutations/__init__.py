"""Faults planted one by one, each with the tests that must notice it.

`python -m tests.mutations` copies the tree, checks that the tests pass, then plants each fault in
turn and checks that one of its tests fails. What survives shows a test that is missing.
"""

from .elements import ELEMENTS
from .layers import LAYERS
from .mutation import Mutation
from .normalizations import NORMALIZATIONS
from .products import PRODUCTS
from .sequences import SEQUENCES
from .tasks import TASKS
from .training import TRAINING

MUTATIONS: list[Mutation] = [
    *PRODUCTS,
    *NORMALIZATIONS,
    *ELEMENTS,
    *SEQUENCES,
    *TASKS,
    *LAYERS,
    *TRAINING,
]
