"""Normalizations, by the batch and within a sample."""

from ...names import publish as _publish
from .batch_instance_norm import *
from .batch_norm import *
from .batch_renorm import *
from .group_norm import *
from .instance_norm import *
from .layer_norm import *
from .local_response_norm import *
from .switchable_norm import *

_publish(globals())
