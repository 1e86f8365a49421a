"""The heads of multi-head attention, read from projections in which they lie side by side."""

from __future__ import annotations

import numpy as np

from kernels import _memory
from kernels import attention as attention_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..dropout.dropout import dropout
from .scaled import Seen, attention_weights


def multi_head_attention(
    projected: tuple[Tensor, ...],
    heads: int,
    depth: int,
    batch_first: bool,
    seen: Seen,
    dropout_p: float = 0.0,
    need_weights: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """The heads' results side by side, (L, N, E) with E = heads depth; and weights if asked.

    projected  queries, keys and values, (L, N, E) and (S, N, E) twice; those of one length may lie
               side by side in one tensor. Batch and length change places where `batch_first`
    weights    (N, heads, L, S), after dropout, or None
    """
    if dropout_p == 0:
        y = _in_blocks(projected, heads, depth, batch_first, seen)
        if not need_weights:
            return y, None
    query, key, value = (
        part for each in projected for part in _parts(each, heads, depth, batch_first)
    )
    weights = attention_weights(query, key, seen, depth**-0.5)
    if dropout_p == 0:
        return y, weights
    weights = dropout(weights, dropout_p)
    joined = (weights @ value).permute(*_order(batch_first, back=True))
    return joined.reshape(*projected[0].shape[:2], heads * depth), weights


def _in_blocks(
    projected: tuple[Tensor, ...], heads: int, depth: int, batch_first: bool, seen: Seen
) -> Tensor:
    """Nothing is moved: the kernel reads heads where they lie and writes gradients so."""

    def views(*arrays: np.ndarray) -> list[np.ndarray]:
        found = []
        for array in arrays:
            count = array.shape[2] // (heads * depth)
            parts = array.reshape(*array.shape[:2], count, heads, depth)
            found += [parts[:, :, i].transpose(_order(batch_first)) for i in range(count)]
        return found

    query, key, value = views(*(each.data for each in projected))
    y = _memory.empty((*projected[0].shape[:2], heads * depth), query.dtype)
    (out,) = views(y)
    _, saved = attention_op.forward(query, key, value, **seen._asdict(), out=out)
    assert saved is not None

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        gradients = tuple([_memory.empty(each.shape, dy.dtype) for each in projected])
        dq, dk, dv = views(*gradients)
        attention_op.backward(views(dy)[0], saved, out=(dq, dk, dv))
        return gradients

    return record(y, projected, backward)


def _parts(projected: Tensor, heads: int, depth: int, batch_first: bool) -> list[Tensor]:
    shape = projected.shape
    count = shape[2] // (heads * depth)
    parts = projected.reshape(*shape[:2], count, heads, depth)
    return [parts[:, :, i].permute(*_order(batch_first)) for i in range(count)]


def _order(batch_first: bool, back: bool = False) -> tuple[int, ...]:
    """From (L, N, heads, depth) to (N, heads, L, depth), or back."""
    if batch_first:
        return 0, 2, 1, 3
    return (2, 0, 1, 3) if back else (1, 2, 0, 3)
