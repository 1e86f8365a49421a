"""Modules with parameters or a mode of their own, over the functions of the same name."""

from ..names import publish as _publish
from .activation import *
from .attention import *
from .convolution import *
from .dropout import *
from .embedding import *
from .linear import *
from .loss import *
from .maxout import *
from .normalization import *
from .pooling import *
from .recurrent import *
from .shape import *

_publish(globals())
