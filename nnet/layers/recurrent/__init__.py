"""Recurrent layers: simple, with long short-term memory, with gated units; and their cells."""

from ...names import publish as _publish
from .cells import *
from .gru import *
from .lstm import *
from .rnn import *

_publish(globals())
