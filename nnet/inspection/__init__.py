"""What is given a model, and tells about it."""

from ..names import publish as _publish
from .dead_units import *
from .monte_carlo import *
from .summary import *

_publish(globals())
