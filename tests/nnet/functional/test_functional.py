"""Operations on tensors: gradients through them, and what they say of bad input."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(1)


def normal(*shape):
    return rng.normal(size=shape)


def floats(*shape, dtype=np.float32):
    return nn.Tensor(rng.normal(size=shape).astype(dtype))


@pytest.mark.parametrize("shape", [(5, 3), (3,), (2, 5, 3), (2, 1, 2, 3)])
@pytest.mark.parametrize("relu", [False, True])
def test_gradients_of_linear(shape, relu):
    arguments = normal(*shape), normal(4, 3), normal(4)
    check_gradients(lambda x, w, b: F.linear(x, w, b, relu=relu), *arguments, tolerance=1e-6)
    check_gradients(lambda x, w: F.linear(x, w, relu=relu), *arguments[:2], tolerance=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"relu": True},
        {"stride": 2, "padding": 1},
        {"stride": (1, 2), "padding": (2, 0), "dilation": (2, 1)},
        {"padding": "same"},
        {"padding": "same", "dilation": (1, 2)},
        {"padding": "valid"},
    ],
    ids=str,
)
def test_h_gradients_of_conv2d(options):
    weight = normal(4, 3, 3, 2)
    check_gradients(
        lambda x, w, b: F.conv2d(x, w, b, **options),
        normal(2, 3, 6, 5),
        weight,
        normal(4),
        tolerance=1e-6,
    )


def test_h_conv2d_of_one_image_and_of_groups():
    x, w = normal(4, 5, 5), normal(6, 2, 3, 3)
    check_gradients(lambda x, w: F.conv2d(x, w, groups=2), x, w, tolerance=1e-6)
    batch = F.conv2d(nn.Tensor(x[None]), nn.Tensor(w), groups=2)
    assert_close(F.conv2d(nn.Tensor(x), nn.Tensor(w), groups=2), batch.data[0], 1e-12)


def test_h_padding_same_keeps_the_size():
    for kernel in [(1, 1), (2, 3), (3, 3), (4, 5)]:
        for dilation in (1, 2):
            y = F.conv2d(
                floats(1, 1, 9, 8), floats(2, 1, *kernel), padding="same", dilation=dilation
            )
            assert y.shape == (1, 2, 9, 8)


@pytest.mark.parametrize("shape", [(6, 3), (3, 3, 4), (3, 2, 2, 3)])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_a2_gradients_of_batch_norm(shape, relu, training):
    channels = shape[1]
    mean, var = nn.Tensor(normal(channels)), nn.Tensor(rng.uniform(0.5, 2, channels))

    def run(x, w, b):
        statistics = (None, None) if training else (mean, var)
        return F.batch_norm(x, *statistics, w, b, training=training, relu=relu)

    check_gradients(run, normal(*shape), normal(channels), normal(channels), tolerance=1e-6)
    check_gradients(
        lambda x: F.batch_norm(x, None, None, training=True), normal(*shape), tolerance=1e-6
    )


def test_a3_running_statistics_move_by_momentum_with_unbiased_variance():
    x = normal(8, 3, 2, 2)
    mean, var = nn.zeros(3, dtype=np.float64), nn.ones(3, dtype=np.float64)
    arrays = mean.data, var.data
    F.batch_norm(nn.Tensor(x), mean, var, training=True, momentum=0.25)
    assert (mean.data, var.data) == arrays or (mean.data is arrays[0] and var.data is arrays[1])
    flat = x.transpose(1, 0, 2, 3).reshape(3, -1)
    assert_close(mean, 0.25 * flat.mean(1), 1e-12)
    assert_close(var, 0.75 + 0.25 * flat.var(1, ddof=1), 1e-12)


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1), (1, 3, 1, 1)])
def test_a3_one_value_a_channel_in_training_is_an_error(shape):
    mean = nn.zeros(3)
    with pytest.raises(ValueError, match=r"expected more than one value per channel in training"):
        F.batch_norm(floats(*shape), mean, nn.ones(3), training=True)
    assert mean.tolist() == [0, 0, 0]


POOLS = {
    "max": lambda x: F.max_pool2d(x, 2),
    "max padded": lambda x: F.max_pool2d(x, 3, stride=2, padding=1),
    "max dilated": lambda x: F.max_pool2d(x, 2, stride=1, dilation=2),
    "max ceil": lambda x: F.max_pool2d(x, (2, 3), ceil_mode=True),
    "average": lambda x: F.avg_pool2d(x, 2),
    "average padded": lambda x: F.avg_pool2d(x, 3, stride=2, padding=1),
    "average inside": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "average ceil": lambda x: F.avg_pool2d(x, 2, ceil_mode=True),
    "global": lambda x: F.adaptive_avg_pool2d(x, 1),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, (2, None)),
}


@pytest.mark.parametrize("name", POOLS)
def test_h_gradients_of_pooling(name):
    x = rng.permutation(2 * 2 * 5 * 7).reshape(2, 2, 5, 7) * 0.1
    check_gradients(POOLS[name], x, tolerance=1e-6)
    single = POOLS[name](nn.Tensor(x[0]))
    assert_close(single, POOLS[name](nn.Tensor(x)).data[0], 1e-12)


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_gradients_of_softmax(function, dim):
    check_gradients(lambda x: function(x, dim), normal(3, 4, 2), tolerance=1e-6)


def test_softmax_is_stable():
    x = nn.tensor([[1000.0, 0.0, -1000.0], [-np.inf, 0.0, 0.0]])
    assert_close(F.softmax(x, 1), [[1, 0, 0], [0, 0.5, 0.5]], 1e-7)
    assert F.log_softmax(x, 1).tolist()[0] == [0, -1000, -2000]


LABELS = {(5, 4): (5,), (4,): (), (3, 4, 2): (3, 2), (2, 4, 3, 2): (2, 3, 2)}


@pytest.mark.parametrize("shape", LABELS, ids=str)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("loss", ["cross_entropy", "nll_loss"])
def test_gradients_of_classification_losses(loss, shape, reduction):
    # A single label must not be the one that is ignored: the mean over nothing is NaN.
    labels = nn.Tensor(rng.integers(0, 4, LABELS[shape]) if LABELS[shape] else np.array(2))
    weight = nn.Tensor(rng.uniform(0.5, 2, 4))
    for options in ({}, {"weight": weight}, {"ignore_index": 1}):
        check_gradients(
            lambda x, options=options: getattr(F, loss)(x, labels, reduction=reduction, **options),
            normal(*shape),
            tolerance=1e-6,
        )


def test_gradients_of_cross_entropy_with_smoothing_and_probabilities():
    labels = nn.Tensor(rng.integers(0, 4, 5))
    check_gradients(
        lambda x: F.cross_entropy(x, labels, label_smoothing=0.1), normal(5, 4), tolerance=1e-6
    )
    soft = nn.Tensor(rng.dirichlet(np.ones(4), 5))
    weight = nn.Tensor(rng.uniform(0.5, 2, 4))
    for options in ({}, {"weight": weight, "label_smoothing": 0.2}, {"reduction": "none"}):
        check_gradients(
            lambda x, options=options: F.cross_entropy(x, soft, **options),
            normal(5, 4),
            tolerance=1e-6,
        )
    certain = F.one_hot(labels, 4).double()
    logits = floats(5, 4, dtype=np.float64)
    for smoothing in (0.0, 0.1):
        assert_close(
            F.cross_entropy(logits, certain, label_smoothing=smoothing),
            F.cross_entropy(logits, labels, label_smoothing=smoothing),
            1e-12,
        )


def test_one_hot_takes_the_memory_of_its_result():
    labels = nn.tensor([[999_999, 0], [3, 3]])
    found = F.one_hot(labels)
    assert found.shape == (2, 2, 1_000_000) and found.dtype == np.int64
    assert [tuple(map(int, place)) for place in np.argwhere(found.data)] == [
        (0, 0, 999_999), (0, 1, 0), (1, 0, 3), (1, 1, 3),
    ]  # fmt: skip
    assert found.data.max() == 1
    assert F.one_hot(nn.tensor(2)).tolist() == [0, 0, 1]
    assert F.one_hot(nn.Tensor(np.array([1, 0], np.uint8))).tolist() == [[0, 1], [1, 0]]
    assert F.one_hot(nn.Tensor(np.zeros((0, 2), np.int64)), 3).shape == (0, 2, 3)


def test_all_labels_ignored_have_mean_nan_and_no_gradient():
    for loss in (F.cross_entropy, F.nll_loss):
        x = nn.Tensor(normal(3, 4), requires_grad=True)
        value = loss(x, nn.tensor([-100, -100, -100]))
        value.backward()
        assert np.isnan(value.item()) and not x.grad.data.any()


def test_gradients_of_mse_loss_and_pad():
    for reduction in ("mean", "sum", "none"):
        check_gradients(
            lambda x, y, r=reduction: F.mse_loss(x, y, reduction=r),
            normal(3, 2),
            normal(3, 2),
            tolerance=1e-6,
        )
    check_gradients(lambda x: F.pad(x, (1, 2, 0, 1), value=3.0), normal(2, 3, 2), tolerance=1e-6)


def test_b1_dropout_backward_uses_the_mask_of_forward():
    x = nn.Tensor(np.ones((50, 40), np.float32), requires_grad=True)
    y = F.dropout(x, 0.3)
    y.backward(np.full(y.shape, 2.0))
    assert ((y.data == 0) == (x.grad.data == 0)).all()
    assert_close(x.grad, 2 * y.data, 1e-6)
    assert 0.6 < (y.data != 0).mean() < 0.8
    assert_close(y.data[y.data != 0], np.full((y.data != 0).sum(), 1 / 0.7), 1e-6)


def test_b2_dropout_of_none_or_all_draws_nothing():
    x = nn.Tensor([np.inf, 1.0], requires_grad=True)
    before = nn.random.get_state()
    assert F.dropout(x, 0.0) is x and F.dropout(x, 0.5, training=False) is x
    gone = F.dropout(x, 1.0)
    gone.sum().backward()
    assert gone.tolist() == [0, 0] and x.grad.tolist() == [0, 0]
    assert nn.random.get_state() == before
    F.dropout(x, 0.5)
    assert nn.random.get_state() == (before[0], before[1] + 1)


def test_b1_dropout_repeats_with_the_seed():
    x = nn.ones(100)
    nn.manual_seed(5)
    first, second = F.dropout(x), F.dropout(x)
    nn.manual_seed(5)
    assert (F.dropout(x) == first).all() and not (first == second).all()


X4, W4 = floats(2, 3, 6, 6), floats(4, 3, 3, 3)
LOGITS, CLASSES = floats(2, 4), nn.tensor([0, 3])

BAD_SHAPES = {
    "linear input": (
        lambda: F.linear(floats(2, 5), floats(4, 3)),
        r"linear: expected input of shape \(\.\.\., 3\), got \(2, 5\)",
    ),
    "linear scalar": (lambda: F.linear(nn.tensor(1.0), floats(4, 3)), r"linear: .* got \(\)"),
    "linear weight": (
        lambda: F.linear(floats(2, 3), floats(3)),
        r"linear: expected weight of shape \(out, in\), got \(3,\)",
    ),
    "linear bias": (
        lambda: F.linear(floats(2, 3), floats(4, 3), floats(3)),
        r"linear: expected bias of shape \(4,\), got \(3,\)",
    ),
    "conv2d axes": (
        lambda: F.conv2d(floats(6, 6), W4),
        r"conv2d: expected input of shape \(N, C, H, W\) or \(C, H, W\), got \(6, 6\)",
    ),
    "conv2d channels": (
        lambda: F.conv2d(floats(2, 1, 6, 6), W4),
        r"conv2d: expected .*3 channels.*, got 1",
    ),
    "conv2d weight": (lambda: F.conv2d(X4, floats(4, 3, 3)), r"conv2d: expected .*weight.*got"),
    "conv2d weight, same": (
        lambda: F.conv2d(X4, floats(4, 3, 3), padding="same"),
        r"conv2d: expected weight of 4 axes, got \(4, 3, 3\)",
    ),
    "conv2d bias": (lambda: F.conv2d(X4, W4, floats(3)), r"conv2d: .*bias of shape \(4,\), got"),
    "conv2d small": (lambda: F.conv2d(floats(2, 3, 2, 6), W4), r"conv2d: expected .*got \(2, 6\)"),
    "conv2d stride": (lambda: F.conv2d(X4, W4, stride=0), r"conv2d: expected stride .*got"),
    "conv2d groups": (lambda: F.conv2d(X4, W4, groups=2), r"conv2d: expected groups .*got 2"),
    "conv2d padding": (
        lambda: F.conv2d(X4, W4, padding="full"),
        r"conv2d: expected padding 'same' or 'valid', got 'full'",
    ),
    "conv2d same with stride": (
        lambda: F.conv2d(X4, W4, stride=2, padding="same"),
        r"conv2d: expected stride 1 with padding 'same', got \(2, 2\)",
    ),
    "batch_norm axes": (
        lambda: F.batch_norm(floats(3), None, None, training=True),
        r"batch_norm: expected input of shape \(N, C, \.\.\.\), got \(3,\)",
    ),
    "batch_norm weight": (
        lambda: F.batch_norm(X4, None, None, floats(2), training=True),
        r"batch_norm: expected weight of shape \(3,\) for input .*, got \(2,\)",
    ),
    "batch_norm running_var": (
        lambda: F.batch_norm(X4, nn.zeros(3), nn.ones(4), training=True),
        r"batch_norm: expected running_var of shape \(3,\) for input .*, got \(4,\)",
    ),
    "batch_norm without statistics": (
        lambda: F.batch_norm(X4, None, None),
        r"batch_norm: expected running_mean and running_var outside training, got None",
    ),
    "max_pool2d axes": (
        lambda: F.max_pool2d(floats(6, 6), 2),
        r"max_pool2d: expected input of shape \(N, C, H, W\) or \(C, H, W\), got \(6, 6\)",
    ),
    "max_pool2d padding": (
        lambda: F.max_pool2d(X4, 2, padding=2),
        r"max_pool2d: expected padding of at most half .*got 2",
    ),
    "max_pool2d large": (lambda: F.max_pool2d(X4, 7), r"max_pool2d: expected .*got \(2, 3, 6, 6\)"),
    "avg_pool2d axes": (lambda: F.avg_pool2d(floats(6), 2), r"avg_pool2d: expected .*got \(6,\)"),
    "avg_pool2d kernel": (lambda: F.avg_pool2d(X4, 0), r"avg_pool2d: expected kernel_size .*got"),
    "adaptive axes": (
        lambda: F.adaptive_avg_pool2d(floats(6, 6), 1),
        r"adaptive_avg_pool2d: expected input .*got \(6, 6\)",
    ),
    "adaptive size": (
        lambda: F.adaptive_avg_pool2d(X4, 0),
        r"adaptive_avg_pool2d: expected output_size .*got \(0, 0\)",
    ),
    "dropout p": (lambda: F.dropout(X4, 1.5), r"dropout: expected p from 0 to 1, got 1\.5"),
    "cross_entropy target": (
        lambda: F.cross_entropy(LOGITS, nn.tensor([0, 1, 2])),
        r"cross_entropy: expected target of shape \(2,\) for input \(2, 4\), got \(3,\)",
    ),
    "cross_entropy axes": (
        lambda: F.cross_entropy(X4, CLASSES),
        r"cross_entropy: expected target of shape \(2, 6, 6\) for input .*, got \(2,\)",
    ),
    "cross_entropy scalar": (
        lambda: F.cross_entropy(nn.tensor(1.0), nn.tensor(0)),
        r"cross_entropy: expected input of shape \(N, C\), got \(\)",
    ),
    "cross_entropy probabilities": (
        lambda: F.cross_entropy(LOGITS, floats(4, 2)),
        r"cross_entropy: expected probabilities of shape \(2, 4\), got \(4, 2\)",
    ),
    "cross_entropy weight": (
        lambda: F.cross_entropy(LOGITS, CLASSES, floats(3)),
        r"cross_entropy: expected weight of shape \(4,\), got \(3,\)",
    ),
    "cross_entropy reduction": (
        lambda: F.cross_entropy(LOGITS, CLASSES, reduction="average"),
        r"cross_entropy: expected reduction 'mean', 'sum' or 'none', got 'average'",
    ),
    "cross_entropy label": (
        lambda: F.cross_entropy(LOGITS, nn.tensor([0, 4])),
        r"cross_entropy: expected labels .*got 4",
    ),
    "cross_entropy negative label": (
        lambda: F.cross_entropy(LOGITS, nn.tensor([-1, 0])),
        r"cross_entropy: expected labels .*got -1",
    ),
    "nll_loss label": (
        lambda: F.nll_loss(LOGITS, nn.tensor([0, 9])),
        r"nll_loss: expected labels from 0 to 3 or ignore_index -100, got 9",
    ),
    "nll_loss target": (
        lambda: F.nll_loss(LOGITS, nn.tensor([[0, 1]])),
        r"nll_loss: expected target of shape \(2,\) for input \(2, 4\), got \(1, 2\)",
    ),
    "mse_loss": (
        lambda: F.mse_loss(LOGITS, floats(4)),
        r"mse_loss: expected target of shape \(2, 4\), got \(4,\)",
    ),
    "one_hot": (lambda: F.one_hot(CLASSES, 3), r"one_hot: expected labels from 0 to 2, got 3"),
    "pad": (lambda: F.pad(LOGITS, (1,)), r"pad: expected pairs of numbers .*got \(1,\)"),
    "pad mode": (lambda: F.pad(LOGITS, (1, 1), "mirror"), r"pad: expected mode .*, got 'mirror'"),
}


@pytest.mark.parametrize("name", BAD_SHAPES)
def test_wrong_shapes_and_values_are_errors(name):
    call, message = BAD_SHAPES[name]
    with pytest.raises(ValueError, match=message):
        call()


WHOLE = nn.tensor([[1, 2, 3]])
DOUBLE = floats(4, 3, dtype=np.float64)

BAD_TYPES = {
    "linear integers": (
        lambda: F.linear(WHOLE, floats(4, 3)),
        r"linear: expected input of float32 or float64, got int64",
    ),
    "linear mixed": (
        lambda: F.linear(floats(2, 3), DOUBLE),
        r"linear: expected weight of float32 like the rest, got float64",
    ),
    "linear array": (
        lambda: F.linear(np.ones((2, 3)), floats(4, 3)),
        r"linear: expected input to be a tensor, got ndarray",
    ),
    "conv2d mixed": (
        lambda: F.conv2d(X4.double(), W4),
        r"conv2d: expected weight of float64 like the rest, got float32",
    ),
    "conv2d bytes": (lambda: F.conv2d(X4.to(np.uint8), W4), r"conv2d: expected .*got uint8"),
    "conv2d stride": (
        lambda: F.conv2d(X4, W4, stride=(1, 2, 3)),
        r"conv2d: expected stride as one or two integers, got \(1, 2, 3\)",
    ),
    "batch_norm": (
        lambda: F.batch_norm(X4.long(), None, None, training=True),
        r"batch_norm: expected input of float32 or float64, got int64",
    ),
    "batch_norm weight": (
        lambda: F.batch_norm(X4, None, None, nn.ones(3).double(), training=True),
        r"batch_norm: expected weight of float32 like the rest, got float64",
    ),
    "dropout": (lambda: F.dropout(WHOLE), r"dropout: expected input of float32 .*got int64"),
    "relu": (lambda: F.relu(WHOLE > 1), r"ReLU: expected x of float32 or float64, got bool"),
    "relu array": (lambda: F.relu(np.ones(2)), r"relu: expected input to be a tensor, got ndarray"),
    "sigmoid": (lambda: F.sigmoid([1.0]), r"sigmoid: expected input to be a tensor, got list"),
    "tanh": (lambda: F.tanh(1.0), r"tanh: expected input to be a tensor, got float"),
    "gelu": (lambda: F.gelu(WHOLE), r"gelu: expected input of float32 .*got int64"),
    "softmax": (lambda: F.softmax(WHOLE, 0), r"softmax: expected input of float32 .*got int64"),
    "log_softmax": (lambda: F.log_softmax(WHOLE, 0), r"log_softmax: expected input .*got int64"),
    "max_pool2d": (lambda: F.max_pool2d(X4.long(), 2), r"max_pool2d: expected .*got int64"),
    "max_pool2d size": (
        lambda: F.max_pool2d(X4, 2.5),
        r"max_pool2d: expected kernel_size as one or two integers, got 2\.5",
    ),
    "avg_pool2d": (lambda: F.avg_pool2d(X4.long(), 2), r"avg_pool2d: expected .*got int64"),
    "adaptive": (
        lambda: F.adaptive_avg_pool2d(X4.long(), 2),
        r"adaptive_avg_pool2d: expected .*got int64",
    ),
    "cross_entropy input": (
        lambda: F.cross_entropy(WHOLE, nn.tensor([1])),
        r"cross_entropy: expected input of float32 or float64, got int64",
    ),
    "cross_entropy target": (
        lambda: F.cross_entropy(LOGITS, nn.tensor([True, False])),
        r"cross_entropy: expected target of an integer dtype, got bool",
    ),
    "cross_entropy list": (
        lambda: F.cross_entropy(LOGITS, [0, 1]),
        r"cross_entropy: expected target to be a tensor, got list",
    ),
    "cross_entropy weight": (
        lambda: F.cross_entropy(LOGITS, CLASSES, nn.ones(4).double()),
        r"cross_entropy: expected weight of float32 like the rest, got float64",
    ),
    "nll_loss": (
        lambda: F.nll_loss(LOGITS, LOGITS),
        r"nll_loss: expected target of an integer dtype, got float32",
    ),
    "mse_loss": (
        lambda: F.mse_loss(WHOLE, WHOLE),
        r"mse_loss: expected input of float32 or float64, got int64",
    ),
    "binary_cross_entropy": (
        lambda: F.binary_cross_entropy(LOGITS, LOGITS.double()),
        r"binary_cross_entropy: expected target of float32 like the rest, got float64",
    ),
    "binary_cross_entropy_with_logits": (
        lambda: F.binary_cross_entropy_with_logits(LOGITS, LOGITS.long()),
        r"binary_cross_entropy_with_logits: expected target of float32 or float64, got int64",
    ),
    "flatten": (lambda: F.flatten([1]), r"flatten: expected input to be a tensor, got list"),
    "one_hot": (lambda: F.one_hot(LOGITS), r"one_hot: expected integer labels, got float32"),
    "pad": (lambda: F.pad([1], (1, 1)), r"pad: expected input to be a tensor, got list"),
}


@pytest.mark.parametrize("name", BAD_TYPES)
def test_wrong_dtypes_are_errors(name):
    call, message = BAD_TYPES[name]
    with pytest.raises(TypeError, match=message):
        call()


def test_softmax_axis_that_is_not_there():
    with pytest.raises(IndexError, match="softmax: expected dim from -2 to 1, got 2"):
        F.softmax(LOGITS, 2)


def test_an_error_leaves_no_trace():
    mean, before = nn.zeros(3), nn.random.get_state()
    with pytest.raises(ValueError):
        F.batch_norm(X4, mean, nn.ones(3), floats(2), training=True)
    with pytest.raises(TypeError):
        F.dropout(WHOLE, 0.5)
    assert mean.tolist() == [0, 0, 0] and nn.random.get_state() == before
