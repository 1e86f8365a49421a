"""Types of elements, NumPy's, in PyTorch's names. No tensor is of float16."""

from numpy import bool_ as bool
from numpy import float16, float32, float64, int8, int16, int32, int64, uint8

__all__ = [
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "half",
    "float",
    "double",
    "short",
    "int",
    "long",
    "bool",
]

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
