"""Convolution layers."""

from ...names import publish as _publish
from .conv import *
from .conv_transpose import *

_publish(globals())
