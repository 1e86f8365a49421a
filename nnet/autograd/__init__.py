"""Arrays with gradients: the tensor, the tape, and what tensors do."""

from ..names import publish as _publish
from .axes import *
from .casting import *
from .choosing import *
from .comparing import *
from .constructors import *
from .creation import *
from .draws import *
from .dtypes import *
from .einsum import *
from .exponentials import *
from .folds import *
from .functions import *
from .gathering import *
from .gradients_of import *
from .grids import *
from .joining import *
from .likes import *
from .limits import *
from .logic import *
from .modes import *
from .norms import *
from .operators import *
from .ordering import *
from .parameter import *
from .pieces import *
from .plain_products import *
from .ranges import *
from .recording import *
from .results import *
from .rounding import *
from .tensor import *
from .tiling import *
from .triangles import *
from .trigonometry import *

_publish(globals())
