"""Functions that are linear above 0. With `inplace` they overwrite their input and return it."""

from __future__ import annotations

import numpy as np

from kernels import activation
from kernels import prelu as prelu_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_is_tensor, check_tensors, number
from .formula import apply

__all__ = ["relu", "leaky_relu", "prelu", "elu", "selu", "celu", "hardtanh", "relu6"]

# Klambauer et al. 2017: with these, mean 0 and variance 1 are a fixed point of wide layers.
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), gradient 0 at 0; integers stay integers.

    >>> import nnet as nn, nnet.functional as F
    >>> F.relu(nn.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    check_is_tensor("relu", input)
    if not inplace:
        return input.relu()
    if input.data.dtype.kind in "iu":
        return input.clamp_(0)
    return apply("relu", activation.ReLU(), input, True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x above 0, negative_slope * x below.

    >>> import nnet as nn, nnet.functional as F
    >>> F.leaky_relu(nn.tensor([-1.0, 2.0]), 0.1)
    tensor([-0.1,  2. ])
    """
    slope = number("leaky_relu", "negative_slope", negative_slope)
    return apply("leaky_relu", activation.LeakyReLU(slope), input, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x above 0, weight * x below, with gradients to both.

    input   (N, C, ...), or any shape for a weight of one element
    weight  (C,), (1,) or ()

    Raises TypeError for other or mixed dtypes, ValueError for a weight that does not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.prelu(nn.tensor([[-1.0, -1.0]]), nn.tensor([0.25, 0.5]))
    tensor([[-0.25, -0.5 ]])
    """
    check_tensors("prelu", input=input, weight=weight)
    if not weight.ndim:
        weight = weight.reshape(1)
    y, saved = prelu_op.forward(input.data, weight.data)
    return record(y, (input, weight), lambda dy: prelu_op.backward(dy, saved))


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (e^x - 1) below.

    Raises ValueError for a negative alpha: the gradient is computed from the output.

    >>> import nnet as nn, nnet.functional as F
    >>> F.elu(nn.tensor([-1000.0, 2.0]))
    tensor([-1.,  2.])
    """
    alpha = number("elu", "alpha", alpha)
    if alpha < 0:
        raise ValueError(f"elu: expected alpha >= 0, got {alpha}")
    return apply("elu", activation.ELU(alpha), input, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """1.0507 times elu with alpha = 1.6733.

    >>> import nnet as nn, nnet.functional as F
    >>> F.selu(nn.ones(1))
    tensor([1.050701])
    """
    return apply("selu", activation.ELU(SELU_ALPHA, SELU_SCALE), input, inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x above 0, alpha (e^(x / alpha) - 1) below; its slope is continuous for every alpha.

    Raises ValueError for alpha = 0.

    >>> import nnet as nn, nnet.functional as F
    >>> F.celu(nn.tensor([-1000.0, 2.0]), alpha=0.5)
    tensor([-0.5,  2. ])
    """
    alpha = number("celu", "alpha", alpha)
    if alpha == 0:
        raise ValueError("celu: expected alpha other than 0, got 0")
    return apply("celu", activation.ELU(alpha, 1.0, 1.0 / alpha), input, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x limited to [min_val, max_val]; gradient 0 at the limits and beyond; integers stay integers.

    Raises ValueError for min_val > max_val, and for a negative one of unsigned integers.

    >>> import nnet as nn, nnet.functional as F
    >>> F.hardtanh(nn.tensor([-2.0, 0.5]))
    tensor([-1. ,  0.5])
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: expected min_val <= max_val, got {min_val} and {max_val}")
    return _limited("hardtanh", input, min_val, max_val, inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(x, 0), 6).

    >>> import nnet as nn, nnet.functional as F
    >>> F.relu6(nn.tensor([-1.0, 7.0]))
    tensor([0., 6.])
    """
    return _limited("relu6", input, 0.0, 6.0, inplace)


def _limited(op: str, input: Tensor, low: float, high: float, inplace: bool) -> Tensor:
    low, high = number(op, "min_val", low), number(op, "max_val", high)
    if not isinstance(input, Tensor) or input.data.dtype.kind not in "iu":
        return apply(op, activation.Hardtanh(low, high), input, inplace)
    if low < 0 and input.data.dtype.kind == "u":
        raise ValueError(f"{op}: expected limits of at least 0 for {input.dtype}, got {low}")
    if inplace:
        return input.clamp_(int(low), int(high))
    return record(np.clip(input.data, int(low), int(high)), ())
