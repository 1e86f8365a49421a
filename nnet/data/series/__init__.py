"""Series of measurements: data sets and readers."""

from ...names import publish as _publish
from .dataset import *
from .series_file import *

_publish(globals())
