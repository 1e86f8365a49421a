"""Methods of tensors as functions: `nn.exp(x)` is `x.exp()`."""

from .tensor import Tensor

__all__ = [
    "exp",
    "log",
    "log1p",
    "erf",
    "sqrt",
    "abs",
    "clamp",
    "sum",
    "mean",
    "max",
    "min",
    "argmax",
    "matmul",
    "maximum",
    "minimum",
]

exp, log, sqrt, clamp = Tensor.exp, Tensor.log, Tensor.sqrt, Tensor.clamp
sum, mean, max, min, argmax = Tensor.sum, Tensor.mean, Tensor.max, Tensor.min, Tensor.argmax
maximum, minimum = Tensor.maximum, Tensor.minimum
abs, matmul = Tensor.abs, Tensor.matmul  # type: ignore[misc]
log1p, erf = Tensor.log1p, Tensor.erf
