"""What runs along an axis: softmax, normalizations, reductions, pooling, maxout, PReLU, losses."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernels import (
    batch_norm,
    group_norm,
    hinge,
    local_response_norm,
    maxout,
    pool2d,
    prelu,
    softmax,
    softmax_cross_entropy,
)
from kernels.maxout import cpu as maxout_cpu
from kernels.softmax import cpu as softmax_cpu
from kernels.softmax_cross_entropy import cpu as entropy_cpu
from tests.races.calls_elements import Rng, Run, normal

Shape = tuple[int, ...]


def lines() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    yield from _softmax_calls()
    for shape in (
        (65, 500), (65, 505), (130, 333), (3000, 17), (20_000, 3),  # a value a channel
        (16, 8, 255), (16, 8, 257), (5, 3, 64, 77), (64, 2, 13, 31), (3, 65, 19, 23),
    ):  # fmt: skip
        yield f"batch norm {shape}", _batch_norm(shape)
    yield "batch norm of doubles", _batch_norm((33, 5, 17, 19), np.float64)
    for shape, groups in (
        ((127, 257), 1), ((128, 256), 1), ((300, 260), 1), ((4000, 33), 1), ((3, 40_001), 1),
        ((6, 12, 31, 29), 4), ((6, 12, 31, 29), 12), ((40, 24, 7, 9), 3), ((2, 6, 100, 77), 2),
    ):  # fmt: skip
        yield f"group norm {shape} {groups}", _group_norm(shape, groups)
    for shape in ((16, 8, 255), (16, 8, 16, 16), (9, 7, 23, 29), (1, 3, 150, 151)):
        yield f"lines of planes {shape}", _planes(shape)
    for shape in ((1, 31, 16, 16), (1, 32, 16, 16), (2, 13, 17, 19), (3, 7, 40, 33)):
        yield f"local response norm {shape}", _local_response_norm(shape)
    for n, pieces, size in (
        (64, 2, maxout_cpu._SERIAL_BELOW // 128 - 1), (64, 2, maxout_cpu._SERIAL_BELOW // 128),
        (37, 3, 1001), (2, 3, 20_001),
    ):  # fmt: skip
        yield f"maxout {n} {pieces} {size}", _maxout(n, pieces, size)
    for shape in ((3, 5, 41, 43), (700, 33), (1, 2, 40_001), (50_001,), (513, 130)):
        yield f"PReLU {shape}", _prelu(shape)
    yield from _pooling_calls()
    yield from _entropy_calls()
    for rows, classes in ((1638, 10), (1639, 10), (301, 401), (3, 30_001), (7000, 11)):
        yield f"multi-class hinge {rows} {classes}", _hinge(rows, classes)


def _softmax_calls() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    task = softmax_cpu._TASK
    shapes: tuple[tuple[Shape, int], ...] = (
        ((task // 64 - 1, 64), 0), ((task // 64, 64), 0), ((task // 40 + 1, 40), 0),
        ((1000, 40), 0), ((37, 1001), 0), ((7, 23, 133), 1), ((50, 3, 129), 1), ((300, 5, 31), 0),
        ((9, 11, 13, 17), 2), ((3, 400, 33), 1), ((task // 64 - 1, 64), 1), ((task // 64, 64), 1),
        ((1000, 40), 1), ((3, 20_001), 1), ((40_001, 3), 1),
    )  # fmt: skip
    for shape, axis in shapes:
        for log in (False, True):
            yield f"{'log-' * log}softmax {shape} {axis}", _softmax(shape, axis, log)
    yield "softmax of doubles", _softmax((300, 77), 0, False, np.float64)


def _softmax(shape: Shape, axis: int, log: bool, dtype: Any = np.float32) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, *shape, dtype=dtype), normal(rng, *shape, dtype=dtype)

        def run() -> Any:
            y, saved = softmax.forward(x, axis, log=log)
            return y, softmax.backward(dy, saved)

        return run

    return make


def _batch_norm(shape: Shape, dtype: Any = np.float32) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, residual, dy = (normal(rng, *shape, dtype=dtype) for _ in range(3))
        gamma, beta = (normal(rng, shape[1], dtype=dtype) for _ in range(2))
        mean, var = rng.standard_normal(shape[1]), rng.random(shape[1]) + 0.5

        def run() -> Any:
            results = []
            for extra in ({}, {"relu": True}, {"relu": True, "residual": residual}):
                y, saved = batch_norm.forward(x, gamma, beta, **extra)
                results += [y, saved.mean, saved.var, batch_norm.backward(dy, saved)]
            y, saved = batch_norm.inference_forward(x, mean, var, gamma, beta, relu=True)
            return results, y, batch_norm.backward(dy, saved)

        return run

    return make


def _group_norm(shape: Shape, groups: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, *shape), normal(rng, *shape)
        gamma, beta = normal(rng, shape[1]), normal(rng, shape[1])

        def run() -> Any:
            y, saved = group_norm.forward(x, gamma, beta, groups=groups)
            root, plain = group_norm.forward(x, gamma, None, groups=groups, centred=False)
            gradients = group_norm.backward(dy, saved), group_norm.backward(dy, plain)
            return y, saved.mean, saved.rstd, root, *gradients

        return run

    return make


def _planes(shape: Shape) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, *shape), normal(rng, *shape)
        head, scale, offset, level = rng.standard_normal((4, *shape[:2]))

        def run() -> Any:
            moments, y = group_norm.plane_moments(x), group_norm.lines(x, head, scale, offset)
            sums = group_norm.plane_sums(dy, x, head)
            return moments, y, sums, group_norm.gradient_lines(dy, x, head, scale, offset, level)

        return run

    return make


def _local_response_norm(shape: Shape) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, *shape), normal(rng, *shape)

        def run() -> Any:
            y, saved = local_response_norm.forward(x, 5)
            return y, local_response_norm.backward(dy, saved)

        return run

    return make


def _maxout(n: int, pieces: int, size: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, n, pieces, size), normal(rng, n, size)

        def run() -> Any:
            y, saved = maxout.forward(x)
            return y, maxout.backward(dy, saved)

        return run

    return make


def _prelu(shape: Shape) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, dy = normal(rng, *shape), normal(rng, *shape)
        weights = [normal(rng, 1)] + [normal(rng, size) for size in shape[1:2]]

        def run() -> Any:
            results = []
            for weight in weights:
                y, saved = prelu.forward(x, weight)
                results += [y, prelu.backward(dy, saved)]
            return results

        return run

    return make


def _pooling_calls() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    windows = (
        ((2, 2), (2, 2), (0, 0)), ((3, 3), (2, 2), (1, 1)), ((3, 2), (1, 1), (1, 0)),
        ((5, 5), (5, 5), (0, 0)),
    )  # fmt: skip
    for shape in ((3, 5, 33, 33), (7, 11, 30, 31), (1, 3, 128, 129)):
        for window in windows:
            yield f"max pooling {shape} {window}", _max_pool(shape, *window)
            yield f"average pooling {shape} {window}", _average_pool(shape, *window)
    for shape, side in (((40, 20, 8, 33), (2, 33)), ((50, 33, 7, 7), (7, 7))):
        yield f"average pooling {shape} {side}", _average_pool(shape, side, side, (0, 0))
    for shape, output in (
        ((7, 11, 30, 31), (7, 5)), ((3, 3, 129, 128), (1, 1)), ((5, 9, 25, 25), (30, 30)),
    ):  # fmt: skip
        yield f"adaptive pooling {shape} {output}", _adaptive_pool(shape, output)


def _max_pool(shape: Shape, kernel: Any, stride: Any, padding: Any) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x = normal(rng, *shape)

        def run() -> Any:
            y, saved = pool2d.max_forward(x, kernel, stride, padding)
            return y, saved.argmax, pool2d.max_backward(y, saved)

        return run

    return make


def _average_pool(shape: Shape, kernel: Any, stride: Any, padding: Any) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x = normal(rng, *shape)

        def run() -> Any:
            y, saved = pool2d.average_forward(x, kernel, stride, padding, count_include_pad=False)
            return y, pool2d.average_backward(y, saved)

        return run

    return make


def _adaptive_pool(shape: Shape, output: tuple[int, int]) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x = normal(rng, *shape)

        def run() -> Any:
            mean, averaged = pool2d.adaptive_average_forward(x, output)
            most, kept = pool2d.adaptive_max_forward(x, output)
            gradients = (
                pool2d.adaptive_average_backward(mean, averaged),
                pool2d.adaptive_max_backward(most, kept),
            )
            return mean, most, kept.argmax, *gradients

        return run

    return make


def _entropy_calls() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    task = entropy_cpu._TASK
    for shape in (
        (task // 10, 10), (task // 10 + 1, 10), (7000, 10), (600, 111), (3, 30_001),  # by rows
        (9, 10, 23, 29), (3, 5, 100, 97), (2, 150, 33, 31), (700, 7, 21),  # classes lie apart
    ):  # fmt: skip
        yield f"cross entropy {shape}", _entropy(shape)
    for shape in ((task // 10, 10), (task // 10 + 1, 10), (2000, 37)):
        yield f"cross entropy of probabilities {shape}", _soft_entropy(shape)


def _entropy(shape: Shape) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        logits = normal(rng, *shape)
        labels = rng.integers(0, shape[1], (shape[0], *shape[2:]))
        labels.flat[::7] = -100
        weight, dloss = rng.random(shape[1], np.float32) + 1, normal(rng, *labels.shape)

        def run() -> Any:
            op, half = softmax_cross_entropy, np.array(0.5, np.float32)
            loss, reduced = op.forward(logits, labels, label_smoothing=0.1)
            each, saved = op.forward(logits, labels, weight, reduction="none")
            return loss, each, op.backward(half, reduced), op.backward(dloss, saved)

        return run

    return make


def _soft_entropy(shape: Shape) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        logits, target = normal(rng, *shape), rng.random(shape, np.float32)

        def run() -> Any:
            loss, saved = softmax_cross_entropy.forward_soft(logits, target)
            return loss, softmax_cross_entropy.backward(np.array(0.5, np.float32), saved)

        return run

    return make


def _hinge(rows: int, classes: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, labels = normal(rng, rows, classes), rng.integers(0, classes, rows)
        dloss = normal(rng, rows)

        def run() -> Any:
            loss, saved = hinge.forward(x, labels)
            return loss, hinge.backward(dloss, saved)

        return run

    return make


LINES = dict(lines())
