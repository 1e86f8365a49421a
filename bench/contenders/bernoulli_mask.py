"""Dropout. Each contender draws from its own generator, so each is checked by itself."""

import itertools

import numpy as np

from bench.case import Contender, Values
from kernels import bernoulli_mask

P_DROP = 0.25
SCALE = 1 / (1 - P_DROP)


def with_numpy(x: np.ndarray, dy: np.ndarray) -> Contender:
    rng = np.random.default_rng(0)

    def forward():
        mask = rng.random(x.shape, dtype=np.float32) >= np.float32(P_DROP)
        y = x * mask
        y *= np.float32(SCALE)
        return y, mask

    def backward(mask):
        dx = dy * mask
        dx *= np.float32(SCALE)
        return dx

    return Contender(forward, backward)


def with_nnet(x: np.ndarray, dy: np.ndarray) -> Contender:
    streams = itertools.count()
    return Contender(
        lambda: bernoulli_mask.forward(x, P_DROP, seed=0, stream=next(streams)),
        lambda saved: bernoulli_mask.backward(dy, saved),
    )


def with_torch(x: np.ndarray, dy: np.ndarray) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)

    def forward():
        y = torch.nn.functional.dropout(leaf, P_DROP)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))


def check(what: str, values: Values, x: np.ndarray, dy: np.ndarray) -> None:
    """Elements are kept and scaled, or zero; in dx the same ones; in the right proportion."""
    y, dx = values
    kept = y != 0
    for result, source in ((y, x), (dx, dy)):
        expected = np.where(kept, source * np.float32(SCALE), 0)
        assert np.allclose(result, expected, rtol=1e-6, atol=0), f"{what}: wrong values"
    share, sigma = kept.mean(), np.sqrt(P_DROP * (1 - P_DROP) / x.size)
    assert abs(share - (1 - P_DROP)) < 5 * sigma, f"{what}: kept a share of {share}"
