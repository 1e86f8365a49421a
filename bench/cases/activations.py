"""Activations."""

import math

from bench.case import Case, Work
from bench.cases.shapes import FLOAT, Shape, normal, times
from bench.contenders import activation, prelu, softmax


def _activation(kind: str, x: Shape, small: bool = False) -> Case:
    size = math.prod(x)
    forward, backward = {
        "relu": (1, 1),
        "leaky_relu": (2, 2),
        "elu": (3, 3),
        "sigmoid": (4, 3),
        "tanh": (1, 3),
        "gelu": (2, 7),
        "silu": (5, 5),
    }[kind]
    return Case(
        op="activation",
        variant=kind,
        shape=times(*x),
        inputs=lambda rng: {"x": normal(rng, *x), "dy": normal(rng, *x)},
        options={"kind": kind},
        forward=Work(forward * size, 2 * FLOAT * size),
        backward=Work(backward * size, 3 * FLOAT * size),
        contenders=activation,
        small=small,
    )


def _softmax(log: bool, rows: int, length: int, small: bool = False) -> Case:
    """Forward: maximum, difference, exp, sum, quotient; backward: 2 for the sum and 2."""
    size = rows * length
    return Case(
        op="softmax",
        variant="log" if log else "plain",
        shape=times(rows, length),
        inputs=lambda rng: {"x": normal(rng, rows, length), "dy": normal(rng, rows, length)},
        options={"log": log},
        forward=Work(5 * size, 2 * FLOAT * size),
        backward=Work(4 * size, 3 * FLOAT * size),
        contenders=softmax,
        small=small,
    )


def _prelu(x: Shape) -> Case:
    size, channels = math.prod(x), x[1]
    return Case(
        op="prelu",
        shape=times(*x),
        inputs=lambda rng: {
            "x": normal(rng, *x),
            "weight": normal(rng, channels),
            "dy": normal(rng, *x),
        },
        forward=Work(2 * size, FLOAT * (2 * size + channels)),
        backward=Work(4 * size, FLOAT * (3 * size + 2 * channels)),
        contenders=prelu,
        small=True,
    )


ACTIVATION = tuple(
    _activation(kind, shape, small=len(shape) == 4)
    for shape in ((64, 32, 28, 28), (4096, 1024))
    for kind in ("relu", "leaky_relu", "elu", "sigmoid", "tanh", "gelu", "silu")
)

SOFTMAX = tuple(
    _softmax(log, rows, length, small=length < 1000)
    for rows, length in ((4096, 10), (8192, 64), (4096, 1024))
    for log in (False, True)
)

PRELU = (_prelu((64, 32, 28, 28)),)
