"""Batch normalization, on request with an addition and a ReLU behind it.

Ioffe & Szegedy 2015: y = gamma * (x - mean) / sqrt(var + eps) + beta, for each channel; with both
extras y = max(0, that + residual), the end of a residual block. README.md derives the gradient.

x, residual  (N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W)
gamma, beta  (C,), or None for ones and zeros

float32 or float64, one dtype in a call.
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays, float_arrays_or_none
from kernels._device import Implementations, device_of
from kernels.batch_norm import averages, cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    """mean and var are float64; in training the batch's own, var biased."""

    x: np.ndarray
    y: np.ndarray | None  # for the mask of a ReLU, where x alone does not give it
    gamma: np.ndarray | None
    beta: np.ndarray | None
    residual: bool
    relu: bool
    mean: np.ndarray
    var: np.ndarray
    eps: float
    training: bool


def forward(
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    *,
    eps: float = 1e-5,
    relu: bool = False,
    residual: np.ndarray | None = None,
) -> tuple[np.ndarray, Saved]:
    """Normalize with the statistics of the batch, as in training.

    An empty batch gives an empty y, mean 0 and var 0. Raises TypeError for other dtypes, ValueError
    for other shapes, and for a single value a channel: its normalized value would be 0 whatever it
    is.

    >>> import numpy as np
    >>> from kernels import batch_norm
    >>> y, saved = batch_norm.forward(np.array([[1.0], [3.0]]), None, None, eps=0.0)
    >>> y.ravel(), saved.mean, saved.var
    (array([-1.,  1.]), array([2.]), array([1.]))
    """
    x, gamma, beta, residual = _checked(x, gamma, beta, residual)
    channels = x.shape[1]
    if x.size == channels > 0:
        raise ValueError(
            f"batch_norm: expected more than one value per channel in training, got x {x.shape}"
        )
    y = _memory.empty(x.shape, x.dtype)
    mean, var = np.zeros(channels, np.float64), np.zeros(channels, np.float64)
    if x.size:
        planes = x.reshape(x.shape[0], channels, -1)
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.forward(
            x=planes,
            residual=planes[:0] if residual is None else residual.reshape(planes.shape),
            **_affine(channels, x.dtype, gamma, beta),
            eps=eps,
            relu=relu,
            **_memory.scratch(implementation.forward_scratch(planes)),
            out_y=y.reshape(planes.shape),
            out_mean=mean,
            out_var=var,
        )
    add = residual is not None
    kept = y if relu and add else None
    return y, Saved(x, kept, gamma, beta, add, relu, mean, var, eps, True)


def inference_forward(
    x: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    *,
    eps: float = 1e-5,
    relu: bool = False,
    residual: np.ndarray | None = None,
) -> tuple[np.ndarray, Saved]:
    """Normalize with given statistics, (C,) of any float dtype: each sample alone.

    Raises TypeError for other dtypes, ValueError for other shapes.

    >>> import numpy as np
    >>> from kernels import batch_norm
    >>> x, mean, var = np.array([[1.0], [3.0]]), np.array([1.0]), np.array([4.0])
    >>> batch_norm.inference_forward(x, mean, var, None, None, eps=0.0)[0].ravel()
    array([0., 1.])
    """
    x, gamma, beta, residual = _checked(x, gamma, beta, residual)
    channels = x.shape[1]
    (mean,) = float_arrays("batch_norm", mean=mean)
    (var,) = float_arrays("batch_norm", var=var)
    for name, values in (("mean", mean), ("var", var)):
        check_shape("batch_norm", name, values, (channels,))
    # Copies: a layer goes on averaging in its arrays.
    mean, var = mean.astype(np.float64), var.astype(np.float64)
    y = _memory.empty(x.shape, x.dtype)
    if x.size:
        planes = x.reshape(x.shape[0], channels, -1)
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.inference_forward(
            x=planes,
            residual=planes[:0] if residual is None else residual.reshape(planes.shape),
            mean=mean,
            var=var,
            **_affine(channels, x.dtype, gamma, beta),
            eps=eps,
            relu=relu,
            **_memory.scratch(implementation.inference_forward_scratch(planes)),
            out_y=y.reshape(planes.shape),
        )
    add = residual is not None
    kept = y if relu and add else None
    return y, Saved(x, kept, gamma, beta, add, relu, mean, var, eps, False)


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool, bool] = (True,) * 4
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Return dx, dgamma, dbeta, dresidual; None for what is not needed or was not given.

    In training the gradient to x flows through the batch's mean and variance too. Without ReLU
    dresidual is dy itself.

    Raises TypeError for another dtype and ValueError for another shape than x's.
    """
    x, dy = float_arrays("batch_norm", x=saved.x, dy=dy)
    check_shape("batch_norm", "dy", dy, x.shape)
    channels, y = x.shape[1], saved.y
    with_dgamma, with_dbeta = (
        needs[1] and saved.gamma is not None,
        needs[2] and saved.beta is not None,
    )
    of_channels = channels if with_dgamma or with_dbeta else 0
    dx = _memory.empty(x.shape if needs[0] else 0, x.dtype)
    dresidual = dy if y is None else _memory.empty(x.shape, x.dtype)
    dgamma, dbeta = np.zeros(of_channels, x.dtype), np.zeros(of_channels, x.dtype)
    if dx.size or (x.size and (of_channels or y is not None)):
        planes = x.reshape(x.shape[0], channels, -1)
        nothing = planes[:0]
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.backward(
            dy=dy.reshape(planes.shape),
            x=planes,
            y=nothing if y is None else y.reshape(planes.shape),
            **_affine(channels, x.dtype, saved.gamma, saved.beta),
            mean=saved.mean,
            var=saved.var,
            eps=saved.eps,
            relu=saved.relu,
            training=saved.training,
            **_memory.scratch(implementation.backward_scratch(planes)),
            out_dx=dx.reshape(planes.shape) if needs[0] else nothing,
            out_dresidual=nothing if y is None else dresidual.reshape(planes.shape),
            out_dgamma=dgamma,
            out_dbeta=dbeta,
        )
    return (
        dx if needs[0] else None,
        dgamma if with_dgamma else None,
        dbeta if with_dbeta else None,
        dresidual if needs[3] and saved.residual else None,
    )


def move_average(
    average: np.ndarray, value: np.ndarray, momentum: float, scale: float = 1.0
) -> None:
    """average = (1 - momentum) average + momentum scale value, in place; value (C,) float64."""
    averages.move(value, scale, float(momentum), np.empty(value.shape), average)


def _checked(
    x: np.ndarray, gamma: np.ndarray | None, beta: np.ndarray | None, residual: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """All arrays plain."""
    x, gamma, beta, residual = float_arrays_or_none(
        "batch_norm", {"x": x}, gamma=gamma, beta=beta, residual=residual
    )
    if not 2 <= x.ndim <= 5:
        raise ValueError(
            "batch_norm: expected x of shape (N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W), "
            f"got {x.shape}"
        )
    channels = x.shape[1:2]
    for name, array, shape in (
        ("gamma", gamma, channels),
        ("beta", beta, channels),
        ("residual", residual, x.shape),
    ):
        if array is not None:
            check_shape("batch_norm", name, array, shape)
    return x, gamma, beta, residual


def _affine(
    channels: int, dtype: np.dtype, gamma: np.ndarray | None, beta: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Ones and zeros in the place of None."""
    return {
        "gamma": np.ones(channels, dtype) if gamma is None else gamma,
        "beta": np.zeros(channels, dtype) if beta is None else beta,
    }
