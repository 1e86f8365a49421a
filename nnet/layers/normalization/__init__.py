"""Normalization layers."""

from ...names import publish as _publish
from .batch_norm import *
from .batch_renorm import *
from .group_norm import *
from .instance_norm import *
from .layer_norm import *
from .local_response_norm import *
from .mean_only import *
from .switchable_norm import *
from .whitening import *

_publish(globals())
