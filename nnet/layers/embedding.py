"""Words as vectors that are learned."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import functional, init
from ..autograd.parameter import Parameter
from ..autograd.tensor import Tensor
from ..functional.embedding import checked_padding
from ..module.module import Module

__all__ = ["Embedding"]


class Embedding(Module):
    """A vector for each word, learned: y = weight[input], ids (...) to vectors (..., D).

    An id says nothing about which words are alike; their vectors come to, since words that can
    stand in the same place get similar gradients. It is the product of a one-hot row with weight,
    without the zeros: of the gradient, too, only the rows looked up differ from zero,

        dweight[v] = sum of dy over the positions where input is v.

    num_embeddings      V, the size of the vocabulary
    embedding_dim       D
    padding_idx         an id whose vector is zero at first and gets no gradient, so it stays what
                        it is; a negative one counts from the end
    max_norm            at each lookup, shrink those of the vectors that are longer, in place
    norm_type           the order of that norm
    scale_grad_by_freq  divide a gradient by how often its id is in the batch, so that frequent
                        words do not take longer steps
    sparse              not offered: gradients are dense

    weight              (V, D), from N(0, 1) at first

    Training and evaluation do the same, `max_norm` included. Raises ValueError for an id outside
    the vocabulary, and for sizes and options that do not fit. Bengio et al. 2003.

    >>> import nnet as nn
    >>> words = nn.Embedding(10, 3, padding_idx=0)
    >>> words(nn.tensor([[1, 2, 0], [4, 0, 0]])).shape, words.weight.data[0]
    ((2, 3, 3), array([0., 0., 0.], dtype=float32))
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: str | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        super().__init__()
        for name, size in (("num_embeddings", num_embeddings), ("embedding_dim", embedding_dim)):
            if not isinstance(size, int) or size < 0:
                raise ValueError(f"Embedding: expected {name} of at least 0, got {size!r}")
        if sparse:
            raise ValueError("Embedding: expected sparse=False, gradients here are dense")
        shape = (num_embeddings, embedding_dim)
        if _weight is not None and _weight.shape != shape:
            raise ValueError(f"Embedding: expected _weight of shape {shape}, got {_weight.shape}")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = checked_padding(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        values = np.empty(shape, dtype) if _weight is None else _weight.data
        self.weight = Parameter(values, requires_grad=not _freeze)
        self.to(device)
        if _weight is None:
            self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A layer on vectors that are there already, which it learns further unless `freeze`.

        embeddings  (V, D), float; taken as they are, not copied

        >>> import nnet as nn
        >>> vectors = nn.Embedding.from_pretrained(nn.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> vectors(nn.tensor([1])), vectors.weight.requires_grad
        (tensor([[3., 4.]]), False)
        """
        if not isinstance(embeddings, Tensor) or embeddings.dtype.kind != "f":
            got = embeddings.dtype if isinstance(embeddings, Tensor) else type(embeddings).__name__
            raise TypeError(f"Embedding: expected embeddings as a float tensor, got {got}")
        if embeddings.ndim != 2:
            raise ValueError(
                f"Embedding: expected embeddings of shape (V, D), got {embeddings.shape}"
            )
        count, size = embeddings.shape
        return cls(
            count,
            size,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self) -> None:
        """Draw the vectors anew, and set that of the padding to zero."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, usual in (
            ("padding_idx", None),
            ("max_norm", None),
            ("norm_type", 2.0),
            ("scale_grad_by_freq", False),
        ):
            if getattr(self, name) != usual:
                text += f", {name}={getattr(self, name)}"
        return text
