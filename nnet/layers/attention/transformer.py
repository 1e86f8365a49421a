"""The encoder of a transformer."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ... import functional
from ...autograd.tensor import Tensor
from ...functional.attention.masks import is_causal_mask
from ...module.container import ModuleList
from ...module.module import Module
from ..dropout.dropout import Dropout
from ..linear import Linear
from ..normalization.layer_norm import LayerNorm
from ..rectified import rectified
from .multi_head import MultiheadAttention

__all__ = ["TransformerEncoderLayer", "TransformerEncoder"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
}


class TransformerEncoderLayer(Module):
    """Self-attention, then two linear maps at each place by itself, each beside a shortcut.

    x = norm1(x + attention(x)), y = norm2(x + linear2(activation(linear1(x)))): attention moves
    information between places, the maps work on it. With norm_first, x + attention(norm1(x)) and
    x + maps(norm2(x)): the shortcut runs through unchanged from the first layer to the last, so the
    gradient does too, and deep stacks train without warm-up (Xiong et al. 2020). In training there
    is dropout of the attention's weights, behind the activation and before both sums.

    d_model, nhead      features, and heads, which divide them
    dim_feedforward     width between the maps
    activation          "relu", "gelu" or a function of a tensor
    layer_norm_eps      added to the variance
    batch_first         (N, L, d_model) instead of (L, N, d_model)
    norm_first          normalize before, not after
    bias                of all maps and normalizations

    Vaswani et al. 2017.

    >>> import nnet as nn
    >>> nn.TransformerEncoderLayer(8, 2, 16)(nn.ones(5, 3, 8)).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = functional.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        if isinstance(activation, str) and activation not in _ACTIVATIONS:
            raise ValueError(
                f"TransformerEncoderLayer: expected activation 'relu', 'gelu' or a function, "
                f"got {activation!r}"
            )
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _ACTIVATIONS[activation] if isinstance(activation, str) else activation
        self.to(device)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """The masks are those of `MultiheadAttention`; True hides."""
        x = src
        if self.norm_first:
            x = x + self._attend(self.norm1(x), src_mask, src_key_padding_mask, is_causal)
            return x + self._map(self.norm2(x))
        x = self.norm1(x + self._attend(x, src_mask, src_key_padding_mask, is_causal))
        return self.norm2(x + self._map(x))

    def _attend(
        self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        y, _ = self.self_attn(
            x,
            x,
            x,
            key_padding_mask=padding,
            need_weights=False,
            attn_mask=mask,
            is_causal=is_causal,
        )
        return self.dropout1(y)

    def _map(self, x: Tensor) -> Tensor:
        if self.activation is functional.relu:
            hidden = rectified(self.linear1, x)
        else:
            hidden = self.activation(self.linear1(x))
        return self.dropout2(self.linear2(self.dropout(hidden)))


class TransformerEncoder(Module):
    """num_layers copies of a layer in a row, all with its initial values, then `norm` if given.

    enable_nested_tensor and mask_check change nothing. Vaswani et al. 2017.

    >>> import nnet as nn
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)
    >>> encoder(nn.ones(5, 3, 8), is_causal=True).shape
    (5, 3, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        if num_layers < 0:
            raise ValueError(f"TransformerEncoder: expected num_layers >= 0, got {num_layers}")
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """is_causal  found out from `mask` if None."""
        if is_causal is None:
            is_causal = is_causal_mask(mask)
        for layer in self.layers:
            src = layer(
                src,
                src_mask=mask,
                src_key_padding_mask=src_key_padding_mask,
                is_causal=is_causal,
            )
        return src if self.norm is None else self.norm(src)
