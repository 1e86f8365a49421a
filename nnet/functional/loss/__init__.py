"""Losses of classes, of probabilities and of values."""

from ...names import publish as _publish
from .classes import *
from .cross_entropy import *
from .probabilities import *
from .values import *

_publish(globals())
