"""Data sets, readers and batches."""

from ..names import publish as _publish
from .arrays import *
from .buckets import *
from .images import *
from .loader import *
from .packed import *
from .sequences import *
from .series import *
from .split import *
from .statistics import *
from .text import *

_publish(globals())
