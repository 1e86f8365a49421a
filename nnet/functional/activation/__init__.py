"""Nonlinearities: piecewise linear and exponential ones, smooth ones, softmax, maxout."""

from .maxout import maxout
from .rectifiers import celu, elu, hardtanh, leaky_relu, prelu, relu, relu6, selu
from .smooth import gelu, logsigmoid, sigmoid, silu, softplus, tanh
from .softmax import log_softmax, softmax, softmin

__all__ = [
    "celu",
    "elu",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "maxout",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "tanh",
]
