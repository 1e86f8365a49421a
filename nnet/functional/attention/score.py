"""What scores queries against keys, and makes shares of the scores."""

from __future__ import annotations

import numpy as np

from kernels import additive_score as additive_score_op
from kernels import matmul
from kernels import softmax as softmax_op

from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors

__all__ = ["additive_score", "dot_score", "masked_softmax"]


def additive_score(query: Tensor, key: Tensor, weight: Tensor) -> Tensor:
    """score[n, q, k] = sum over a of weight[a] tanh(query[n, q, a] + key[n, k, a]).

    query   (N, Q, A)
    key     (N, K, A)
    weight  (A,)

    The tanh of all pairs are never stored: backward computes them again. Raises TypeError for other
    or mixed dtypes, ValueError for shapes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.additive_score(nn.zeros(1, 1, 2), nn.tensor([[[50.0, 0.0]]]), nn.tensor([3.0, 1.0]))
    tensor([[[3.]]])
    """
    check_tensors("additive_score", query=query, key=key, weight=weight)
    score, saved = additive_score_op.forward(query.data, key.data, weight.data)
    return record(
        score, (query, key, weight), lambda dscore: additive_score_op.backward(dscore, saved)
    )


def dot_score(query: Tensor, key: Tensor) -> Tensor:
    """score[n, q, k] = query[n, q] . key[n, k]; query (N, Q, E), key (N, K, E).

    Raises TypeError for other or mixed dtypes, ValueError for shapes that do not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.dot_score(nn.tensor([[[1.0, 2.0]]]), nn.tensor([[[3.0, 4.0]]]))
    tensor([[[11.]]])
    """
    check_tensors("dot_score", query=query, key=key)
    if query.ndim != 3 or key.ndim != 3 or query.shape[::2] != key.shape[::2]:
        raise ValueError(
            f"dot_score: expected query (N, Q, E) and key (N, K, E), got {query.shape} "
            f"and {key.shape}"
        )
    score, saved = matmul.forward(query.data, key.data, transpose_b=True)
    needs = query.requires_grad, key.requires_grad, False
    return record(score, (query, key), lambda dscore: matmul.backward(dscore, saved, needs)[:2])


def masked_softmax(input: Tensor, mask: Tensor | np.ndarray | None) -> Tensor:
    """softmax along the last axis over the elements where `mask` is true; 0 for the others.

    mask  bool, broadcasts to input; None for all

    Where a line has no element left it is 0, and no gradient flows; elsewhere it sums to 1. What
    is masked does not count, not even NaN. Raises TypeError for other dtypes, ValueError for a mask
    that does not fit.

    >>> import nnet as nn, nnet.functional as F
    >>> F.masked_softmax(nn.zeros(2, 3), nn.tensor([[True, True, False], [False, False, False]]))
    tensor([[0.5, 0.5, 0. ],
            [0. , 0. , 0. ]])
    """
    check_tensors("masked_softmax", input=input)
    x = input.data
    if mask is None:
        y, saved = softmax_op.forward(x, -1)
        return record(y, (input,), lambda dy: softmax_op.backward(dy, saved))
    kept = mask.data if isinstance(mask, Tensor) else np.asarray(mask)
    if kept.dtype != np.bool_:
        raise TypeError(f"masked_softmax: expected a mask of bool, got {kept.dtype}")
    try:
        kept = np.broadcast_to(kept, x.shape)
    except ValueError:
        raise ValueError(
            f"masked_softmax: expected a mask that broadcasts to {x.shape}, got {kept.shape}"
        ) from None
    y, saved = softmax_op.forward(np.where(kept, x, -np.inf), -1)
    # A line of -inf alone is NaN; 0 it has no gradient either, which is y (dy - sum(dy y)).
    y[~kept.any(axis=-1)] = 0
    return record(y, (input,), lambda dy: softmax_op.backward(dy, saved))
