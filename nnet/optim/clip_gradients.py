"""Gradients shrunk to a length that a step can take."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kernels import clip_norm

from ..autograd.results import record
from ..autograd.tensor import Tensor
from ..autograd.writes import wrote


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """g <- g min(1, max_norm / |g|), g the gradients of all parameters as one vector, in place.

    Returns |g| as it was. To be called between `backward` and the optimizer's step: through many
    steps of time gradients explode now and then, and one such step would undo what was learnt;
    shrunk, it keeps its direction. Pascanu, Mikolov & Bengio 2013.

    norm_type           2, the Euclidean length
    error_if_nonfinite  raise RuntimeError, and change nothing, where |g| is NaN or infinite

    Parameters without a gradient are left alone. Raises ValueError for max_norm of 0 or less and
    for another norm_type.

    >>> import nnet as nn
    >>> w = nn.Parameter([1.0, 1.0])
    >>> (w * nn.tensor([3.0, 4.0])).sum().backward()
    >>> nn.clip_grad_norm_([w], max_norm=1.0), w.grad.numpy().round(4)
    (tensor(5.), array([0.6, 0.8], dtype=float32))
    """
    if norm_type != 2:
        raise ValueError(f"clip_grad_norm_: expected norm_type 2, got {norm_type}")
    if not 0 < max_norm < np.inf:
        raise ValueError(f"clip_grad_norm_: expected a finite max_norm above 0, got {max_norm}")
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    gradients = [parameter.grad for parameter in given if parameter.grad is not None]
    arrays = []
    for gradient in gradients:
        flags = gradient.data.flags
        if not (flags.c_contiguous and flags.writeable and flags.aligned):
            gradient.data = np.array(gradient.data, order="C")
        arrays.append(gradient.data)
    if error_if_nonfinite and not np.isfinite(clip_norm.norm(arrays)):
        raise RuntimeError("clip_grad_norm_: expected finite gradients, got NaN or infinity")
    length = clip_norm.clip(arrays, float(max_norm))
    for array in arrays:
        wrote(array)
    dtype = arrays[0].dtype if arrays else np.float32
    return record(np.array(length, dtype), ())
