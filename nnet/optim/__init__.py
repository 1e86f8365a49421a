"""Optimizers, in PyTorch's names: each step is one kernel call over a flat buffer."""

from ..names import publish as _publish
from . import lr_scheduler as lr_scheduler
from .adam import *
from .max_norm import MaxNorm as MaxNorm
from .optimizer import *
from .sgd import *

_publish(globals(), "lr_scheduler")
