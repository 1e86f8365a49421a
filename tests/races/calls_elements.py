"""Functions of single elements, random masks, losses, steps of optimizers, norms of arrays."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernels import (
    _jit,
    activation,
    add,
    bernoulli_mask,
    clip_norm,
    drop_connect,
    gather_normalize,
    gaussian_mask,
    max_norm,
    optimizer_step,
    pointwise_loss,
)
from kernels._philox import BLOCK
from kernels.activation import cpu as activation_cpu
from kernels.add import cpu as add_cpu
from kernels.bernoulli_mask import cpu as bernoulli_cpu
from kernels.clip_norm import cpu as clip_cpu
from kernels.gaussian_mask import cpu as gaussian_cpu
from kernels.max_norm import cpu as max_norm_cpu
from kernels.optimizer_step import cpu as optimizer_cpu
from kernels.pointwise_loss import cpu as loss_cpu

Run = Callable[[], Any]
Rng = np.random.Generator


def normal(rng: Rng, *shape: int, dtype: Any = np.float32) -> np.ndarray:
    return rng.standard_normal(shape).astype(dtype)


def around(threshold: int) -> tuple[int, ...]:
    """Just below, at, just above, and some tasks with a tail."""
    return threshold - 1, threshold, threshold + 1, 3 * threshold + 37


def elements() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    yield "threads", lambda rng: _jit.threading_layer
    for formula, threshold in (
        (activation.ReLU(), activation_cpu._ALONE_CHEAP + 1),
        (activation.GELU(), activation_cpu._ALONE_COSTLY + 1),
        (activation.Tanh(), activation_cpu._ALONE_COSTLY + 1),
    ):
        for size in around(threshold):
            yield f"{type(formula).__name__} {size}", _activation(formula, size)
    yield "SiLU of doubles", _activation(activation.SiLU(), 50_001, np.float64)
    for size in around(add_cpu.CHUNK):
        yield f"add {size}", _add(size)
    for size in (*around(BLOCK * bernoulli_cpu._SPAN), *around(2 * BLOCK * bernoulli_cpu._SPAN)):
        yield f"dropout {size}", _dropout(size)
    yield "dropout of nothing", _dropout_of_planes(40_000, 1, 0.0)
    yield "dropout of planes", _dropout_of_planes(20_001, 3, 0.25)
    yield "dropout of large planes", _dropout_of_planes(7, 16_383, 0.5)
    for size in around(2 * gaussian_cpu._CHUNK):
        yield f"gaussian dropout {size}", _gaussian(size)
    for size in around(clip_cpu._CHUNK):
        yield f"clipped norm {size}", _clip(size)
    for rows, size in ((3, 40_001), (max_norm_cpu._ALONE // 7 + 1, 7), (331, 129)):
        yield f"largest norm {rows} {size}", _max_norm(rows, size)
    for size in around(optimizer_cpu._TASK):
        yield f"steps of optimizers {size}", _steps(size)
    for kind in pointwise_loss.KINDS:
        yield f"{kind} loss", _loss(kind, 2 * loss_cpu._ALONE + 39)
    for size in around(loss_cpu._ALONE + 1):
        yield f"squared loss {size}", _loss("squared", size)
    for images in (1, 222, 223, 300):
        yield f"gathered images {images}", _images(images)
    for n, units, inputs, share in ((37, 70, 200, 1), (50, 33, 129, 4), (9, 300, 1000, 1)):
        yield f"drop-connect {n} {units} {inputs} {share}", _drop_connect(n, units, inputs, share)


def _activation(formula: Any, size: int, dtype: Any = np.float32) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, size, dtype=dtype), normal(rng, size, dtype=dtype)

        def run() -> Any:
            y, saved = activation.forward(formula, x)
            return y, activation.backward(dy, saved)

        return run

    return make


def _add(size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        a, b = normal(rng, size), normal(rng, size)
        return lambda: add.forward(a, b)

    return make


def _dropout(size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, size), normal(rng, size)

        def run() -> Any:
            y, saved = bernoulli_mask.forward(x, 0.3, seed=1, stream=2)
            return y, saved.bits, bernoulli_mask.backward(dy, saved)

        return run

    return make


def _dropout_of_planes(planes: int, plane: int, p_drop: float) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x = normal(rng, planes * plane)

        def run() -> Any:
            y, saved = bernoulli_mask.forward(x, p_drop, seed=1, stream=2, plane=plane)
            return y, saved.bits, bernoulli_mask.backward(x, saved)

        return run

    return make


def _gaussian(size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x = normal(rng, size)

        def run() -> Any:
            y, saved = gaussian_mask.forward(x, 0.5, seed=1, stream=2)
            return y, gaussian_mask.backward(x, saved)

        return run

    return make


def _clip(size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x = normal(rng, size)

        def run() -> Any:
            clipped = x.copy()
            return clip_norm.clip([clipped], 0.5), clipped

        return run

    return make


def _max_norm(rows: int, size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        weight = normal(rng, rows, size)

        def run() -> Any:
            short = weight.copy()
            max_norm.project(short, 0.75)
            return short

        return run

    return make


def _steps(size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        param, grad, mean = (normal(rng, size) for _ in range(3))

        def run() -> Any:
            plain, heavy, momentum, adam, first = (
                a.copy() for a in (param, param, mean, param, mean)
            )
            second = np.square(mean)
            optimizer_step.sgd(plain, grad, None, lr=0.1, weight_decay=0.01)
            optimizer_step.sgd(heavy, grad, momentum, lr=0.1, momentum=0.9, nesterov=True)
            optimizer_step.adam(adam, grad, first, second, lr=0.1, step=3, weight_decay=0.01)
            return plain, heavy, momentum, adam, first, second

        return run

    return make


def _loss(kind: str, size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, target, dloss = (
            rng.random(size, np.float32),
            rng.random(size, np.float32),
            normal(rng, size),
        )
        if kind == "hinge":
            target = np.where(target < 0.5, np.float32(-1), np.float32(1))

        def run() -> Any:
            total, reduced = pointwise_loss.forward(kind, x, target, divisor=float(size))
            each, saved = pointwise_loss.forward(kind, x, target)
            half = np.array(0.5, np.float32)
            gradients = (
                pointwise_loss.backward(half, reduced),
                pointwise_loss.backward(dloss, saved),
            )
            return total, each, *gradients

        return run

    return make


def _images(count: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        images = rng.integers(0, 256, (50, 3, 28, 28), np.uint8)
        indices = rng.integers(0, 50, count)
        return lambda: gather_normalize.forward(images, indices, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25])

    return make


def _drop_connect(n: int, units: int, inputs: int, share: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, weight, bias = normal(rng, n, inputs), normal(rng, units, inputs), normal(rng, units)
        dy = normal(rng, n, units)

        def run() -> Any:
            y, saved = drop_connect.forward(x, weight, bias, 0.4, seed=1, stream=2, share=share)
            return y, drop_connect.backward(dy, saved)

        return run

    return make


ELEMENTS = dict(elements())
