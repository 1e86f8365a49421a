"""Optimizers, in PyTorch's names: each step is one kernel call over a flat buffer."""

from . import lr_scheduler
from .adam import Adam, AdamW
from .max_norm import MaxNorm
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "MaxNorm", "Optimizer", "lr_scheduler"]
