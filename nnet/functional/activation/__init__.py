"""Nonlinearities: piecewise linear and exponential ones, smooth ones, softmax, maxout."""

from ...names import publish as _publish
from .maxout import *
from .rectifiers import *
from .smooth import *
from .softmax import *

_publish(globals())
