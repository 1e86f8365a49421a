"""Calls of every op that reach every function of every implementation; all outputs are wanted."""

import numpy as np

from kernels import (
    activation,
    add,
    additive_score,
    attention,
    batch_norm,
    bernoulli_mask,
    clip_norm,
    conv2d,
    conv_transpose2d,
    drop_connect,
    embedding,
    gather_normalize,
    gaussian_mask,
    group_norm,
    gru,
    hinge,
    local_response_norm,
    lstm,
    matmul,
    max_norm,
    maxout,
    optimizer_step,
    pointwise_loss,
    pool2d,
    prelu,
    rnn,
    softmax,
    softmax_cross_entropy,
)

RANDOM = {"seed": 3, "stream": 5}


class Arrays:
    """Normal numbers of a dtype, and integers."""

    def __init__(self, dtype):
        self.dtype, self.rng = dtype, np.random.default_rng(0)

    def __call__(self, *shape):
        return self.rng.standard_normal(shape).astype(self.dtype)

    def positive(self, *shape):
        return self.rng.uniform(0.1, 0.9, shape).astype(self.dtype)

    def below(self, most, *shape):
        return self.rng.integers(0, most, shape)


def forth_and_back(op, *given, **options):
    """forward, then backward for a gradient of the shape of each result."""
    results, saved = op.forward(*given, **options)
    results = results if isinstance(results, tuple) else (results,)
    return op.backward(*(np.cos(result) for result in results), saved)


def of_activation(a):
    for formula in (activation.ReLU(), activation.GELU(), activation.SiLU(), activation.ELU()):
        forth_and_back(activation, formula, a(5, 207))


def of_add(a):
    add.forward(a(3, 41), a(3, 41))


def of_additive_score(a):
    forth_and_back(additive_score, a(3, 5, 21), a(3, 7, 21), a(21))


def of_attention(a):
    for shape in ((2, 3, 37, 19), (1, 1, 150, 8)):
        forth_and_back(attention, a(*shape), a(*shape), a(*shape), causal=True)


def of_batch_norm(a):
    for shape in ((7, 5, 3, 11), (37, 33), (600, 70), (600, 2, 33)):
        channels = shape[1]
        given = a(*shape), a(channels), a(channels)
        extra = {"relu": True, "residual": a(*shape)}
        forth_and_back(batch_norm, *given, **extra)
        statistics = a(channels), a.positive(channels)
        batch_norm.inference_forward(given[0], *statistics, *given[1:], **extra)


def of_bernoulli_mask(a):
    forth_and_back(bernoulli_mask, a(5, 207), 0.3, **RANDOM)
    forth_and_back(bernoulli_mask, a(5, 3, 7), 0.3, plane=7, **RANDOM)


def of_clip_norm(a):
    clip_norm.clip([a(5, 7), a(20_001)], 0.5)


def of_conv2d(a):
    plain = (2, 6, 7, 9), (5, 6, 3, 3), {"padding": (1, 1)}
    grouped = (2, 6, 8, 9), (4, 3, 3, 2), {"stride": (2, 1), "dilation": (1, 2), "groups": 2}
    for algorithm in conv2d.ALGORITHMS[1:]:
        for x, weight, options in (plain, grouped):
            if algorithm == "winograd" and options is not plain[2]:
                continue
            given = a(*x), a(*weight), a(weight[0])
            forth_and_back(conv2d, *given, relu=True, algorithm=algorithm, **options)


def of_conv_transpose2d(a):
    options = {"stride": (3, 2), "padding": (1, 0), "output_padding": (2, 1), "groups": 2}
    forth_and_back(conv_transpose2d, a(2, 4, 5, 3), a(4, 3, 3, 2), a(6), **options)
    forth_and_back(conv_transpose2d, a(2, 20, 9, 8), a(20, 17, 3, 3), a(17), padding=(1, 1))


def of_drop_connect(a):
    forth_and_back(drop_connect, a(7, 130), a(35, 130), a(35), 0.4, share=3, **RANDOM)


def of_embedding(a):
    ids, weight = a.below(31, 97), a(31, 13)
    forth_and_back(embedding, ids, weight, padding_idx=2, scale_grad_by_freq=True)
    embedding.renormalize(ids, weight, 2.0)


def of_gather_normalize(a):
    images = a.below(256, 9, 3, 5, 7).astype(np.uint8)
    gather_normalize.forward(images, a.below(9, 4), [0.4, 0.5, 0.6], [0.2, 0.3, 0.25])


def of_gaussian_mask(a):
    forth_and_back(gaussian_mask, a(5, 207), 0.5, **RANDOM)


