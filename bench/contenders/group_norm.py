"""Layer normalization of rows, group normalization of images."""

import numpy as np

from bench.case import Contender
from kernels import group_norm

EPS = 1e-5


def with_numpy(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray, groups: int
) -> Contender:
    """Every pass over the data that algebra can save is saved; einsum sums rows faster than sum."""
    samples, channels = x.shape[:2]
    rows = x.reshape(samples * groups, -1)
    planes, slopes = (a.reshape(samples, channels, -1) for a in (x, dy))
    size = np.float32(rows.shape[1])
    of_planes = x.ndim > 2
    weight, offset = (gamma[:, None], beta[:, None]) if of_planes else (gamma, beta)
    given, spread = (slopes, planes.shape) if of_planes else (dy, x.shape)

    def forward():
        mean = np.einsum("rm->r", rows) / size
        xhat = rows - mean[:, None]
        var = np.einsum("rm,rm->r", xhat, xhat) / size
        rstd = 1 / np.sqrt(var + np.float32(EPS))
        xhat *= rstd[:, None]
        y = xhat.reshape(spread) * weight
        y += offset
        return y.reshape(x.shape), (xhat, rstd)

    def backward(saved):
        xhat, rstd = saved
        normal = xhat.reshape(spread)
        if of_planes:
            dbeta = np.einsum("ncp->c", given)
            dgamma = np.einsum("ncp,ncp->c", given, normal)
        else:
            dbeta = given.sum(axis=0)
            dgamma = np.einsum("nc,nc->c", given, normal)
        slope = (given * weight).reshape(rows.shape)
        level = np.einsum("rm->r", slope) / size
        slant = np.einsum("rm,rm->r", slope, xhat) / size
        dx = xhat * -slant[:, None]
        dx += slope
        dx -= level[:, None]
        dx *= rstd[:, None]
        return dx.reshape(x.shape), dgamma, dbeta

    return Contender(forward, backward)


def with_nnet(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray, groups: int
) -> Contender:
    return Contender(
        lambda: group_norm.forward(x, gamma, beta, groups=groups, eps=EPS),
        lambda saved: group_norm.backward(dy, saved),
    )


def with_torch(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, dy: np.ndarray, groups: int
) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (x, gamma, beta)]
    gradient = torch.tensor(dy)
    functional = torch.nn.functional

    def forward():
        values, weight, bias = leaves
        if x.ndim == 2 and groups == 1:
            y = functional.layer_norm(values, x.shape[1:], weight, bias, eps=EPS)
        else:
            y = functional.group_norm(values, groups, weight, bias, eps=EPS)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
