"""Local response normalization with AlexNet's constants."""

import numpy as np

from bench.case import Contender
from kernels import local_response_norm

SIZE, ALPHA, BETA, K = 5, 1e-4, 0.75, 2.0


def with_numpy(x: np.ndarray, dy: np.ndarray) -> Contender:
    """Windows by shifted additions, u^-0.75 by two roots, which NumPy takes faster than powers."""
    channels, half = x.shape[1], SIZE // 2

    def windows(values):
        total = values.copy()
        for shift in range(1, min(half + 1, channels)):
            total[:, shift:] += values[:, :-shift]
            total[:, :-shift] += values[:, shift:]
        return total

    def forward():
        scale = windows(x * x)
        scale *= np.float32(ALPHA)
        scale += np.float32(K)
        power = np.sqrt(scale)
        power *= np.sqrt(power)
        np.reciprocal(power, out=power)
        return x * power, (scale, power)

    def backward(saved):
        scale, power = saved
        slope = dy * x
        slope *= power
        slope /= scale
        dx = windows(slope)
        dx *= x
        dx *= np.float32(-2 * ALPHA * BETA)
        dx += dy * power
        return dx

    return Contender(forward, backward)


def with_nnet(x: np.ndarray, dy: np.ndarray) -> Contender:
    return Contender(
        lambda: local_response_norm.forward(x, SIZE, alpha=ALPHA, beta=BETA, k=K),
        lambda saved: local_response_norm.backward(dy, saved),
    )


def with_torch(x: np.ndarray, dy: np.ndarray) -> Contender:
    import torch

    leaf, gradient = torch.tensor(x, requires_grad=True), torch.tensor(dy)

    def forward():
        y = torch.nn.functional.local_response_norm(leaf, SIZE, ALPHA * SIZE, BETA, K)
        return y, y

    return Contender(forward, lambda y: torch.autograd.grad(y, leaf, gradient))
