"""What goes wrong if normalizing is no part of the gradient (Ioffe & Szegedy 2015, section 2).

A bias b is added to inputs u, and the sum is normalized. The loss cannot depend on b: the mean
takes it away. A gradient that takes mean and variance for constants says otherwise, so b grows
by the same step for ever, and the loss stays where it was. The right gradient is 0.

    python examples/batch_norm_outside_backprop.py
"""

import argparse

import numpy as np

import nnet as nn
import nnet.functional as F

RATE, TARGET = 0.1, 2.0


def train(through_statistics: bool, steps: int) -> tuple[list[float], list[float]]:
    """The bias and the loss after each step of gradient descent."""
    u = nn.tensor(np.random.default_rng(0).normal(size=(256, 1)))
    b = nn.tensor([0.0], dtype=nn.float64, requires_grad=True)
    biases, losses = [], []
    for _ in range(steps):
        x = u + b
        if through_statistics:
            y = F.batch_norm(x, None, None, training=True)
        else:
            mean, var = x.detach().mean(0), x.detach().var(0, correction=0)
            y = F.batch_norm(x, mean, var)
        loss = ((y - TARGET) ** 2).mean() / 2
        b.grad = None
        loss.backward()
        b.data -= RATE * b.grad.data
        biases.append(b.item())
        losses.append(loss.item())
    return biases, losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1000)
    steps = parser.parse_args().steps
    for through_statistics in (False, True):
        biases, losses = train(through_statistics, steps)
        where = "through the statistics" if through_statistics else "past the statistics"
        print(
            f"gradient {where}: after {steps} steps b = {biases[-1]:.6f}, "
            f"loss {losses[0]:.6f} -> {losses[-1]:.6f}"
        )
