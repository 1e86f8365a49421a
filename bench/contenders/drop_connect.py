"""DropConnect with one mask for the batch. Each draws its own masks, so each is checked alone."""

import itertools

import numpy as np

from bench.case import Contender, Values
from kernels import bernoulli_mask, matmul

P_DROP = 0.5


def with_numpy(x: np.ndarray, weight: np.ndarray, dy: np.ndarray) -> Contender:
    rng = np.random.default_rng(0)

    def forward():
        mask = rng.random(weight.shape, dtype=np.float32) >= np.float32(P_DROP)
        masked = weight * mask
        return x @ masked.T, (mask, masked)

    def backward(saved):
        mask, masked = saved
        dweight = dy.T @ x
        dweight *= mask
        return dy @ masked, dweight

    return Contender(forward, backward)


def with_nnet(x: np.ndarray, weight: np.ndarray, dy: np.ndarray) -> Contender:
    streams = itertools.count()

    def forward():
        masked, mask = bernoulli_mask.forward(
            weight, P_DROP, seed=0, stream=next(streams), scale=1.0
        )
        y, saved = matmul.forward(x, masked, transpose_b=True)
        return y, (saved, mask)

    def backward(saved):
        product, mask = saved
        dx, dmasked, _ = matmul.backward(dy, product)
        return dx, bernoulli_mask.backward(dmasked, mask)

    return Contender(forward, backward)


def with_torch(x: np.ndarray, weight: np.ndarray, dy: np.ndarray) -> Contender:
    import torch

    leaves = [torch.tensor(array, requires_grad=True) for array in (x, weight)]
    gradient = torch.tensor(dy)

    def forward():
        mask = torch.empty_like(leaves[1]).bernoulli_(1 - P_DROP)
        y = torch.nn.functional.linear(leaves[0], leaves[1] * mask)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaves, gradient))


def check(what: str, values: Values, x: np.ndarray, weight: np.ndarray, dy: np.ndarray) -> None:
    """The zeros of dW are the mask, in the right proportion; all else follows from it."""
    y, dx, dweight = values
    mask = dweight != 0
    masked, wide = weight * mask, dy.astype(np.float64)
    for result, expected in (
        (y, x.astype(np.float64) @ masked.T),
        (dx, wide @ masked),
        (dweight, wide.T @ x * mask),
    ):
        error = np.sqrt(np.mean((result - expected) ** 2))
        assert error <= 1e-5 * np.sqrt(np.mean(expected**2)), f"{what}: wrong values"
    share, sigma = mask.mean(), np.sqrt(P_DROP * (1 - P_DROP) / mask.size)
    assert abs(share - (1 - P_DROP)) < 5 * sigma, f"{what}: kept a share of {share}"
