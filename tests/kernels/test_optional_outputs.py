"""What an op gives has the same bits whatever else is asked of it.

A compiler contracts products and sums as it sees fit, in each branch anew, and an output that is
left out makes a branch.
"""

import itertools

import numpy as np
import pytest

from kernels import (
    attention,
    batch_norm,
    conv2d,
    conv_transpose2d,
    drop_connect,
    group_norm,
    gru,
    hinge,
    lstm,
    matmul,
    pointwise_loss,
    rnn,
    softmax_cross_entropy,
)
from tests.helpers import assert_same_bits

DTYPES = [np.float32, np.float64]


def normal(seed, dtype, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def assert_alike(forward):
    """Losses, whether or not there is a gradient; gradients, whether or not losses are summed."""
    for options in ({}, {"divisor": 7.0}):
        loss, _ = forward(gradient=True, **options)
        assert_same_bits(forward(gradient=False, **options)[0], loss)
    gradients = [forward(gradient=True, divisor=divisor)[1].gradient for divisor in (None, 1.0)]
    assert_same_bits(*gradients)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [61, 1031, 70_001])
@pytest.mark.parametrize("kind", pointwise_loss.KINDS)
def test_pointwise_losses_with_and_without_a_gradient(kind, size, weighted, dtype):
    x, target, weight, pull = normal(1, dtype, *[size] * 4)
    if kind == "binary":
        x, target = [(1 / (1 + np.exp(-array))).astype(dtype) for array in (x, target)]
    if kind == "divergence":
        target = np.abs(target)
    if kind == "hinge":
        target = np.sign(target)
    weights = (np.abs(weight), np.abs(pull)) if weighted else (None, None)
    assert_alike(
        lambda **options: pointwise_loss.forward(
            kind, x, target, *weights, parameter=0.7, **options
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("shape", [(3, 5), (2, 1031), (500, 40), (40, 1000)], ids=str)
def test_hinge_losses_with_and_without_a_gradient(shape, power, dtype):
    x, weight = normal(2, dtype, shape, shape[1])
    labels = np.random.default_rng(2).integers(0, shape[1], shape[0])
    assert_alike(
        lambda **options: hinge.forward(
            x, labels, np.abs(weight), power=power, margin=0.7, **options
        )
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(
    "shape", [(3, 5), (301, 10), (90, 129), (20, 1031), (3, 7, 50), (5, 21, 32, 32)], ids=str
)
def test_cross_entropy_with_and_without_a_gradient(shape, smoothing, dtype):
    logits, weight = normal(3, dtype, shape, shape[1])
    weight = np.abs(weight)
    labels = np.random.default_rng(3).integers(0, shape[1], (shape[0], *shape[2:]))
    options = {"weight": weight, "label_smoothing": smoothing, "reduction": "none"}
    wanted, _ = softmax_cross_entropy.forward(logits, labels, **options)
    loss, _ = softmax_cross_entropy.forward(logits, labels, gradient=False, **options)
    assert_same_bits(loss, wanted)
    if logits.ndim == 2:
        target = np.abs(normal(4, dtype, shape)[0])
        wanted, _ = softmax_cross_entropy.forward_soft(logits, target, **options)
        loss, _ = softmax_cross_entropy.forward_soft(logits, target, gradient=False, **options)
        assert_same_bits(loss, wanted)


def recurrent(op, shape, hidden, dtype, **options):
    """forward(save) of an op, and what backward takes before `saved`."""
    steps, samples, inputs = shape
    gates = {rnn: 1, gru: 3, lstm: 4}[op]
    states = 2 if op is lstm else 1
    x, *rest = normal(
        5, dtype, shape, *[(samples, hidden)] * states,
        (gates * hidden, inputs), (gates * hidden, hidden), gates * hidden, gates * hidden,
    )  # fmt: skip
    rest[states:] = [0.3 * array for array in rest[states:]]
    slopes = normal(6, dtype, (steps, samples, hidden), *[(samples, hidden)] * states)
    lengths = np.random.default_rng(7).integers(1, steps + 1, samples)

    def forward(save):
        return op.forward(x, *rest, lengths=lengths, save=save, **options)

    return forward, slopes, {rnn: 6, gru: 6, lstm: 9}[op]


CELLS = {
    "relu": (rnn, {"nonlinearity": "relu"}),
    "tanh": (rnn, {}),
    "gru": (gru, {}),
    "gru with the reset before": (gru, {"reset_after": False}),
    "lstm": (lstm, {}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape, hidden", [((3, 2, 5), 7), ((4, 33, 16), 32), ((7, 1, 8), 16)])
@pytest.mark.parametrize("name", CELLS)
def test_recurrent_outputs_with_and_without_what_backward_needs(name, shape, hidden, dtype):
    op, options = CELLS[name]
    forward, slopes, count = recurrent(op, shape, hidden, dtype, **options)
    outputs, _ = forward(True)
    assert_same_bits(forward(False)[0], outputs)
    assert_gradients_alike(lambda needs: op.backward(*slopes, forward(True)[1], needs), count)


def assert_gradients_alike(backward, count):
    """Each gradient, asked for alone, with all others, and with one of them left out."""
    everything = [None if g is None else g.copy() for g in backward((True,) * count)]
    for wanted in itertools.product((False, True), repeat=count):
        if sum(wanted) not in (1, count - 1):
            continue
        for one, gradient, needed in zip(backward(wanted), everything, wanted, strict=True):
            assert_same_bits(one, gradient if needed else None)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("length, width", [(5, 8), (37, 19), (130, 32)])
def test_attention_with_and_without_what_backward_needs(length, width, causal, dtype):
    arrays = normal(8, dtype, *[(2, 3, length, width)] * 3)
    wanted, _ = attention.forward(*arrays, causal=causal)
    assert_same_bits(attention.forward(*arrays, causal=causal, save=False)[0], wanted)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("shape", [(50, 33), (4, 5, 7, 9), (3, 6, 64, 64)], ids=str)
def test_batch_norm_gradients_alone_and_together(shape, relu, add, dtype):
    channels = shape[1]
    x, residual, dy, gamma, beta = normal(9, dtype, shape, shape, shape, channels, channels)
    for forward, moments in (
        (batch_norm.forward, ()),
        (batch_norm.inference_forward, (gamma, np.abs(beta) + 1)),
    ):
        _, saved = forward(x, *moments, gamma, beta, relu=relu, residual=residual if add else None)
        assert_gradients_alike(lambda needs, s=saved: batch_norm.backward(dy, s, needs), 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("shape", [(50, 33), (4, 6, 7, 9), (3, 6, 64, 64)], ids=str)
def test_group_norm_gradients_alone_and_together(shape, groups, dtype):
    channels = shape[1]
    x, dy, gamma, beta = normal(10, dtype, shape, shape, channels, channels)
    _, saved = group_norm.forward(x, gamma, beta, groups=groups)
    assert_gradients_alike(lambda needs: group_norm.backward(dy, saved, needs), 3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shapes",
    [((7, 5), (5, 3)), ((100, 64), (64, 96)), ((512, 33), (33, 500)), ((3, 40, 50), (50, 60))],
    ids=str,
)
def test_matmul_gradients_alone_and_together(shapes, dtype):
    a, b, bias = normal(11, dtype, *shapes, shapes[1][-1])
    y, saved = matmul.forward(a, b, bias)
    (dy,) = normal(12, dtype, y.shape)
    assert_gradients_alike(lambda needs: matmul.backward(dy, saved, needs), 3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape, filters, options",
    [
        ((2, 16, 12, 12), (16, 16, 3, 3), {"padding": (1, 1)}),
        ((2, 3, 9, 11), (5, 3, 3, 3), {"stride": (2, 2)}),
        ((2, 8, 7, 7), (8, 1, 3, 3), {"groups": 8}),
        ((2, 8, 9, 9), (12, 8, 1, 1), {}),
    ],
    ids=str,
)
def test_convolution_gradients_alone_and_together(shape, filters, options, dtype):
    x, weight, bias = normal(13, dtype, shape, filters, filters[0])
    y, saved = conv2d.forward(x, weight, bias, relu=True, **options)
    (dy,) = normal(14, dtype, y.shape)
    assert_gradients_alike(lambda needs: conv2d.backward(dy, saved, needs), 3)


@pytest.mark.parametrize("dtype", DTYPES)
def test_transposed_convolution_gradients_alone_and_together(dtype):
    x, weight, bias = normal(15, dtype, (2, 6, 9, 9), (6, 5, 3, 3), 5)
    y, saved = conv_transpose2d.forward(x, weight, bias, stride=(2, 2))
    (dy,) = normal(16, dtype, y.shape)
    assert_gradients_alike(lambda needs: conv_transpose2d.backward(dy, saved, needs), 3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("share", [1, 4])
def test_drop_connect_gradients_alone_and_together(share, dtype):
    x, weight, bias, dy = normal(17, dtype, (20, 50), (30, 50), 30, (20, 30))
    _, saved = drop_connect.forward(x, weight, bias, 0.3, seed=1, stream=2, share=share)
    assert_gradients_alike(lambda needs: drop_connect.backward(dy, saved, needs), 3)
