"""Losses, steps of optimizers, batches."""

import math

import numpy as np

from bench.case import Case, Work
from bench.cases.shapes import FLOAT, Shape, normal, times
from bench.contenders import gather_normalize, optimizer_step, pointwise_loss, softmax_cross_entropy


def _pointwise_loss(kind: str, x: Shape, small: bool = False) -> Case:
    """The gradient is written by the forward pass or by the backward pass, once."""
    size = math.prod(x)
    forward, backward = {"squared": (3, 1), "absolute": (3, 1), "logistic": (7, 4)}[kind]
    return Case(
        op="pointwise_loss",
        variant=kind,
        shape=times(*x),
        inputs=lambda rng: {"x": normal(rng, *x), "target": rng.random(x, np.float32)},
        options={"kind": kind},
        forward=Work(forward * size, 2 * FLOAT * size),
        backward=Work(backward * size, FLOAT * size),
        contenders=pointwise_loss,
        small=small,
    )


def _softmax_cross_entropy(n: int, classes: int, small: bool = False) -> Case:
    size = n * classes
    return Case(
        op="softmax_cross_entropy",
        shape=times(n, classes),
        inputs=lambda rng: {
            "logits": normal(rng, n, classes),
            "labels": rng.integers(0, classes, n),
        },
        forward=Work(4 * size, FLOAT * size + 8 * n),
        backward=Work(3 * size, 2 * FLOAT * size + 8 * n),
        contenders=softmax_cross_entropy,
        small=small,
    )


def _optimizer_step(kind: str, size: int, small: bool = False) -> Case:
    """SGD moves 5 floats a parameter, Adam 7."""
    flops, floats = (4, 5) if kind == "sgd" else (13, 7)
    return Case(
        op="optimizer_step",
        variant=kind,
        shape=f"{size // 1_000_000}M",
        inputs=lambda rng: {
            "param": normal(rng, size),
            "grad": normal(rng, size),
            "exp_avg": normal(rng, size),
            "exp_avg_sq": np.square(normal(rng, size)),
        },
        options={"kind": kind},
        forward=Work(flops * size, floats * FLOAT * size),
        backward=None,
        contenders=optimizer_step,
        small=small,
    )


def _gather_normalize(images: Shape, batch: int, small: bool = False) -> Case:
    size = batch * math.prod(images[1:])
    return Case(
        op="gather_normalize",
        shape=f"{batch}-of-{times(*images)}",
        inputs=lambda rng: {
            "images": rng.integers(0, 256, images, np.uint8),
            "indices": rng.integers(0, images[0], batch),
            "mean": rng.uniform(0.3, 0.6, images[1]),
            "std": rng.uniform(0.2, 0.3, images[1]),
        },
        forward=Work(2 * size, (1 + FLOAT) * size),
        backward=None,
        contenders=gather_normalize,
        small=small,
    )


POINTWISE_LOSS = tuple(
    _pointwise_loss(kind, shape, small=shape[1] == 10)
    for shape in ((4096, 10), (4096, 1024))
    for kind in ("squared", "absolute", "logistic")
)

SOFTMAX_CROSS_ENTROPY = (
    _softmax_cross_entropy(4096, 10, small=True),
    _softmax_cross_entropy(3200, 64, small=True),
    _softmax_cross_entropy(256, 10_000, small=True),
)

OPTIMIZER_STEP = tuple(
    _optimizer_step(kind, size, small=size == 1_000_000)
    for size in (1_000_000, 10_000_000)
    for kind in ("sgd", "adam")
)

GATHER_NORMALIZE = (
    _gather_normalize((10_000, 1, 28, 28), 64, small=True),
    _gather_normalize((10_000, 1, 28, 28), 1024),
    _gather_normalize((10_000, 3, 32, 32), 128, small=True),
)
