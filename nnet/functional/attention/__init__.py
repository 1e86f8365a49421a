"""Attention: scores, masks, and one head or several."""

from ...names import publish as _publish
from .scaled import *
from .score import *

_publish(globals())
