"""Self-attention of several heads with its projections, as a layer: (L, N, E)."""

from typing import Any

import numpy as np

import nnet as nn
from bench.case import Contender
from bench.contenders import attention

NAMES = "in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"


def with_numpy(
    x: np.ndarray,
    in_weight: np.ndarray,
    in_bias: np.ndarray,
    out_weight: np.ndarray,
    out_bias: np.ndarray,
    dy: np.ndarray,
    heads: int,
) -> Contender:
    """One product for all projections; heads are copied into rows of their own."""
    length, samples, width = x.shape
    rows = x.reshape(-1, width)

    def forward():
        packed = rows @ in_weight.T
        packed += in_bias
        parts = packed.reshape(length, samples, 3, heads, -1).transpose(2, 1, 3, 0, 4)
        query, key, value = np.ascontiguousarray(parts)
        inner = attention.with_numpy(query, key, value, query, causal=False)
        found, (p, y) = inner.forward()
        joined = np.ascontiguousarray(found.transpose(2, 0, 1, 3)).reshape(-1, width)
        result = joined @ out_weight.T
        result += out_bias
        return result.reshape(x.shape), (query, key, value, (p, y), joined)

    def backward(saved):
        query, key, value, kept, joined = saved
        slope = dy.reshape(-1, width)
        djoined = (slope @ out_weight).reshape(length, samples, heads, -1)
        dheads = np.ascontiguousarray(djoined.transpose(1, 2, 0, 3))
        inner = attention.with_numpy(query, key, value, dheads, causal=False)
        gradients = np.stack(inner.backward(kept)).transpose(3, 1, 0, 2, 4)
        dpacked = np.ascontiguousarray(gradients).reshape(-1, 3 * width)
        return (
            (dpacked @ in_weight).reshape(x.shape),
            dpacked.T @ rows,
            dpacked.sum(axis=0),
            slope.T @ joined,
            slope.sum(axis=0),
        )

    return Contender(forward, backward)


def with_nnet(x: np.ndarray, dy: np.ndarray, heads: int, **weights: np.ndarray) -> Contender:
    layer = nn.MultiheadAttention(x.shape[-1], heads).to(x.dtype)
    return _layer(layer, nn.Tensor, x, weights, nn.Tensor(dy))


def with_torch(x: np.ndarray, dy: np.ndarray, heads: int, **weights: np.ndarray) -> Contender:
    import torch

    layer = torch.nn.MultiheadAttention(x.shape[-1], heads)
    weights = {name: torch.tensor(array) for name, array in weights.items()}
    return _layer(layer, torch.tensor, x, weights, torch.tensor(dy))


def _layer(layer: Any, tensor: Any, x: np.ndarray, weights: dict, dy: Any) -> Contender:
    """With the layer's own tape, as a training step uses it."""
    layer.load_state_dict(dict(zip(NAMES, weights.values(), strict=True)))
    leaf = tensor(x)
    leaf.requires_grad_()

    def forward():
        y = layer(leaf, leaf, leaf, need_weights=False)[0]
        return np.asarray(y.detach()), y

    def backward(y):
        leaf.grad = None
        layer.zero_grad()
        y.backward(dy)
        return [np.asarray(each.grad) for each in (leaf, *layer.parameters())]

    return Contender(forward, backward)
