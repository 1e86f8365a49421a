"""What has parameters or a mode: modules, their state, and containers."""

from ..names import publish as _publish
from .container import *
from .module import *

_publish(globals())
