"""Operations on tensors, in PyTorch's names: check, call the kernel, record its backward."""

from ..names import publish as _publish
from .activation import *
from .attention import *
from .convolution import *
from .dropout import *
from .embedding import *
from .linear import *
from .loss import *
from .normalization import *
from .pooling import *
from .recurrent import *
from .shape import *

_publish(globals())
