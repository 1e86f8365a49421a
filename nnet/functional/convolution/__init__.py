"""Convolutions, transposed ones, and padding."""

from ...names import publish as _publish
from .conv import *
from .conv_transpose import *
from .padding import *

_publish(globals())