def of_group_norm(a):
    for shape, groups in (((5, 6, 3, 7), 3), ((37, 33), 1), ((600, 70), 1)):
        forth_and_back(group_norm, a(*shape), a(shape[1]), a(shape[1]), groups=groups)
    x, dy, (head, scale, offset, level) = a(3, 5, 41), a(3, 5, 41), np.cos(np.ones((4, 3, 5)))
    group_norm.plane_moments(x)
    group_norm.lines(x, head, scale, offset)
    group_norm.plane_sums(dy, x, head)
    group_norm.gradient_lines(dy, x, head, scale, offset, level)


def of_hinge(a):
    loss, saved = hinge.forward(a(37, 11), a.below(11, 37), a.positive(11))
    hinge.backward(np.cos(loss), saved)


def of_local_response_norm(a):
    forth_and_back(local_response_norm, a(3, 7, 5, 11), 5, alpha=0.3)


def of_matmul(a):
    for m, depth, n in ((4096, 33, 64), (4096, 513, 64), (97, 129, 300), (257, 300, 310)):
        forth_and_back(matmul, a(m, depth), a(depth, n), a(n), relu=True)
    forth_and_back(matmul, a(3, 5, 7), a(3, 7, 9), a(9))
    matmul.accumulate(a(97, 33), a(33, 50), a(97, 50))


def of_max_norm(a):
    max_norm.project(a(37, 21), 2.0)


def of_maxout(a):
    forth_and_back(maxout, a(7, 3, 41))


def of_optimizer_step(a):
    param, momentum = a(207), a(207)
    optimizer_step.sgd(param, a(207), None, lr=0.1, weight_decay=0.01)
    optimizer_step.sgd(param, a(207), momentum, lr=0.1, momentum=0.9, nesterov=True)
    optimizer_step.adam(param, a(207), momentum, a.positive(207), lr=0.1, step=3)


def of_pointwise_loss(a):
    for kind in pointwise_loss.KINDS:
        x, target = a.positive(20_001), a.positive(20_001)
        loss, saved = pointwise_loss.forward(kind, x, target, a.positive(20_001))
        pointwise_loss.backward(np.cos(loss), saved)


def of_pool2d(a):
    x = a(2, 3, 13, 17)
    for window in (((3, 2), (2, 1), (1, 1)), ((2, 2), (2, 2), (0, 0))):
        for forward, backward in (
            (pool2d.max_forward, pool2d.max_backward),
            (pool2d.average_forward, pool2d.average_backward),
        ):
            y, saved = forward(x, *window)
            backward(np.cos(y), saved)
    for forward, backward in (
        (pool2d.adaptive_max_forward, pool2d.adaptive_max_backward),
        (pool2d.adaptive_average_forward, pool2d.adaptive_average_backward),
    ):
        y, saved = forward(x, (5, 4))
        backward(np.cos(y), saved)


def of_prelu(a):
    forth_and_back(prelu, a(5, 7, 33), a(7))
    forth_and_back(prelu, a(300, 7), a(7))


def of_softmax(a):
    for axis in (0, 1):
        for log in (False, True):
            forth_and_back(softmax, a(33, 141), axis, log=log)


def of_softmax_cross_entropy(a):
    options = {"label_smoothing": 0.1, "reduction": "none"}
    for classes in (11, 207):
        given = a(37, classes), a.below(classes, 37), a.positive(classes)
        forth_and_back(softmax_cross_entropy, *given, **options)
    softmax_cross_entropy.forward_soft(a(37, 11), a.positive(37, 11), a.positive(11), **options)


def recurrent(op, gates, states, a, **options):
    """In few samples and in many, over one block of steps and over groups of them."""
    for steps, samples, inputs, hidden in ((5, 3, 7, 21), (3, 70, 9, 32), (35, 513, 2, 3)):
        lengths = np.full(samples, steps)
        weights = 0.3 * a(gates * hidden, inputs), 0.3 * a(gates * hidden, hidden)
        given = a(steps, samples, inputs), *(a(samples, hidden) for _ in range(states))
        biases = a(gates * hidden), a(gates * hidden)
        outputs, saved = op.forward(*given, *weights, *biases, lengths=lengths, **options)
        op.backward(*(0.01 * np.cos(output) for output in outputs), saved)


def of_rnn(a):
    recurrent(rnn, 1, 1, a)


def of_gru(a):
    for reset_after in (True, False):
        recurrent(gru, 3, 1, a, reset_after=reset_after, reverse=not reset_after)


def of_lstm(a):
    recurrent(lstm, 4, 2, a)
    x, h0, c0, hr = a(4, 6, 5), a(6, 3), a(6, 19), a(3, 19)
    weights = 0.3 * a(76, 5), 0.3 * a(76, 3), a(76), a(76)
    outputs, saved = lstm.forward(
        x, h0, c0, *weights, weight_hr=hr, peephole=a(3, 19), lengths=np.full(6, 4), reverse=True
    )
    lstm.backward(*map(np.cos, outputs), saved)


CALLS = {name.removeprefix("of_"): call for name, call in globals().items() if name[:3] == "of_"}
