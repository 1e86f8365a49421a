"""The additive score of attention: how well each query fits each key.

score[n, q, k] = sum over a of weight[a] tanh(query[n, q, a] + key[n, k, a]).

The (N, Q, K, A) array of all tanh is never stored: forward sums as it goes, and backward computes
them again. Bahdanau et al. 2015; Luong et al. 2015 call it "concat".
"""

from typing import NamedTuple

import numpy as np

from kernels import _memory
from kernels._check import check_shape, float_arrays
from kernels._device import Implementations, device_of
from kernels.additive_score import cpu, reference

IMPLEMENTATIONS = Implementations(reference=reference, cpu=cpu)


class Saved(NamedTuple):
    query: np.ndarray
    key: np.ndarray
    weight: np.ndarray


def forward(query: np.ndarray, key: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, Saved]:
    """Return score (N, Q, K).

    query   (N, Q, A), float32 | float64
    key     (N, K, A)
    weight  (A,)

    Raises TypeError for other dtypes, or mixed ones; ValueError for shapes that do not fit.

    >>> import numpy as np
    >>> from kernels import additive_score
    >>> query, key = np.zeros((1, 1, 2)), np.array([[[0.0, 0.0], [50.0, -50.0]]])
    >>> additive_score.forward(query, key, np.array([2.0, 1.0]))[0]
    array([[[0., 1.]]])
    """
    query, key, weight = float_arrays("additive_score", query=query, key=key, weight=weight)
    if query.ndim != 3:
        raise ValueError(f"additive_score: expected query of shape (N, Q, A), got {query.shape}")
    n, queries, size = query.shape
    if key.ndim != 3 or key.shape[0] != n or key.shape[2] != size:
        raise ValueError(f"additive_score: expected key of shape ({n}, K, {size}), got {key.shape}")
    check_shape("additive_score", "weight", weight, (size,))
    score = _memory.empty((n, queries, key.shape[1]), query.dtype)
    if not size:
        score.fill(0)
    elif score.size:
        implementation = IMPLEMENTATIONS[device_of(query)]
        implementation.forward(
            query=query,
            key=key,
            weight=weight,
            **_memory.scratch(implementation.forward_scratch(query, key)),
            out_score=score,
        )
    return score, Saved(query, key, weight)


def backward(dscore: np.ndarray, saved: Saved) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return dquery, dkey and dweight."""
    query, key, weight, dscore = float_arrays(
        "additive_score", query=saved.query, key=saved.key, weight=saved.weight, dscore=dscore
    )
    check_shape("additive_score", "dscore", dscore, (*query.shape[:2], key.shape[1]))
    dquery, dkey, dweight = (_memory.empty(a.shape, a.dtype) for a in (query, key, weight))
    if dscore.size and weight.size:
        implementation = IMPLEMENTATIONS[device_of(query)]
        implementation.backward(
            dscore=dscore,
            query=query,
            key=key,
            weight=weight,
            **_memory.scratch(implementation.backward_scratch(query, key)),
            out_dquery=dquery,
            out_dkey=dkey,
            out_dweight=dweight,
        )
    else:
        for gradient in (dquery, dkey, dweight):
            gradient.fill(0)
    return dquery, dkey, dweight
