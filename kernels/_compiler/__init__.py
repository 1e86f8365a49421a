"""Kernels compiled by Numba's parts, each function once."""

from .kernel import Kernel
from .launch import launch

__all__ = ["Kernel", "launch"]
