"""Types of elements, NumPy's."""

from numpy import float32, float64, int32, int64, uint8

__all__ = ["float32", "float64", "int32", "int64", "uint8"]
