"""Neural networks on the CPU, in PyTorch's names, with kernels that are readable Python.

>>> import nnet as nn
>>> model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
>>> nn.CrossEntropyLoss()(model(nn.rand(5, 784)), nn.tensor([0, 1, 2, 3, 4])).backward()
>>> model[0].weight.grad.shape
(100, 784)
"""

import importlib
import typing

from kernels.runtime import get_num_threads as get_num_threads
from kernels.runtime import set_num_threads as set_num_threads

from . import functional as functional
from . import init as init
from . import optim as optim
from . import random as random
from .autograd import *
from .inspection import *
from .layers import *
from .module import *
from .names import publish as _publish
from .optim.clip_gradients import clip_grad_norm_ as clip_grad_norm_
from .optim.max_norm import max_norm_ as max_norm_
from .random import manual_seed as manual_seed
from .surgery import *

relu, sigmoid, tanh = functional.relu, functional.sigmoid, functional.tanh
softmax, log_softmax, flatten = functional.softmax, functional.log_softmax, functional.flatten

if typing.TYPE_CHECKING:
    from . import data as data
    from . import jobs as jobs
    from . import models as models
    from . import training as training
    from .data import pad_sequence as pad_sequence
    from .models.seq2seq import Seq2Seq as Seq2Seq
    from .training import evaluate as evaluate
    from .training import fit as fit

_LAZY = {
    "fit": "training",
    "evaluate": "training",
    "pad_sequence": "data",
    "Seq2Seq": "models.seq2seq",
}
_LAZY_MODULES = ("data", "jobs", "models", "training")

_publish(globals(), "functional", "init", "optim", "random", *_LAZY, *_LAZY_MODULES)


def __getattr__(name: str) -> typing.Any:
    """Data, models, training and jobs are imported when first used."""
    if name in _LAZY_MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _LAZY:
        return getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_LAZY_MODULES})
