"""The cases of every op: shapes, inputs, and what the work amounts to.

Shapes are those of a network on MNIST, and larger ones where the machine's limits show.
"""

import math
from types import ModuleType

import numpy as np

from bench.case import Case, Work
from bench.contenders import (
    activation,
    additive_score,
    attention,
    batch_norm,
    bernoulli_mask,
    conv2d,
    drop_connect,
    embedding,
    gather_normalize,
    group_norm,
    gru,
    local_response_norm,
    lstm,
    matmul,
    maxout,
    multi_head,
    optimizer_step,
    pointwise_loss,
    pool2d,
    prelu,
    rnn,
    softmax,
    softmax_cross_entropy,
)

Shape = tuple[int, ...]

FLOAT = 4  # bytes


def _normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape, np.float32)


def _times(*shape: int) -> str:
    return "x".join(map(str, shape))


def _matmul(m: int, n: int, k: int, transposes: str, items: int = 0, small: bool = False) -> Case:
    """(M, K) by (K, N), each normal or transposed; stacks of `items` unless that is 0."""
    transpose_a, transpose_b = (letter == "T" for letter in transposes)
    stack, count = (items,) * (items > 0), max(items, 1)
    flops, size = 2 * count * m * n * k, FLOAT * count * (m * k + k * n + m * n)
    return Case(
        op="matmul",
        variant=transposes,
        shape=_times(*stack, m, n, k),
        inputs=lambda rng: {
            "a": _normal(rng, *stack, *((k, m) if transpose_a else (m, k))),
            "b": _normal(rng, *stack, *((n, k) if transpose_b else (k, n))),
            "dy": _normal(rng, *stack, m, n),
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
        shape=f"{_times(*x)}-{filters}-{kernel}x{kernel}{steps}" + f"-g{groups}" * (groups > 1),
        inputs=lambda rng: {
            "x": _normal(rng, *x),
            "weight": _normal(rng, *weight),
            "bias": _normal(rng, filters),
            "dy": _normal(rng, *y),
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
        shape=_times(*x),
        inputs=lambda rng: {
            "x": rng.permutation(math.prod(x)).astype(np.float32).reshape(x) / math.prod(x),
            "dy": _normal(rng, *y),
        },
        options={"kind": kind},
        forward=Work(math.prod(x) - (math.prod(y) if kind == "max" else 0), size),
        backward=Work(math.prod(y), size),
        contenders=pool2d,
        small=small,
    )


def _batch_norm(x: Shape, extra: str = "", small: bool = False) -> Case:
    """Forward: 1 flop for the mean, 3 for the variance, 2 to apply; backward: 4 and 4.

    extra  what follows: "relu", or "residual-relu" for an addition before that
    """
    size, channels = math.prod(x), x[1]
    relu, residual = extra.endswith("relu"), extra.startswith("residual")
    return Case(
        op="batch_norm",
        variant=extra,
        shape=_times(*x),
        inputs=lambda rng: {
            "x": _normal(rng, *x),
            "gamma": _normal(rng, channels),
            "beta": _normal(rng, channels),
            "dy": _normal(rng, *x),
            **({"residual": _normal(rng, *x)} if residual else {}),
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
        shape=_times(*x),
        inputs=lambda rng: {
            "x": _normal(rng, *x),
            "gamma": _normal(rng, channels),
            "beta": _normal(rng, channels),
            "dy": _normal(rng, *x),
        },
        options={"groups": groups},
        forward=Work(6 * size, FLOAT * (2 * size + 2 * channels)),
        backward=Work(10 * size, FLOAT * (3 * size + 3 * channels)),
        contenders=group_norm,
        small=small,
    )


def _recurrent(
    op: str,
    gates: int,
    shape: tuple[int, int, int, int],
    contenders: ModuleType,
    states: tuple[str, ...] = ("h0",),
    small: bool = False,
) -> Case:
    """A layer of (T, N, I, H): the flops of the products with x and with h, which are nearly all.

    states  names of the first states, each (N, H)
    """
    steps, samples, inputs, hidden = shape
    rows = gates * hidden
    flops = 2 * steps * samples * rows * (inputs + hidden)
    parameters = rows * (inputs + hidden + 2)
    x, y = steps * samples * inputs, (steps + len(states)) * samples * hidden
    return Case(
        op=op,
        shape=_times(*shape),
        inputs=lambda rng: {
            "x": _normal(rng, steps, samples, inputs),
            **{name: _normal(rng, samples, hidden) for name in states},
            "weight_ih": _normal(rng, rows, inputs) / hidden**0.5,
            "weight_hh": _normal(rng, rows, hidden) / hidden**0.5,
            "bias_ih": _normal(rng, rows) / hidden**0.5,
            "bias_hh": _normal(rng, rows) / hidden**0.5,
            "dy": _normal(rng, steps, samples, hidden),
        },
        forward=Work(flops, FLOAT * (x + parameters + y)),
        backward=Work(2 * flops, FLOAT * (2 * x + 2 * parameters + 2 * y)),
        contenders=contenders,
        small=small,
    )


def _local_response_norm(x: Shape, small: bool = False) -> Case:
    """A window of 5: 5 squares and sums, 2 for the scale, 4 for the power; backward 5 and 16."""
    size = math.prod(x)
    return Case(
        op="local_response_norm",
        shape=_times(*x),
        inputs=lambda rng: {"x": _normal(rng, *x), "dy": _normal(rng, *x)},
        forward=Work(16 * size, FLOAT * 2 * size),
        backward=Work(32 * size, FLOAT * 3 * size),
        contenders=local_response_norm,
        small=small,
    )


def _bernoulli_mask(x: Shape, small: bool = False) -> Case:
    """Drawing the mask is not counted. No element of x is 0, so that zeros show the mask."""
    size = math.prod(x)
    return Case(
        op="bernoulli_mask",
        shape=_times(*x),
        inputs=lambda rng: {"x": 1 + rng.random(x, np.float32), "dy": _normal(rng, *x)},
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
        shape=_times(n, units, inputs),
        inputs=lambda rng: {
            "x": _normal(rng, n, inputs),
            "weight": _normal(rng, units, inputs),
            "dy": _normal(rng, n, units),
        },
        forward=Work(flops, size),
        backward=Work(2 * flops, size + FLOAT * (n * inputs + units * inputs)),
        contenders=drop_connect,
        small=small,
    )


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
        shape=_times(*x),
        inputs=lambda rng: {"x": _normal(rng, *x), "dy": _normal(rng, *x)},
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
        shape=_times(rows, length),
        inputs=lambda rng: {"x": _normal(rng, rows, length), "dy": _normal(rng, rows, length)},
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
        shape=_times(*x),
        inputs=lambda rng: {
            "x": _normal(rng, *x),
            "weight": _normal(rng, channels),
            "dy": _normal(rng, *x),
        },
        forward=Work(2 * size, FLOAT * (2 * size + channels)),
        backward=Work(4 * size, FLOAT * (3 * size + 2 * channels)),
        contenders=prelu,
        small=True,
    )


def _additive_score(n: int, queries: int, keys: int, size: int, small: bool = False) -> Case:
    """Sum, tanh, product, sum of all pairs; backward takes the tanh and does 8 more."""
    pairs, rows = n * queries * keys, n * (queries + keys)
    moved = FLOAT * (rows * size + size + pairs)
    return Case(
        op="additive_score",
        shape=_times(n, queries, keys, size),
        inputs=lambda rng: {
            "query": _normal(rng, n, queries, size),
            "key": _normal(rng, n, keys, size),
            "weight": _normal(rng, size),
            "dscore": _normal(rng, n, queries, keys),
        },
        forward=Work(4 * pairs * size, moved),
        backward=Work(8 * pairs * size, moved + FLOAT * (rows * size + size)),
        contenders=additive_score,
        small=small,
    )


def _maxout(n: int, pieces: int, size: int) -> Case:
    """Which piece was the greatest is a byte."""
    x, y = n * pieces * size, n * size
    return Case(
        op="maxout",
        shape=_times(n, pieces, size),
        inputs=lambda rng: {"x": _normal(rng, n, pieces, size), "dy": _normal(rng, n, size)},
        forward=Work(x - y, FLOAT * (x + y) + y),
        backward=Work(0, FLOAT * (x + y) + y),
        contenders=maxout,
        small=True,
    )


def _pointwise_loss(kind: str, x: Shape, small: bool = False) -> Case:
    """The gradient is written by the forward pass or by the backward pass, once."""
    size = math.prod(x)
    forward, backward = {"squared": (3, 1), "absolute": (3, 1), "logistic": (7, 4)}[kind]
    return Case(
        op="pointwise_loss",
        variant=kind,
        shape=_times(*x),
        inputs=lambda rng: {"x": _normal(rng, *x), "target": rng.random(x, np.float32)},
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
        shape=_times(n, classes),
        inputs=lambda rng: {
            "logits": _normal(rng, n, classes),
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
            "param": _normal(rng, size),
            "grad": _normal(rng, size),
            "exp_avg": _normal(rng, size),
            "exp_avg_sq": np.square(_normal(rng, size)),
        },
        options={"kind": kind},
        forward=Work(flops * size, floats * FLOAT * size),
        backward=None,
        contenders=optimizer_step,
        small=small,
    )


def _embedding(vocabulary: int, size: int, ids: Shape, small: bool = False) -> Case:
    """Rows are read and written; their gradients are added to a table of zeros."""
    count = math.prod(ids)
    return Case(
        op="embedding",
        shape=f"{_times(*ids)}-of-{_times(vocabulary, size)}",
        inputs=lambda rng: {
            "ids": rng.integers(0, vocabulary, ids),
            "weight": _normal(rng, vocabulary, size),
            "dy": _normal(rng, *ids, size),
        },
        forward=Work(0, 2 * FLOAT * count * size + 8 * count),
        backward=Work(count * size, FLOAT * size * (count + vocabulary) + 8 * count),
        contenders=embedding,
        small=small,
    )


def _gather_normalize(images: Shape, batch: int, small: bool = False) -> Case:
    size = batch * math.prod(images[1:])
    return Case(
        op="gather_normalize",
        shape=f"{batch}-of-{_times(*images)}",
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


def _attention(
    samples: int, heads: int, length: int, depth: int, causal: bool = False, small: bool = False
) -> Case:
    """Backward cannot do without four products; it makes five, since no weights are stored."""
    shape = samples, heads, length, depth
    pairs = samples * heads * length * (length + 1 if causal else 2 * length) // 2
    size = FLOAT * math.prod(shape)
    return Case(
        op="attention",
        variant="causal" if causal else "",
        shape=_times(*shape),
        inputs=lambda rng: {name: _normal(rng, *shape) for name in ("query", "key", "value", "dy")},
        options={"causal": causal},
        forward=Work(pairs * (4 * depth + 3), 4 * size),
        backward=Work(pairs * (8 * depth + 4), 8 * size),
        contenders=attention,
        small=small,
    )


def _multi_head(samples: int, length: int, width: int, heads: int, small: bool = False) -> Case:
    """Self-attention with its four projections, as a layer with its tape."""
    rows, weights = samples * length, 4 * width * width
    inner = _attention(samples, heads, length, width // heads)
    size = FLOAT * (2 * rows * width + weights + 4 * width)
    root = np.float32(math.sqrt(width))
    return Case(
        op="attention",
        variant=f"multi-head-{heads}",
        shape=_times(samples, length, width),
        inputs=lambda rng: {
            "x": _normal(rng, length, samples, width),
            "in_weight": _normal(rng, 3 * width, width) / root,
            "in_bias": _normal(rng, 3 * width),
            "out_weight": _normal(rng, width, width) / root,
            "out_bias": _normal(rng, width),
            "dy": _normal(rng, length, samples, width),
        },
        options={"heads": heads},
        forward=inner.forward + Work(2 * rows * weights, size),
        backward=inner.backward + Work(4 * rows * weights, size),
        contenders=multi_head,
        small=small,
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
SEQUENCES = (
    (28, 64, 28, 128),
    (100, 32, 64, 128),
    (784, 64, 1, 128),
    (100, 32, 256, 256),
    (50, 128, 512, 512),
    (100, 1, 128, 128),
)

RNN = tuple(_recurrent("rnn", 1, each, rnn, small=each[0] == 28) for each in SEQUENCES)

LSTM = tuple(
    _recurrent("lstm", 4, each, lstm, states=("h0", "c0"), small=each[0] == 28)
    for each in SEQUENCES
)

GRU = tuple(_recurrent("gru", 3, each, gru, small=each[0] == 28) for each in SEQUENCES)

ATTENTION = (
    _attention(32, 4, 64, 32, small=True),
    _attention(32, 4, 256, 32),
    _attention(32, 4, 64, 32, causal=True, small=True),
    _attention(32, 4, 256, 32, causal=True),
    _multi_head(32, 64, 128, 4, small=True),
)

LOCAL_RESPONSE_NORM = (
    _local_response_norm((8, 64, 27, 27), small=True),
    _local_response_norm((32, 96, 55, 55)),
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

ADDITIVE_SCORE = (
    _additive_score(32, 20, 20, 128, small=True),
    _additive_score(32, 1, 50, 256, small=True),
    _additive_score(32, 50, 50, 256),
)

MAXOUT = (_maxout(256, 2, 1024), _maxout(64, 4, 32 * 14 * 14))

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

EMBEDDING = (
    _embedding(64, 64, (32, 100), small=True),
    _embedding(50_000, 128, (32, 100)),
)

CASES: dict[str, tuple[Case, ...]] = {
    "matmul": MATMUL,
    "conv2d": CONV2D,
    "pointwise_loss": POINTWISE_LOSS,
    "pool2d": POOL2D,
    "batch_norm": BATCH_NORM,
    "group_norm": GROUP_NORM,
    "rnn": RNN,
    "lstm": LSTM,
    "gru": GRU,
    "attention": ATTENTION,
    "local_response_norm": LOCAL_RESPONSE_NORM,
    "bernoulli_mask": BERNOULLI_MASK,
    "drop_connect": DROP_CONNECT,
    "activation": ACTIVATION,
    "softmax": SOFTMAX,
    "prelu": PRELU,
    "additive_score": ADDITIVE_SCORE,
    "maxout": MAXOUT,
    "softmax_cross_entropy": SOFTMAX_CROSS_ENTROPY,
    "optimizer_step": OPTIMIZER_STEP,
    "gather_normalize": GATHER_NORMALIZE,
    "embedding": EMBEDDING,
}
