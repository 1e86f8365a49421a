"""What is given a model, and changes it."""

from ..names import publish as _publish
from .dead_biases import *
from .fold import *
from .population import *
from .spectral_norm import *
from .weight_norm import *

_publish(globals())
