"""Multi-head attention."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import init
from ...autograd.parameter import Parameter
from ...autograd.tensor import Tensor
from ...functional.attention.masks import combined
from ...functional.attention.multi_head import multi_head_attention
from ...functional.attention.projection import projected
from ...functional.check import check_tensors
from ...module.module import Module
from ..linear import Linear

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Several attentions beside one another, each in a space of its own.

    Queries, keys and values are projected to num_heads spaces of d = embed_dim / num_heads
    dimensions; in each, a query takes the mean of the values weighted by softmax(q k' / sqrt(d)),
    and the heads' results, side by side, are projected once more. One head can average only one
    way; several look at several places at once, for the price of one of full width. Without 1 /
    sqrt(d) the scores would grow with d and the softmax would saturate. Training and use differ by
    the dropout of weights alone. Vaswani et al. 2017.

    embed_dim, num_heads  the second divides the first
    dropout               of the weights, in training; they stand in memory then
    bias                  of the projections
    kdim, vdim            of keys and values; embed_dim if None
    batch_first           (N, L, E) instead of (L, N, E)

    add_bias_kv and add_zero_attn are not offered: ValueError. in_proj_weight is uniform by Glorot's
    rule at first, the biases 0, out_proj as `Linear`'s.

    >>> import nnet as nn
    >>> y, weights = nn.MultiheadAttention(8, 2)(*[nn.ones(5, 1, 8)] * 3)
    >>> y.shape, weights.shape
    ((5, 1, 8), (1, 5, 5))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: expected num_heads to divide embed_dim, "
                f"got {num_heads} and {embed_dim}"
            )
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention: expected dropout from 0 to 1, got {dropout}")
        for name, given in (("add_bias_kv", add_bias_kv), ("add_zero_attn", add_zero_attn)):
            if given:
                raise ValueError(f"MultiheadAttention: expected {name}=False, got {given}")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first
        together = self.kdim == self.vdim == embed_dim

        def weight(rows: int, columns: int, wanted: bool) -> Parameter | None:
            return Parameter(np.empty((rows, columns), dtype)) if wanted else None

        self.in_proj_weight = weight(3 * embed_dim, embed_dim, together)
        self.q_proj_weight = weight(embed_dim, embed_dim, not together)
        self.k_proj_weight = weight(embed_dim, self.kdim, not together)
        self.v_proj_weight = weight(embed_dim, self.vdim, not together)
        self.in_proj_bias = Parameter(np.empty(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, dtype=dtype)
        self.to(device)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial values anew, but out_proj's weight."""
        for weight in (
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
        ):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """The output, shaped like query, and the weights (N, L, S), or None.

        query, key, value     (L, N, E), (S, N, kdim), (S, N, vdim); without N for one sequence
        key_padding_mask      (N, S) bool, True where a key is padding; or numbers, added to scores
        need_weights          return the weights, which then stand in memory
        attn_mask             (L, S) or (N num_heads, L, S): bool, True where a query must not see a
                              key (the other way round than in the function), or numbers
        average_attn_weights  over the heads; else weights are (N, num_heads, L, S)
        is_causal             query i sees keys 0 to i; attn_mask, saying the same, may be left out

        A query that sees no key gives zeros before out_proj, and gets weights of zeros.

        Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.
        """
        one = self._check(query, key, value)
        same = query is key, key is value
        if one:
            along = 0 if self.batch_first else 1
            query, key, value = (each.unsqueeze(along) for each in (query, key, value))
            if key_padding_mask is not None and key_padding_mask.ndim == 1:
                key_padding_mask = key_padding_mask.unsqueeze(0)
        rows, keys = (each.shape[self.batch_first] for each in (query, key))
        shape = query.shape[not self.batch_first], self.num_heads, rows, keys
        seen = combined(shape, attn_mask, key_padding_mask, is_causal, query.dtype)
        y, weights = multi_head_attention(
            projected((query, key, value), self._weights(), self.in_proj_bias, same),
            self.num_heads,
            self.head_dim,
            self.batch_first,
            seen,
            self.dropout if self.training else 0.0,
            need_weights,
        )
        y = self.out_proj(y)
        if weights is not None and average_attn_weights:
            weights = weights.mean(1)
        if one:
            return y.squeeze(along), None if weights is None else weights.squeeze(0)
        return y, weights

    def macs(self, arguments: tuple, size: int) -> int:
        """Of the projections to queries, keys and values; out_proj tells its own."""
        return self.embed_dim * sum(each.numel() for each in arguments[:3])

    def _weights(self) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """Of queries, keys and values, together or one each."""
        together = self.in_proj_weight
        if together is not None:
            return together
        q, k, v = self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        assert q is not None and k is not None and v is not None
        return q, k, v

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Whether it is one sequence, without a batch."""
        check_tensors("MultiheadAttention", query=query, key=key, value=value)
        axes = query.ndim
        names = ("L, N", "S, N") if not self.batch_first else ("N, L", "N, S")
        widths = self.embed_dim, self.kdim, self.vdim
        shapes = query.shape, key.shape, value.shape
        fits = axes in (2, 3) and all(
            len(shape) == axes and shape[-1] == width
            for shape, width in zip(shapes, widths, strict=True)
        )
        batch = 0 if self.batch_first else 1
        if fits:
            fits = shapes[1][:-1] == shapes[2][:-1]
            fits = fits and (axes == 2 or shapes[0][batch] == shapes[1][batch])
        if not fits:
            raise ValueError(
                f"MultiheadAttention: expected query ({names[0]}, {widths[0]}), key and value "
                f"({names[1]}, {widths[1]}) and ({names[1]}, {widths[2]}), or all without N, "
                f"got {', '.join(map(str, shapes))}"
            )
        return axes == 2
