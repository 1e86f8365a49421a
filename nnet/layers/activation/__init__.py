"""Nonlinearities as layers."""

from ...names import publish as _publish
from .prelu import *
from .rectifiers import *
from .smooth import *
from .softmax import *

_publish(globals())
