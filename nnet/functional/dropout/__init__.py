"""Dropout of units and of weights."""

from ...names import publish as _publish
from .alpha import *
from .drop_connect import *
from .dropout import *
from .gaussian import *

_publish(globals())
