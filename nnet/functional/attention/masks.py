"""Masks of multi-head attention and of transformers, brought to the form that the kernels take."""

from __future__ import annotations

import numpy as np

from ...autograd.tensor import Tensor
from .scaled import Seen


def combined(
    shape: tuple[int, int, int, int],
    attn_mask: Tensor | None,
    key_padding_mask: Tensor | None,
    is_causal: bool,
    dtype: np.dtype,
) -> Seen:
    """What both masks leave to be seen of (N, heads, L, S); in both, True hides.

    Padding at the end of each sample becomes a length, so that nothing is computed there. Where
    `is_causal`, attn_mask is taken to say the same.
    """
    batch, heads, rows, keys = shape
    mask = padding = None
    if attn_mask is not None and not is_causal:
        mask = _array("attn_mask", attn_mask, dtype)
        if mask.shape == (batch * heads, rows, keys):
            mask = mask.reshape(shape)
        elif mask.shape != (rows, keys):
            raise ValueError(
                f"MultiheadAttention: expected attn_mask of shape {(rows, keys)} or "
                f"{(batch * heads, rows, keys)}, got {mask.shape}"
            )
    lengths = None
    if key_padding_mask is not None:
        padding = _array("key_padding_mask", key_padding_mask, dtype)
        if padding.shape != (batch, keys):
            raise ValueError(
                f"MultiheadAttention: expected key_padding_mask of shape {(batch, keys)}, "
                f"got {padding.shape}"
            )
        lengths = _lengths(padding)
        padding = None if lengths is not None else padding[:, None, None]
    return Seen(_both(mask, padding, dtype), lengths, is_causal)


def is_causal_mask(mask: Tensor | None) -> bool:
    """Whether a mask (L, L) hides all later keys and nothing else."""
    if mask is None or mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
        return False
    later = ~np.tri(len(mask), dtype=bool)
    if mask.dtype == np.bool_:
        return bool((mask.data == later).all())
    return bool((mask.data == np.where(later, -np.inf, 0)).all())


def _array(name: str, mask: Tensor, dtype: np.dtype) -> np.ndarray:
    if not isinstance(mask, Tensor):
        raise TypeError(
            f"MultiheadAttention: expected {name} to be a tensor, got {type(mask).__name__}"
        )
    if mask.dtype not in (np.bool_, dtype):
        raise TypeError(f"MultiheadAttention: expected {name} of bool or {dtype}, got {mask.dtype}")
    if mask.requires_grad:
        raise ValueError(f"MultiheadAttention: expected {name} that needs no gradient")
    return mask.data


def _lengths(padding: np.ndarray) -> np.ndarray | None:
    """(N,) keys before the padding, if that is all that is hidden."""
    if padding.dtype != np.bool_:
        return None
    lengths = padding.shape[1] - padding.sum(axis=1)
    at_the_end = np.arange(padding.shape[1]) >= lengths[:, None]
    return lengths if np.array_equal(padding, at_the_end) else None


def _both(
    mask: np.ndarray | None, padding: np.ndarray | None, dtype: np.dtype
) -> np.ndarray | None:
    """One of the masks or their union, as the kernel has it: True is seen, numbers are added."""
    given = [each for each in (mask, padding) if each is not None]
    if all(each.dtype == np.bool_ for each in given):
        shown = [~each for each in given]
        return np.logical_and(*shown) if len(shown) == 2 else shown[0] if shown else None
    added = [
        np.where(each, dtype.type(-np.inf), dtype.type(0)) if each.dtype == np.bool_ else each
        for each in given
    ]
    return added[0] + added[1] if len(added) == 2 else added[0]
