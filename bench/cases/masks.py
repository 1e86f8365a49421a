"""Random masks."""

import math

import numpy as np

from bench.case import Case, Work
from bench.cases.shapes import FLOAT, Shape, normal, times
from bench.contenders import bernoulli_mask, drop_connect


def _bernoulli_mask(x: Shape, small: bool = False) -> Case:
    """Drawing the mask is not counted. No element of x is 0, so that zeros show the mask."""
    size = math.prod(x)
    return Case(
        op="bernoulli_mask",
        shape=times(*x),
        inputs=lambda rng: {"x": 1 + rng.random(x, np.float32), "dy": normal(rng, *x)},
        forward=Work(size, 2 * FLOAT * size),
        backward=Work(size, 2 * FLOAT * size),
        contenders=bernoulli_mask,
        small=small,
    )


def _drop_connect(n: int, units: int, inputs: int, small: bool = False) -> Case:
    """One mask for the batch; the products' flops, drawing is not counted."""
    flops, size = 2 * n * units * inputs, FLOAT * (n * (inputs + units) + units * inputs)
    return Case(
        op="drop_connect",
        shape=times(n, units, inputs),
        inputs=lambda rng: {
            "x": normal(rng, n, inputs),
            "weight": normal(rng, units, inputs),
            "dy": normal(rng, n, units),
        },
        forward=Work(flops, size),
        backward=Work(2 * flops, size + FLOAT * (n * inputs + units * inputs)),
        contenders=drop_connect,
        small=small,
    )


BERNOULLI_MASK = (
    _bernoulli_mask((128, 1024), small=True),
    _bernoulli_mask((64, 32, 28, 28), small=True),
    _bernoulli_mask((4096, 4096)),
)

DROP_CONNECT = (
    _drop_connect(64, 128, 800, small=True),
    _drop_connect(100, 1024, 1024),
)
