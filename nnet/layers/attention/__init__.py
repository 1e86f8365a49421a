"""Attention layers."""

from ...names import publish as _publish
from .bahdanau import *
from .luong import *
from .multi_head import *
from .transformer import *

_publish(globals())
