"""Scaled dot-product attention of many heads."""

import numpy as np

from bench.case import Contender
from kernels import attention


def with_numpy(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, dy: np.ndarray, causal: bool
) -> Contender:
    """The weights in full, computed in place; the scale is applied to the smaller operand."""
    scale = np.float32(query.shape[-1] ** -0.5)
    hidden = np.where(np.tri(query.shape[-2], key.shape[-2]), np.float32(0), np.float32(-np.inf))
    turned = key.swapaxes(-1, -2)

    def forward():
        p = (query * scale) @ turned
        if causal:
            p += hidden
        p -= p.max(axis=-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(axis=-1, keepdims=True)
        y = p @ value
        return y, (p, y)

    def backward(saved):
        p, y = saved
        ds = dy @ value.swapaxes(-1, -2)
        ds -= np.einsum("...ij,...ij->...i", dy, y)[..., None]
        ds *= p
        ds *= scale
        return ds @ key, ds.swapaxes(-1, -2) @ query, p.swapaxes(-1, -2) @ dy

    return Contender(forward, backward)


def with_nnet(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, dy: np.ndarray, causal: bool
) -> Contender:
    return Contender(
        lambda: attention.forward(query, key, value, causal=causal),
        lambda saved: attention.backward(dy, saved),
    )


def with_torch(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, dy: np.ndarray, causal: bool
) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (query, key, value)]
    gradient = torch.tensor(dy)

    def forward():
        y = torch.nn.functional.scaled_dot_product_attention(*leaves, is_causal=causal)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))
