"""Nonlinearities as layers."""

from .rectifiers import CELU, ELU, SELU, Hardtanh, LeakyReLU, PReLU, ReLU, ReLU6
from .smooth import GELU, LogSigmoid, Sigmoid, SiLU, Softplus, Tanh
from .softmax import LogSoftmax, Softmax, Softmin

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Tanh",
]
