"""Scaled dot-product attention: in blocks, or with its weights in full."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels import attention as attention_op
from kernels.attention.checks import check_shapes

from ...autograd.joining import where
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..activation import softmax
from ..check import check_tensors, number
from ..dropout.dropout import dropout

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(scale query key' + mask) value: each query's mean of the values, by how keys match.

    query, key, value  (..., L, E), (..., S, E), (..., S, Ev)
    attn_mask          broadcasts to (..., L, S): bool, True where a key takes part, or numbers
                       added to the scores
    dropout_p          of the weights, whatever the mode; the weights then stand in memory
    is_causal          query i sees keys 0 to i; not together with attn_mask
    scale              1 / sqrt(E) if None
    enable_gqa         (N, Hq, L, E) and (N, H, S, E), H a divisor of Hq: heads of queries share
                       those of keys and values

    A query that sees no key gives zeros. Vaswani et al. 2017.

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.scaled_dot_product_attention(nn.zeros(1, 2), nn.ones(2, 2), nn.tensor([[1.0], [3.0]]))
    tensor([[2.]])
    """
    op = "scaled_dot_product_attention"
    check_tensors(op, query=query, key=key, value=value)
    if attn_mask is not None and not isinstance(attn_mask, Tensor):
        raise TypeError(f"{op}: expected attn_mask to be a tensor, got {type(attn_mask).__name__}")
    if attn_mask is not None and is_causal:
        raise ValueError(f"{op}: expected attn_mask or is_causal, got both")
    dropout_p = number(op, "dropout_p", dropout_p)
    scale = None if scale is None else number(op, "scale", scale)
    if not 0 <= dropout_p <= 1:
        raise ValueError(f"{op}: expected dropout_p from 0 to 1, got {dropout_p}")
    if enable_gqa:
        key, value = (_repeat_heads(op, query, each) for each in (key, value))
    if dropout_p > 0 or (attn_mask is not None and attn_mask.requires_grad):
        _check_shapes(op, query, key, value)
        if scale is None:
            scale = query.shape[-1] ** -0.5
        learned = attn_mask is not None and attn_mask.requires_grad
        mask = None if attn_mask is None or learned else attn_mask.data
        seen = Seen(mask, None, is_causal)
        weights = attention_weights(query, key, seen, scale, attn_mask if learned else None)
        return dropout(weights, dropout_p) @ value
    y, saved = attention_op.forward(
        query.data,
        key.data,
        value.data,
        mask=None if attn_mask is None else attn_mask.data,
        causal=is_causal,
        scale=scale,
    )
    assert saved is not None
    return record(y, (query, key, value), lambda dy: attention_op.backward(dy, saved))


class Seen(NamedTuple):
    """Which keys a query sees, as kernels/attention takes it."""

    mask: np.ndarray | None
    key_lengths: np.ndarray | None
    causal: bool


def attention_weights(
    query: Tensor, key: Tensor, seen: Seen, scale: float, bias: Tensor | None = None
) -> Tensor:
    """softmax(scale query key' + mask), (..., L, S): in full, for those who want to look at it.

    bias  added to the scores, if it learns
    """
    scores = query @ key.transpose(-2, -1) * scale
    hidden = _hidden(seen, scores.shape, scores.dtype)
    if hidden is not None:
        scores = scores + Tensor(hidden)
    if bias is not None:
        scores = scores + bias
    blind = (scores.data == -np.inf).all(-1, keepdims=True)
    if not blind.any():
        return softmax(scores, -1)
    shown = where(Tensor(blind), Tensor(np.zeros((), scores.dtype)), scores)
    return softmax(shown, -1) * Tensor((~blind).astype(scores.dtype))


def _hidden(seen: Seen, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray | None:
    """What is added to the scores: -inf where a query does not see a key."""
    if seen.mask is None and seen.key_lengths is None and not seen.causal:
        return None
    shown = np.ones((1, 1), bool)
    if seen.key_lengths is not None:
        lengths = seen.key_lengths.reshape(-1, *[1] * (len(shape) - 1))
        shown = np.arange(shape[-1]) < lengths
    if seen.causal:
        shown = shown & np.tri(shape[-2], shape[-1], dtype=bool)
    if seen.mask is not None and seen.mask.dtype == bool:
        shown = shown & seen.mask
    hidden = np.where(shown, dtype.type(0), dtype.type(-np.inf))
    if seen.mask is not None and seen.mask.dtype != bool:
        hidden = hidden + seen.mask
    return hidden


def _check_shapes(op: str, query: Tensor, key: Tensor, value: Tensor) -> None:
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise ValueError(
            f"{op}: expected at least 2 axes, got {query.shape}, {key.shape}, {value.shape}"
        )
    check_shapes(op, query.data, key.data, value.data)


def _repeat_heads(op: str, query: Tensor, each: Tensor) -> Tensor:
    """Heads of keys or values as many times in a row as queries have heads for each."""
    heads = each.shape[-3] if each.ndim > 2 else 0
    if query.ndim < 3 or each.ndim < 3 or not heads or query.shape[-3] % heads:
        raise ValueError(
            f"{op}: expected heads of key and value, on the third axis from behind, to divide "
            f"those of query, got {query.shape} and {each.shape}"
        )
    times = query.shape[-3] // heads
    *leading, length, width = each.shape
    wide = each.unsqueeze(-3).expand(*leading, times, length, width)
    return wide.reshape(*leading[:-1], heads * times, length, width)
