"""Group normalization, with layer, instance and root-mean-square normalization as cases of it.

y = gamma * (x - mean) / sqrt(var + eps) + beta, mean and var of each group of a sample's channels:
Wu & He 2018. One group is layer normalization (Ba, Kiros & Hinton 2016), a group a channel is
instance normalization (Ulyanov, Vedaldi & Lempitsky 2016), mean 0 is root-mean-square
normalization (Zhang & Sennrich 2019). `plane_moments`, `lines` and their twins for gradients are
what norms that mix several statistics consist of. float32 or float64, one dtype in a call.
"""

import math
from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import FLOAT64, check_like, check_shape, float_arrays, float_arrays_or_none
from kernels._device import Implementations, device_of
from kernels.group_norm import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)

__all__ = [
    "IMPLEMENTATIONS",
    "Saved",
    "backward",
    "forward",
    "gradient_lines",
    "lines",
    "plane_moments",
    "plane_sums",
]


class Saved(NamedTuple):
    """mean and rstd are (N, groups) float64, rstd = 1 / sqrt(var + eps)."""

    x: np.ndarray
    gamma: np.ndarray | None
    has_beta: bool
    mean: np.ndarray
    rstd: np.ndarray
    centred: bool


def forward(
    x: np.ndarray,
    gamma: np.ndarray | None,
    beta: np.ndarray | None,
    *,
    groups: int = 1,
    eps: float = 1e-5,
    centred: bool = True,
) -> tuple[np.ndarray, Saved]:
    """Normalize x (N, C, ...), each of `groups` groups of C // groups channels for itself.

    gamma, beta  (C,), or None for ones and zeros
    centred      subtract the mean; else the mean counts as 0

    Raises TypeError for other dtypes, ValueError for other shapes and for groups that do not
    divide C.

    >>> import numpy as np
    >>> from kernels import group_norm
    >>> y, saved = group_norm.forward(np.array([[1.0, 3.0]]), None, None, eps=0.0)
    >>> y, saved.mean
    (array([[-1.,  1.]]), array([[2.]]))
    """
    x, gamma, beta = float_arrays_or_none("group_norm", {"x": x}, gamma=gamma, beta=beta)
    if x.ndim < 2:
        raise ValueError(f"group_norm: expected x of shape (N, C, ...), got {x.shape}")
    channels = x.shape[1]
    if groups < 1 or channels % groups:
        raise ValueError(f"group_norm: expected groups to divide {channels} channels, got {groups}")
    for name, array in (("gamma", gamma), ("beta", beta)):
        if array is not None:
            check_shape("group_norm", name, array, (channels,))
    y = _memory.empty(x.shape, x.dtype)
    mean = np.empty((x.shape[0], groups), np.float64)
    rstd = np.empty((x.shape[0], groups), np.float64)
    if x.size:
        rows = _grouped(x, groups)
        IMPLEMENTATIONS[device_of(x)].forward(
            x=rows,
            gamma=np.ones(channels, x.dtype) if gamma is None else gamma,
            beta=np.zeros(channels, x.dtype) if beta is None else beta,
            eps=float(eps),
            centred=centred,
            out_y=y.reshape(rows.shape),
            out_mean=mean.reshape(-1),
            out_rstd=rstd.reshape(-1),
        )
    return y, Saved(x, gamma, beta is not None, mean, rstd, centred)


