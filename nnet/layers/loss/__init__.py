"""Losses as modules."""

from ...names import publish as _publish
from .classes import *
from .probabilities import *
from .values import *

_publish(globals())
