"""Matrix products and convolutions by each of their algorithms."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernels import conv2d, conv_transpose2d, matmul
from kernels.matmul.problem import SERIAL
from tests.races.calls_elements import Rng, Run, normal

Shape = tuple[int, ...]


def products() -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    for m, n, k, transposes in (
        (SERIAL // (64 * 64), 64, 64, "NN"), (SERIAL // (64 * 64) + 1, 64, 64, "NN"),  # direct
        (100, 97, 101, "NT"), (97, 130, 99, "TN"), (3, 801, 333, "NT"), (40, 40, 700, "TT"),
        (333, 300, 257, "NN"), (301, 307, 299, "TN"), (129, 501, 300, "NT"),  # packed
        (1000, 64, 33, "NN"), (777, 128, 40, "NT"), (2100, 32, 300, "NN"),  # tall
    ):  # fmt: skip
        yield f"matmul {m} {n} {k} {transposes}", _matmul(m, n, k, transposes)
    yield "matmul of doubles", _matmul(101, 103, 107, "NT", np.float64)
    for items, m, n, k in ((13, 40, 37, 41), (9, 100, 33, 50), (3, 130, 131, 33)):
        yield f"matmul of stacks {items} {m} {n} {k}", _stacks(items, m, n, k)
    yield "added product", _accumulate(150, 170, 300)
    for algorithm in conv2d.ALGORITHMS[1:]:
        yield from _convolutions(algorithm)
    yield "transposed convolution", _transposed((3, 8, 15, 13), 20, 3, (2, 2))
    yield "transposed convolution to planes", _transposed((2, 4, 40, 41), 6, 2, (2, 2))


def _matmul(
    m: int, n: int, k: int, transposes: str, dtype: Any = np.float32
) -> Callable[[Rng], Run]:
    turned = tuple(letter == "T" for letter in transposes)

    def make(rng: Rng) -> Run:
        a = normal(rng, *((k, m) if turned[0] else (m, k)), dtype=dtype)
        b = normal(rng, *((n, k) if turned[1] else (k, n)), dtype=dtype)
        bias, dy = normal(rng, n, dtype=dtype), normal(rng, m, n, dtype=dtype)
        options = {"transpose_a": turned[0], "transpose_b": turned[1]}

        def run() -> Any:
            y, saved = matmul.forward(a, b, bias, relu=True, **options)
            return y, matmul.backward(dy, saved)

        return run

    return make


def _stacks(items: int, m: int, n: int, k: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        a, b, dy = normal(rng, items, m, k), normal(rng, items, k, n), normal(rng, items, m, n)

        def run() -> Any:
            y, saved = matmul.forward(a, b)
            return y, matmul.backward(dy, saved)

        return run

    return make


def _accumulate(m: int, n: int, k: int) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        a, b, start = normal(rng, m, k), normal(rng, k, n), normal(rng, m, n)

        def run() -> Any:
            y = start.copy()
            matmul.accumulate(a, b, y)
            return y

        return run

    return make


def _convolutions(algorithm: str) -> Iterator[tuple[str, Callable[[Rng], Run]]]:
    # x, filters, groups, kernel, stride, padding, dilation
    cases: dict[str, tuple[Any, ...]] = {
        "im2col": (
            ((3, 5, 19, 17), 7, 1, 3, 1, 1, 1), ((1, 3, 40, 41), 33, 1, 5, 2, 2, 1),
            ((5, 6, 13, 13), 10, 2, 3, 1, 0, 2), ((2, 40, 15, 17), 50, 1, 1, 1, 0, 1),
            ((2, 300, 9, 9), 20, 1, 1, 2, 0, 1),
        ),
        "direct": (
            ((3, 5, 19, 17), 7, 1, 3, 1, 1, 1), ((1, 3, 40, 41), 33, 1, 5, 2, 2, 1),
            ((5, 6, 13, 13), 10, 2, 3, 1, 0, 2), ((4, 17, 30, 31), 20, 1, 3, 1, 1, 1),
        ),
        "depthwise": (
            ((3, 10, 19, 17), 10, 10, 3, 1, 1, 1), ((2, 7, 40, 41), 14, 7, 5, 2, 2, 1),
            ((5, 6, 13, 13), 6, 2, 3, 1, 0, 2),
        ),
        "winograd": (
            ((3, 17, 19, 17), 20, 1, 3, 1, 1, 1), ((1, 16, 33, 31), 35, 1, 3, 1, 0, 1),
            ((9, 33, 14, 14), 16, 1, 3, 1, 1, 1),
        ),
    }  # fmt: skip
    for case in cases[algorithm]:
        yield f"convolution {algorithm} {case}", _convolution(algorithm, *case)


def _convolution(
    algorithm: str, shape: Shape, filters: int, groups: int, kernel: int, stride: int,
    padding: int, dilation: int,
) -> Callable[[Rng], Run]:  # fmt: skip
    def make(rng: Rng) -> Run:
        x, bias = normal(rng, *shape), normal(rng, filters)
        weight = normal(rng, filters, shape[1] // groups, kernel, kernel)
        sizes = {"stride": stride, "padding": padding, "dilation": dilation}
        options = {name: (size, size) for name, size in sizes.items()}

        def run() -> Any:
            y, saved = conv2d.forward(
                x, weight, bias, **options, groups=groups, relu=True, algorithm=algorithm
            )
            return y, conv2d.backward(y, saved)

        return run

    return make


def _transposed(
    shape: Shape, filters: int, kernel: int, stride: tuple[int, int]
) -> Callable[[Rng], Run]:
    def make(rng: Rng) -> Run:
        x, bias = normal(rng, *shape), normal(rng, filters)
        weight = normal(rng, shape[1], filters, kernel, kernel)

        def run() -> Any:
            y, saved = conv_transpose2d.forward(x, weight, bias, stride=stride)
            return y, conv_transpose2d.backward(y, saved)

        return run

    return make


PRODUCTS = dict(products())
