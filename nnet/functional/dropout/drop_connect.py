"""DropConnect: maps whose weights are dropped at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kernels import bernoulli_mask, gaussian_mask
from kernels import drop_connect as drop_connect_op

from ... import random
from ...autograd.recording import enable_grad, no_grad
from ...autograd.results import record
from ...autograd.tensor import Tensor
from ..check import check_tensors
from ..linear import linear
from .dropout import dropout

__all__ = ["drop_connect", "drop_connect_gaussian"]

Map = Callable[[Tensor, Tensor, Tensor | None], Tensor]

# Elements that are sampled at a time.
_SAMPLED = 1 << 20


def drop_connect(
    function: Map,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    p: float = 0.5,
    training: bool = True,
    share: int | None = 1,
) -> Tensor:
    """In training function(input, M * weight, bias) with random M, else the mean (1 - p) weight.

    function  `F.linear`, which draws its masks within the product, or any other, as a convolution
              with its options bound, which is called once for each mask. No mask is kept for
              backward: it is drawn again, and the other functions are run again with it
    input     examples along the first axis
    p         probability that a weight is dropped, 0 to below 1
    share     how many successive examples have one mask; None for all of them

    Draws from streams of `nnet.random`, from none where nothing is dropped. Wan et al. 2013.

    Raises TypeError for other or mixed dtypes, ValueError for p, share and shapes.

    >>> import nnet as nn, nnet.functional as F
    >>> F.drop_connect(F.linear, nn.ones(1, 4), nn.ones(2, 4), p=0.25, training=False)
    tensor([[3., 3.]])
    """
    _check(input, weight, bias, p)
    if isinstance(share, bool) or not (share is None or (isinstance(share, int) and share > 0)):
        raise ValueError(f"drop_connect: expected share of at least 1, or None, got {share!r}")
    if not input.ndim or (share is not None and input.ndim < 2):
        raise ValueError(
            f"drop_connect: expected input with examples along its first axis, got {input.shape}"
        )
    if not training or p == 0 or share is None or input.shape[0] == 0:
        return function(input, dropout(weight, p, training, inverted=False), bias)
    if function is linear:
        return _linear(input, weight, bias, p, share)
    return _mask_by_mask(function, input, weight, bias, p, share)


def drop_connect_gaussian(
    function: Map,
    activation: Callable[[Tensor], Tensor],
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    p: float = 0.5,
    samples: int = 100,
) -> Tensor:
    """The mean of activation(u) over masks, for u normal with its first two moments over masks.

    u ~ N((1 - p) W x + b, p (1 - p) (W * W)(x * x)): u is a sum of many independent terms. That
    costs two products and `samples` activations instead of as many products. Not recorded. Wan
    et al. 2013, section 3.2; arguments as in `drop_connect`.

    >>> import nnet as nn, nnet.functional as F
    >>> y = F.drop_connect_gaussian(F.linear, F.relu, nn.ones(1, 400), nn.ones(1, 400), samples=999)
    >>> abs(y.item() - 200) < 2
    True
    """
    _check(input, weight, bias, p)
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise ValueError(f"drop_connect: expected samples of at least 1, got {samples!r}")
    with no_grad():
        mean = function(input, weight * (1 - p), bias).data
        variance = function(input * input, weight * weight, None).data * (p * (1 - p))
        std = np.sqrt(np.maximum(variance, 0))
        total: Any = 0.0
        left = samples
        while left:
            count = min(left, max(1, _SAMPLED // max(mean.size, 1)))
            seed, stream = random.next_stream()
            u = gaussian_mask.draw(count * mean.size, mean.dtype, seed=seed, stream=stream)
            u = u.reshape(count, *mean.shape)
            u *= std
            u += mean
            y = activation(record(u.reshape(-1, *mean.shape[1:]), ())).data
            total = total + y.reshape(count, mean.shape[0], *y.shape[1:]).sum(0, np.float64)
            left -= count
    return record((total / samples).astype(mean.dtype), ())


def _check(input: Tensor, weight: Tensor, bias: Tensor | None, p: float) -> None:
    check_tensors("drop_connect", input=input, weight=weight, bias=bias)
    if isinstance(p, Tensor):
        raise TypeError("drop_connect: expected p as a number, got a tensor")
    if not 0 <= p < 1:
        raise ValueError(f"drop_connect: expected p from 0 to below 1, got {p}")


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None, p: float, share: int) -> Tensor:
    x, shape = input.data, input.shape
    seed, stream = random.next_stream()
    # An example's positions, along the axes between, have its mask.
    positions = int(np.prod(shape[1:-1]))
    y, saved = drop_connect_op.forward(
        x.reshape(shape[0] * positions, shape[-1]),
        weight.data,
        None if bias is None else bias.data,
        p,
        seed=seed,
        stream=stream,
        share=share * max(positions, 1),
    )
    needs = input.requires_grad, weight.requires_grad, bias is not None and bias.requires_grad

    def backward(dy: np.ndarray) -> tuple:
        dx, *rest = drop_connect_op.backward(dy.reshape(y.shape), saved, needs)
        return None if dx is None else dx.reshape(shape), *rest

    return record(y.reshape(*shape[:-1], y.shape[1]), (input, weight, bias), backward)


def _mask_by_mask(
    function: Map, input: Tensor, weight: Tensor, bias: Tensor | None, p: float, share: int
) -> Tensor:
    x, w = input.data, weight.data
    firsts = range(0, x.shape[0], share)
    keys = [random.next_stream() for _ in firsts]

    def masked(key: tuple[int, int]) -> tuple[np.ndarray, bernoulli_mask.Saved]:
        return bernoulli_mask.forward(w, p, seed=key[0], stream=key[1], scale=1.0)

    def backward(dy: np.ndarray) -> tuple:
        dx = np.empty_like(x)
        dw = np.zeros(w.shape, np.float64)
        db = None if bias is None else np.zeros(bias.shape, np.float64)
        for first, key in zip(firsts, keys, strict=True):
            kept, mask = masked(key)
            part = slice(first, first + share)
            given = x[part], kept, None if bias is None else bias.data
            dx[part], dkept, dshift = _gradients(function, dy[part], *given)
            dw += bernoulli_mask.backward(dkept, mask)
            if db is not None:
                db += dshift
        return dx, dw.astype(w.dtype), None if db is None else db.astype(w.dtype)

    with no_grad():
        parts = [
            function(record(x[first : first + share], ()), record(masked(key)[0], ()), bias).data
            for first, key in zip(firsts, keys, strict=True)
        ]
    return record(np.concatenate(parts), (input, weight, bias), backward)


def _gradients(
    function: Map, dy: np.ndarray, x: np.ndarray, weight: np.ndarray, bias: np.ndarray | None
) -> tuple[Any, Any, Any]:
    """Of one call of function, which is made anew."""
    leaves = [
        None if array is None else Tensor(array, requires_grad=True) for array in (x, weight, bias)
    ]
    input, kept, shift = leaves
    assert input is not None and kept is not None
    with enable_grad():
        function(input, kept, shift).backward(record(dy, ()))
    dx, dw, db = (
        leaf.grad.data if leaf is not None and leaf.grad is not None else None for leaf in leaves
    )
    return dx, dw, db
