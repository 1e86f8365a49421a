"""Pooling layers."""

from ...names import publish as _publish
from .adaptive import *
from .pooling import *

_publish(globals())
