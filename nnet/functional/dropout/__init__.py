"""Dropout of units and of weights."""

from ...names import publish as _publish
from .drop_connect import *
from .dropout import *

_publish(globals())
