"""Matrix products, convolution, pooling and maxout."""

import math

import numpy as np

from bench.case import Case, Work
from bench.cases.shapes import FLOAT, Shape, normal, times
from bench.contenders import conv2d, matmul, maxout, pool2d


def _matmul(m: int, n: int, k: int, transposes: str, items: int = 0, small: bool = False) -> Case:
    """(M, K) by (K, N), each normal or transposed; stacks of `items` unless that is 0."""
    transpose_a, transpose_b = (letter == "T" for letter in transposes)
    stack, count = (items,) * (items > 0), max(items, 1)
    flops, size = 2 * count * m * n * k, FLOAT * count * (m * k + k * n + m * n)
    return Case(
        op="matmul",
        variant=transposes,
        shape=times(*stack, m, n, k),
        inputs=lambda rng: {
            "a": normal(rng, *stack, *((k, m) if transpose_a else (m, k))),
            "b": normal(rng, *stack, *((n, k) if transpose_b else (k, n))),
            "dy": normal(rng, *stack, m, n),
        },
        options={"transpose_a": transpose_a, "transpose_b": transpose_b},
        forward=Work(flops, size),
        backward=Work(2 * flops, size + FLOAT * count * (m * k + k * n)),
        contenders=matmul,
        small=small,
    )


def _conv2d(
    x: Shape,
    filters: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    small: bool = False,
) -> Case:
    images, channels, height, width = x
    weight = (filters, channels // groups, kernel, kernel)
    y = (
        images,
        filters,
        (height + 2 * padding - kernel) // stride + 1,
        (width + 2 * padding - kernel) // stride + 1,
    )
    flops = 2 * math.prod(y) * math.prod(weight[1:])
    size = FLOAT * (math.prod(x) + math.prod(weight) + filters + math.prod(y))
    steps = f"-s{stride}" * (stride > 1) + f"-p{padding}" * (padding > 0)
    families = ["convolutions"]
    if (kernel, stride) == (3, 1) and weight[1] >= 16:
        families.append("3x3, stride 1, 16 channels or more")
    return Case(
        op="conv2d",
        shape=f"{times(*x)}-{filters}-{kernel}x{kernel}{steps}" + f"-g{groups}" * (groups > 1),
        inputs=lambda rng: {
            "x": normal(rng, *x),
            "weight": normal(rng, *weight),
            "bias": normal(rng, filters),
            "dy": normal(rng, *y),
        },
        options={"stride": (stride, stride), "padding": (padding, padding), "groups": groups},
        forward=Work(flops, size),
        backward=Work(2 * flops, size + FLOAT * (math.prod(x) + math.prod(weight))),
        contenders=conv2d,
        small=small,
        families=tuple(families),
    )


def _pool2d(kind: str, x: Shape, small: bool = True) -> Case:
    """No two elements are equal: NumPy's gradient would go to all maxima of a window."""
    y = (*x[:2], 1, 1) if kind == "global" else (x[0], x[1], x[2] // 2, x[3] // 2)
    size = FLOAT * (math.prod(x) + math.prod(y))
    return Case(
        op="pool2d",
        variant=kind,
        shape=times(*x),
        inputs=lambda rng: {
            "x": rng.permutation(math.prod(x)).astype(np.float32).reshape(x) / math.prod(x),
            "dy": normal(rng, *y),
        },
        options={"kind": kind},
        forward=Work(math.prod(x) - (math.prod(y) if kind == "max" else 0), size),
        backward=Work(math.prod(y), size),
        contenders=pool2d,
        small=small,
    )


def _maxout(n: int, pieces: int, size: int) -> Case:
    """Which piece was the greatest is a byte."""
    x, y = n * pieces * size, n * size
    return Case(
        op="maxout",
        shape=times(n, pieces, size),
        inputs=lambda rng: {"x": normal(rng, n, pieces, size), "dy": normal(rng, n, size)},
        forward=Work(x - y, FLOAT * (x + y) + y),
        backward=Work(0, FLOAT * (x + y) + y),
        contenders=maxout,
        small=True,
    )


MATMUL = tuple(
    _matmul(m, n, k, transposes, small=m <= 64)
    for m, n, k in (
        (32, 32, 64),
        (64, 10, 256),
        (64, 256, 3136),
        (128, 1024, 784),
        (512, 512, 512),
        (1024, 1024, 1024),
        (2048, 384, 128),
    )
    for transposes in ("NN", "NT", "TN")
) + (
    _matmul(64, 64, 32, "NT", items=128, small=True),
    _matmul(64, 32, 64, "NN", items=128),
    _matmul(16, 16, 16, "NN", items=64, small=True),
)

CONV2D = (
    _conv2d((64, 1, 28, 28), 32, 3, padding=1, small=True),
    _conv2d((128, 3, 32, 32), 32, 3, padding=1),
    _conv2d((32, 16, 32, 32), 16, 3, padding=1),
    _conv2d((32, 32, 16, 16), 32, 3, padding=1),
    _conv2d((64, 32, 28, 28), 32, 3, padding=1),
    _conv2d((64, 32, 14, 14), 64, 3, padding=1),
    _conv2d((64, 64, 14, 14), 64, 3, padding=1, small=True),
    _conv2d((32, 64, 8, 8), 64, 3, padding=1, small=True),
    _conv2d((32, 64, 32, 32), 64, 3, padding=1),
    _conv2d((16, 128, 28, 28), 128, 3, padding=1),
    _conv2d((8, 256, 14, 14), 256, 3, padding=1),
    _conv2d((16, 64, 56, 56), 128, 3, stride=2, padding=1),
    _conv2d((64, 6, 14, 14), 16, 5, small=True),
    _conv2d((64, 16, 14, 14), 32, 5, padding=2),
    _conv2d((8, 3, 224, 224), 64, 7, stride=2, padding=3),
    _conv2d((32, 64, 56, 56), 64, 1),
    _conv2d((32, 64, 28, 28), 64, 3, padding=1, groups=64, small=True),
)

POOL2D = (
    *(_pool2d(kind, (64, 32, 28, 28)) for kind in ("max", "average")),
    *(_pool2d(kind, (32, 64, 32, 32), small=False) for kind in ("max", "average")),
    _pool2d("average", (128, 64, 8, 8)),
    _pool2d("global", (128, 64, 8, 8)),
    _pool2d("global", (32, 256, 7, 7)),
)

MAXOUT = (_maxout(256, 2, 1024), _maxout(64, 4, 32 * 14 * 14))
