"""Learning rates that follow the number of steps or epochs, in PyTorch's names."""

from ...names import publish as _publish
from .cosine import *
from .one_cycle import *
from .schedule import *
from .step import *

_publish(globals())
