"""Normalizations."""

import math

from bench.case import Case, Work
from bench.cases.shapes import FLOAT, Shape, normal, times
from bench.contenders import batch_norm, group_norm, local_response_norm


def _batch_norm(x: Shape, extra: str = "", small: bool = False) -> Case:
    """Forward: 1 flop for the mean, 3 for the variance, 2 to apply; backward: 4 and 4.

    extra  what follows: "relu", or "residual-relu" for an addition before that
    """
    size, channels = math.prod(x), x[1]
    relu, residual = extra.endswith("relu"), extra.startswith("residual")
    return Case(
        op="batch_norm",
        variant=extra,
        shape=times(*x),
        inputs=lambda rng: {
            "x": normal(rng, *x),
            "gamma": normal(rng, channels),
            "beta": normal(rng, channels),
            "dy": normal(rng, *x),
            **({"residual": normal(rng, *x)} if residual else {}),
        },
        options={"relu": relu},
        forward=Work((6 + relu + residual) * size, FLOAT * ((2 + residual) * size + 2 * channels)),
        backward=Work((8 + relu) * size, FLOAT * ((3 + 2 * residual) * size + 3 * channels)),
        contenders=batch_norm,
        small=small,
    )


def _group_norm(x: Shape, groups: int, small: bool = False) -> Case:
    """As batch normalization, and 2 more to weigh dy."""
    size, channels = math.prod(x), x[1]
    return Case(
        op="group_norm",
        variant="layer" if groups == 1 else f"{groups}-groups",
        shape=times(*x),
        inputs=lambda rng: {
            "x": normal(rng, *x),
            "gamma": normal(rng, channels),
            "beta": normal(rng, channels),
            "dy": normal(rng, *x),
        },
        options={"groups": groups},
        forward=Work(6 * size, FLOAT * (2 * size + 2 * channels)),
        backward=Work(10 * size, FLOAT * (3 * size + 3 * channels)),
        contenders=group_norm,
        small=small,
    )


def _local_response_norm(x: Shape, small: bool = False) -> Case:
    """A window of 5: 5 squares and sums, 2 for the scale, 4 for the power; backward 5 and 16."""
    size = math.prod(x)
    return Case(
        op="local_response_norm",
        shape=times(*x),
        inputs=lambda rng: {"x": normal(rng, *x), "dy": normal(rng, *x)},
        forward=Work(16 * size, FLOAT * 2 * size),
        backward=Work(32 * size, FLOAT * 3 * size),
        contenders=local_response_norm,
        small=small,
    )


BATCH_NORM = (
    _batch_norm((64, 32, 28, 28), small=True),
    _batch_norm((32, 64, 32, 32)),
    _batch_norm((32, 64, 56, 56)),
    _batch_norm((100, 1024), small=True),
    _batch_norm((64, 32, 28, 28), "relu"),
    _batch_norm((32, 64, 32, 32), "relu"),
    _batch_norm((32, 64, 56, 56), "relu"),
    _batch_norm((100, 1024), "relu", small=True),
    _batch_norm((64, 64, 14, 14), "residual-relu", small=True),
    _batch_norm((32, 64, 56, 56), "residual-relu"),
)

GROUP_NORM = (
    _group_norm((3200, 256), 1, small=True),
    _group_norm((4096, 1024), 1),
    _group_norm((32, 64, 32, 32), 8, small=True),
    _group_norm((32, 64, 32, 32), 32),
)

# T, N, I, H: rows of an image, pixels one by one, characters, and one sample alone.

LOCAL_RESPONSE_NORM = (
    _local_response_norm((8, 64, 27, 27), small=True),
    _local_response_norm((32, 96, 55, 55)),
)
