"""Pooling of images and series."""

from ...names import publish as _publish
from .images import *
from .series import *

_publish(globals())
