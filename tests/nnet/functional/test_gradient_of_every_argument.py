"""Every tensor that a function takes gets its gradient, or is refused: never None in silence."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F

rng = np.random.default_rng(0)


def some(*shape):
    """Numbers from 0.1 to 0.9, which are probabilities, weights and variances too."""
    return nn.Tensor(rng.uniform(0.1, 0.9, shape).astype(np.float32))


LABELS = nn.tensor([0, 2, 1])
SERIES, PLANES = (2, 3, 8), (2, 3, 5, 5)
PAIR = {"input": some(3, 4), "target": some(3, 4)}
SCORES = {"input": some(3, 4), "target": LABELS, "weight": some(4)}
STATISTICS = {"running_mean": some(3), "running_var": some(3)}
AFFINE = {"weight": some(3), "bias": some(3)}
QUERIES = {"query": some(1, 2, 3, 4), "key": some(1, 2, 3, 4), "value": some(1, 2, 3, 4)}


def recurrent(gates, **more):
    rows = gates * 2
    return {
        "input": some(4, 3, 5),
        "h0": some(3, 2),
        "weight_ih": some(rows, 5),
        "weight_hh": some(rows, 2),
        "bias_ih": some(rows),
        "bias_hh": some(rows),
        **more,
    }


CALLS = {
    "linear": {"input": some(3, 4), "weight": some(2, 4), "bias": some(2)},
    "scaled_dot_product_attention": {**QUERIES, "attn_mask": some(3, 3)},
    "conv1d": {"input": some(*SERIES), "weight": some(4, 3, 3), "bias": some(4)},
    "conv2d": {"input": some(*PLANES), "weight": some(4, 3, 3, 3), "bias": some(4)},
    "conv_transpose1d": {"input": some(*SERIES), "weight": some(3, 4, 3), "bias": some(4)},
    "conv_transpose2d": {"input": some(*PLANES), "weight": some(3, 4, 3, 3), "bias": some(4)},
    "rnn": recurrent(1),
    "lstm": recurrent(4, c0=some(3, 2), peephole=some(3, 2)),
    "lstm projected": {
        **recurrent(4, c0=some(3, 2), weight_hr=some(1, 2)),
        "h0": some(3, 1),
        "weight_hh": some(8, 1),
    },
    "gru": recurrent(3),
    "gru reset before": recurrent(3, reset_after=False),
    "masked_softmax": {"input": some(2, 3, 4), "mask": nn.tensor([True, True, False, True])},
    "maxout": {"input": some(3, 4), "pieces": 2},
    "embedding by frequency": {
        "input": LABELS,
        "weight": some(3, 2),
        "scale_grad_by_freq": True,
    },
    "batch_norm": {"input": some(*PLANES), **STATISTICS, **AFFINE},
    "batch_norm training": {"input": some(*PLANES), **STATISTICS, **AFFINE, "training": True},
    "batch_norm residual": {"input": some(*PLANES), **STATISTICS, "residual": some(*PLANES)},
    "layer_norm": {"input": some(2, 3), "normalized_shape": 3, **AFFINE},
    "group_norm": {"input": some(*PLANES), "num_groups": 1, **AFFINE},
    "instance_norm": {"input": some(*PLANES), **STATISTICS, **AFFINE},
    "instance_norm use": {
        "input": some(*PLANES),
        **STATISTICS,
        **AFFINE,
        "use_input_stats": False,
    },
    "rms_norm": {"input": some(2, 3), "normalized_shape": 3, "weight": some(3)},
    "batch_renorm": {"input": some(*PLANES), **STATISTICS, **AFFINE},
    "batch_renorm training": {"input": some(*PLANES), **STATISTICS, **AFFINE, "training": True},
    "mean_only_batch_norm": {
        "input": some(*PLANES),
        "running_mean": some(3),
        "bias": some(3),
        "training": True,
    },
    "batch_instance_norm": {"input": some(*PLANES), **STATISTICS, **AFFINE, "gate": some(3)},
    "switchable_norm": {
        "input": some(*PLANES),
        **STATISTICS,
        **AFFINE,
        "mean_weight": some(3),
        "var_weight": some(3),
    },
    "drop_connect": {
        "function": F.linear,
        "input": some(3, 4),
        "weight": some(2, 4),
        "bias": some(2),
    },
    "prelu": {"input": some(2, 3) - 0.5, "weight": some(3)},
    "cross_entropy": SCORES,
    "cross_entropy probabilities": {**PAIR, "weight": some(4), "label_smoothing": 0.1},
    "nll_loss": SCORES,
    "multi_margin_loss": SCORES,
    "mse_loss": {**PAIR, "weight": some(3, 4)},
    "l1_loss": {**PAIR, "weight": some(3, 4)},
    "smooth_l1_loss": PAIR,
    "huber_loss": {**PAIR, "weight": some(3, 4)},
    "binary_cross_entropy": {**PAIR, "weight": some(4)},
    "binary_cross_entropy_with_logits": {**PAIR, "weight": some(4), "pos_weight": some(4)},
    "kl_div": PAIR,
    "additive_score": {"query": some(2, 4, 3), "key": some(2, 5, 3), "weight": some(3)},
    "dot_score": {"query": some(2, 4, 3), "key": some(2, 5, 3)},
    "embedding": {"input": LABELS, "weight": some(3, 2), "max_norm": 0.1},
}
REFUSED_WEIGHTS = {
    "cross_entropy",
    "nll_loss",
    "multi_margin_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
}


def refused(name, argument):
    if argument in ("weight", "pos_weight"):
        return name in REFUSED_WEIGHTS
    return argument in ("running_mean", "running_var")


ARGUMENTS = [
    (name, argument)
    for name, given in CALLS.items()
    for argument, value in given.items()
    if isinstance(value, nn.Tensor) and value.dtype == np.float32
]


def output(name, given):
    y = getattr(F, name.split()[0])(**given)
    return y[0] if isinstance(y, tuple) else y


@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_an_argument_gets_its_gradient_or_is_refused(name, argument):
    given = {
        each: value.clone() if isinstance(value, nn.Tensor) else value
        for each, value in CALLS[name].items()
    }
    given[argument].requires_grad_()
    before = {
        each: value.data.copy() for each, value in given.items() if isinstance(value, nn.Tensor)
    }
    if refused(name, argument):
        with pytest.raises(RuntimeError, match=f"expected {argument} that needs no gradient"):
            output(name, given)
        for each, value in before.items():
            np.testing.assert_array_equal(given[each].data, value)
        with nn.no_grad():
            output(name, given)
        return
    y = output(name, given)
    assert y.requires_grad
    y.backward(nn.Tensor(np.linspace(0.5, 1.5, y.numel(), dtype=np.float32).reshape(y.shape)))
    assert given[argument].grad is not None
    assert np.any(given[argument].grad.data)


SQUARE = some(2, 4)
OPTIONS = {
    "scale": lambda n: F.scaled_dot_product_attention(*QUERIES.values(), scale=n),
    "dropout_p": lambda n: F.scaled_dot_product_attention(*QUERIES.values(), dropout_p=n),
    "negative_slope": lambda n: F.leaky_relu(SQUARE, n),
    "alpha": lambda n: F.elu(SQUARE, n),
    "alpha of celu": lambda n: F.celu(SQUARE, n),
    "max_val": lambda n: F.hardtanh(SQUARE, 0.0, n),
    "beta": lambda n: F.softplus(SQUARE, n),
    "threshold": lambda n: F.softplus(SQUARE, 1.0, n),
    "value": lambda n: F.pad(SQUARE, (1, 1), value=n),
    "p": lambda n: F.dropout(SQUARE, n),
    "p of alpha_dropout": lambda n: F.alpha_dropout(SQUARE, n, True),
    "p of gaussian_dropout": lambda n: F.gaussian_dropout(SQUARE, n),
    "p of drop_connect": lambda n: F.drop_connect(F.linear, SQUARE, some(3, 4), p=n),
    "beta of smooth_l1_loss": lambda n: F.smooth_l1_loss(SQUARE, SQUARE, beta=n),
    "delta": lambda n: F.huber_loss(SQUARE, SQUARE, delta=n),
    "margin": lambda n: F.hinge_embedding_loss(SQUARE, SQUARE, margin=n),
    "margin of multi_margin_loss": lambda n: F.multi_margin_loss(SQUARE, LABELS[:2], margin=n),
    "label_smoothing": lambda n: F.cross_entropy(SQUARE, LABELS[:2], label_smoothing=n),
    "eps": lambda n: F.layer_norm(SQUARE, 4, eps=n),
    "eps of batch_norm": lambda n: F.batch_norm(SQUARE, None, None, training=True, eps=n),
    "alpha of local_response_norm": lambda n: F.local_response_norm(some(2, 3, 4), 2, n),
    "max_norm": lambda n: F.embedding(LABELS, some(3, 2), max_norm=n),
    "fill_value": lambda n: nn.full((2,), n),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_needs_a_gradient_is_refused(name):
    with pytest.raises(TypeError, match=f"expected {name.split()[0]} as a number, got a tensor"):
        OPTIONS[name](nn.tensor(0.5, requires_grad=True))
    if name not in ("p", "p of alpha_dropout", "p of drop_connect"):
        OPTIONS[name](nn.tensor(0.5))
    OPTIONS[name](np.float32(0.5))
