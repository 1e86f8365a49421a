"""Losses of classes and of values."""

from ...names import publish as _publish
from .classes import *
from .values import *

_publish(globals())