def backward(
    dy: np.ndarray, saved: Saved, needs: tuple[bool, bool, bool] = (True,) * 3
) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Return dx, dgamma, dbeta; None for what is not needed or was not given.

    Raises TypeError for another dtype and ValueError for another shape than x's.
    """
    x, dy = float_arrays("group_norm", x=saved.x, dy=dy)
    check_shape("group_norm", "dy", dy, x.shape)
    channels = x.shape[1]
    with_dgamma, with_dbeta = needs[1] and saved.gamma is not None, needs[2] and saved.has_beta
    dx = _memory.empty(x.shape if needs[0] else 0, x.dtype)
    of_channels = channels if with_dgamma or with_dbeta else 0
    dgamma, dbeta = np.zeros(of_channels, x.dtype), np.zeros(of_channels, x.dtype)
    if x.size:
        rows = _grouped(x, saved.mean.shape[1])
        implementation = IMPLEMENTATIONS[device_of(x)]
        implementation.backward(
            dy=dy.reshape(rows.shape),
            x=rows,
            gamma=np.ones(channels, x.dtype) if saved.gamma is None else saved.gamma,
            mean=saved.mean.reshape(-1),
            rstd=saved.rstd.reshape(-1),
            centred=saved.centred,
            **_memory.scratch(implementation.backward_scratch(rows)),
            out_dx=dx.reshape(-1, *rows.shape[1:]),
            out_dgamma=dgamma,
            out_dbeta=dbeta,
        )
    return (
        dx if needs[0] else None,
        dgamma if with_dgamma else None,
        dbeta if with_dbeta else None,
    )


def plane_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance, (N, C) float64, over the positions of x (N, C, ...).

    Raises TypeError for other dtypes, ValueError for other shapes and for no positions.

    >>> import numpy as np
    >>> from kernels import group_norm
    >>> group_norm.plane_moments(np.array([[[1.0, 3.0]]]))
    (array([[2.]]), array([[1.]]))
    """
    x, planes = _planes(x)
    if not planes.shape[1]:
        raise ValueError(f"group_norm: expected one position or more, got x {x.shape}")
    mean, var = np.empty(len(planes), np.float64), np.empty(len(planes), np.float64)
    if x.size:
        IMPLEMENTATIONS[device_of(x)].plane_moments(x=planes, out_mean=mean, out_var=var)
    return mean.reshape(x.shape[:2]), var.reshape(x.shape[:2])


def lines(x: np.ndarray, head: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """y = (x - head) * scale + offset for x (N, C, ...), the others (N, C) float64.

    head is rounded to x's dtype first, so that x - head is exact where they are close.

    >>> import numpy as np
    >>> from kernels import group_norm
    >>> group_norm.lines(np.array([[[1.0, 3.0]]]), *np.array([2.0, 10.0, 1.0]).reshape(3, 1, 1))
    array([[[-9., 11.]]])
    """
    x, planes = _planes(x)
    y = _memory.empty(x.shape, x.dtype)
    values = _of_planes(x, head=head, scale=scale, offset=offset)
    if x.size:
        IMPLEMENTATIONS[device_of(x)].lines(x=planes, **values, out_y=y.reshape(planes.shape))
    return y


def plane_sums(dy: np.ndarray, x: np.ndarray, head: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of dy and of dy * (x - head), (N, C) float64; head as in `lines`."""
    (x, planes), (dy, slopes) = _planes(x), _planes(dy)
    _same("dy", dy, x)
    total, product = np.zeros(len(planes)), np.zeros(len(planes))
    values = _of_planes(x, head=head)
    if x.size:
        IMPLEMENTATIONS[device_of(x)].plane_sums(
            dy=slopes, x=planes, **values, out_total=total, out_product=product
        )
    return total.reshape(x.shape[:2]), product.reshape(x.shape[:2])


def gradient_lines(
    dy: np.ndarray,
    x: np.ndarray,
    head: np.ndarray,
    scale: np.ndarray,
    x_scale: np.ndarray,
    dx_offset: np.ndarray,
) -> np.ndarray:
    """dx = dy * scale + (x - head) * x_scale + dx_offset, all but dy and x (N, C) float64."""
    (x, planes), (dy, slopes) = _planes(x), _planes(dy)
    _same("dy", dy, x)
    dx = _memory.empty(x.shape, x.dtype)
    values = _of_planes(x, head=head, scale=scale, x_scale=x_scale, dx_offset=dx_offset)
    if x.size:
        IMPLEMENTATIONS[device_of(x)].gradient_lines(
            dy=slopes, x=planes, **values, out_dx=dx.reshape(planes.shape)
        )
    return dx


def _grouped(x: np.ndarray, groups: int) -> np.ndarray:
    samples, channels = x.shape[:2]
    return x.reshape(samples, groups, channels // groups, math.prod(x.shape[2:]))


def _planes(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    (x,) = float_arrays("group_norm", x=x)
    if x.ndim < 2:
        raise ValueError(f"group_norm: expected x of shape (N, C, ...), got {x.shape}")
    return x, x.reshape(x.shape[0] * x.shape[1], math.prod(x.shape[2:]))


def _same(name: str, array: np.ndarray, x: np.ndarray) -> None:
    if array.dtype != x.dtype:
        raise TypeError(f"group_norm: expected {name} of {x.dtype} like x, got {array.dtype}")
    check_shape("group_norm", name, array, x.shape)


def _of_planes(x: np.ndarray, **values: np.ndarray) -> dict[str, np.ndarray]:
    for name, array in values.items():
        check_like("group_norm", name, array, x.shape[:2], FLOAT64)
    return {name: np.ascontiguousarray(array).reshape(-1) for name, array in values.items()}
