"""Text and pairs of texts: data sets, readers and vocabularies."""

from ...names import publish as _publish
from .pair_file import *
from .pairs import *
from .streams import *
from .vocabulary import *

_publish(globals())
