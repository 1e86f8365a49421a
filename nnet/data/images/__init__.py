"""Images: data sets and readers."""

from ...names import publish as _publish
from .dataset import *
from .idx import *
from .image_file import *
from .mnist import *
from .statistics import *

_publish(globals())
