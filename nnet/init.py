"""Initial values, written in place, in PyTorch's names."""

from __future__ import annotations

import math

import numpy as np

from . import random
from .autograd.tensor import Tensor
from .autograd.writes import wrote


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform on [a, b).

    >>> import nnet as nn
    >>> w = nn.init.uniform_(nn.zeros(2, 3), -1, 1)
    >>> bool(w.abs().max() <= 1)
    True
    """
    values = random.generator().random(tensor.shape, tensor.dtype)
    return _fill(tensor, a + (b - a) * values)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal with that mean and standard deviation.

    >>> import nnet as nn
    >>> w = nn.init.normal_(nn.zeros(100, 100), std=0.1)
    >>> abs(w.std().item() - 0.1) < 0.01
    True
    """
    values = random.generator().standard_normal(
        tensor.shape,
        tensor.dtype,
    )
    return _fill(tensor, mean + std * values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """`val` everywhere.

    >>> import nnet as nn
    >>> nn.init.constant_(nn.zeros(2), 0.3)
    tensor([0.3, 0.3])
    """
    return _fill(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere.

    >>> import nnet as nn
    >>> nn.init.zeros_(nn.rand(2))
    tensor([0., 0.])
    """
    return _fill(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere.

    >>> import nnet as nn
    >>> nn.init.ones_(nn.rand(2))
    tensor([1., 1.])
    """
    return _fill(tensor, 1.0)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Variance 2 gain^2 / (fan_in + fan_out). Glorot & Bengio 2010.

    >>> import nnet as nn
    >>> w = nn.init.xavier_uniform_(nn.zeros(100, 200))
    >>> bool(w.abs().max() <= (6 / 300) ** 0.5)
    True
    """
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Variance 2 gain^2 / (fan_in + fan_out). Glorot & Bengio 2010.

    >>> import nnet as nn
    >>> w = nn.init.xavier_normal_(nn.zeros(100, 200))
    >>> abs(w.std().item() / (2 / 300) ** 0.5 - 1) < 0.05
    True
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tensor))))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Variance gain^2 / fan; a is the slope of leaky_relu. He et al. 2015.

    >>> import nnet as nn
    >>> w = nn.init.kaiming_uniform_(nn.zeros(200, 100), nonlinearity="relu")
    >>> bool(w.abs().max() <= (6 / 100) ** 0.5)
    True
    """
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Variance gain^2 / fan; a is the slope of leaky_relu. He et al. 2015.

    >>> import nnet as nn
    >>> w = nn.init.kaiming_normal_(nn.zeros(200, 100), nonlinearity="relu")
    >>> abs(w.std().item() / (2 / 100) ** 0.5 - 1) < 0.05
    True
    """
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity))


def calculate_gain(nonlinearity: str, param: float = 0.01) -> float:
    """What keeps the variance through the nonlinearity; param is the slope of leaky_relu.

    >>> import nnet as nn
    >>> round(nn.init.calculate_gain("relu"), 4)
    1.4142
    """
    gains = {
        "linear": 1.0,
        "conv2d": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2.0),
        "leaky_relu": math.sqrt(2.0 / (1 + param**2)),
    }
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain: expected one of {', '.join(gains)}, got {nonlinearity!r}"
        )
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, ...): connections a unit receives and feeds.

    >>> import nnet as nn
    >>> nn.init.fans(nn.zeros(8, 3, 5, 5))
    (75, 200)
    """
    if tensor.ndim < 2:
        raise ValueError(f"init: expected a weight of at least 2 axes, got shape {tensor.shape}")
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"init: expected mode 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _fill(tensor: Tensor, values: np.ndarray | float) -> Tensor:
    np.copyto(tensor.data, values, "same_kind")
    wrote(tensor.data)
    return tensor
