"""Pooling of series and images: gradients, indices, bad input."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(1)


def distinct(*shape):
    """No two elements are near one another, so that differences do not cross a maximum."""
    return rng.permutation(np.arange(np.prod(shape), dtype=float)).reshape(shape)


SERIES = {
    "max": lambda x: F.max_pool1d(x, 2),
    "max options": lambda x: F.max_pool1d(x, (3,), 2, (1,), 2, True),
    "average": lambda x: F.avg_pool1d(x, 3),
    "average options": lambda x: F.avg_pool1d(x, (3,), (2,), 1, True, False),
    "adaptive average": lambda x: F.adaptive_avg_pool1d(x, 4),
    "adaptive max": lambda x: F.adaptive_max_pool1d(x, (4,)),
    "global average": lambda x: F.adaptive_avg_pool1d(x, 1),
}
IMAGES = {
    "divisor": lambda x: F.avg_pool2d(x, 3, 2, 1, divisor_override=5),
    "wide windows": lambda x: F.avg_pool2d(x, (2, 6)),
    "threes": lambda x: F.avg_pool2d(x, (2, 3)),
    "strided max": lambda x: F.max_pool2d(x, (2, 3)),
    "adaptive average": lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
    "adaptive max": lambda x: F.adaptive_max_pool2d(x, (3, None)),
    "global max": lambda x: F.adaptive_max_pool2d(x, 1),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("shape", [(2, 3, 11), (3, 7)], ids=str)
def test_h_gradients_of_pooling_series(name, shape):
    check_gradients(SERIES[name], distinct(*shape), tolerance=1e-6)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("shape", [(2, 2, 5, 6), (3, 4, 6)], ids=str)
def test_h_gradients_of_pooling_images(name, shape):
    check_gradients(IMAGES[name], distinct(*shape), tolerance=1e-6)


def test_h_indices_point_at_the_maxima_and_carry_no_gradient():
    x = nn.Tensor(distinct(2, 3, 8, 6), requires_grad=True)
    for y, indices in (
        F.max_pool2d(x, 3, 2, 1, return_indices=True),
        F.adaptive_max_pool2d(x, (3, 2), return_indices=True),
        nn.MaxPool2d(2, return_indices=True)(x),
        nn.AdaptiveMaxPool2d(3, return_indices=True)(x),
    ):
        assert indices.dtype == np.int64 and not indices.requires_grad and y.requires_grad
        found = np.take_along_axis(x.data.reshape(2, 3, -1), indices.data.reshape(2, 3, -1), 2)
        assert_same_bits(found.reshape(y.shape), y.data)
    series = nn.Tensor(distinct(3, 9))
    y, indices = nn.MaxPool1d(2, return_indices=True)(series)
    assert_same_bits(np.take_along_axis(series.data, indices.data, 1), y.data)
    y, indices = nn.AdaptiveMaxPool1d(4, return_indices=True)(series)
    assert_same_bits(np.take_along_axis(series.data, indices.data, 1), y.data)


LAYERS = {
    "MaxPool1d": (lambda: nn.MaxPool1d(2), (2, 3, 8)),
    "MaxPool2d": (lambda: nn.MaxPool2d(2), (2, 3, 8, 7)),
    "AvgPool1d": (lambda: nn.AvgPool1d(2), (2, 3, 8)),
    "AvgPool2d": (lambda: nn.AvgPool2d(2), (2, 3, 8, 7)),
    "AdaptiveAvgPool1d": (lambda: nn.AdaptiveAvgPool1d(3), (2, 3, 8)),
    "AdaptiveAvgPool2d": (lambda: nn.AdaptiveAvgPool2d(1), (2, 3, 8, 7)),
    "AdaptiveMaxPool1d": (lambda: nn.AdaptiveMaxPool1d(3), (2, 3, 8)),
    "AdaptiveMaxPool2d": (lambda: nn.AdaptiveMaxPool2d((3, 2)), (2, 3, 8, 7)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_h_pooling_layers_take_one_sample_none_and_nan(name):
    make, shape = LAYERS[name]
    layer, values = make(), distinct(*shape)
    y = layer(nn.Tensor(values))
    assert_close(layer(nn.Tensor(values[1])), y.data[1], 1e-12)
    empty = nn.Tensor(np.zeros((0, *shape[1:])), requires_grad=True)
    none = layer(empty)
    assert none.shape == (0, *y.shape[1:])
    none.sum().backward()
    assert empty.grad.shape == empty.shape
    values[0] = np.nan
    y = layer(nn.Tensor(values)).data
    assert np.isnan(y[0]).all() and np.isfinite(y[1]).all()


X3, X4 = nn.Tensor(distinct(2, 3, 6)), nn.Tensor(distinct(2, 3, 6, 6))
ERRORS = {
    "axes": (lambda: F.max_pool1d(X4, 2), r"max_pool1d: expected input of shape \(N, C, L\)"),
    "large": (lambda: F.max_pool1d(X3, 7), "max_pool1d: expected series .* length of 6 with"),
    "dilated": (lambda: F.max_pool1d(X3, 3, dilation=3), "max_pool1d: .*spans 7 fits"),
    "padding": (lambda: F.avg_pool1d(X3, 3, padding=2), "avg_pool1d: .*at most half .*1, got 2"),
    "negative": (lambda: F.avg_pool1d(X3, 3, padding=-1), r"avg_pool1d: .*padding .*\(-1,\)"),
    "stride": (lambda: F.avg_pool1d(X3, 3, 0), r"avg_pool1d: expected stride of at least 1"),
    "kernel": (lambda: F.avg_pool1d(X3, 0), r"avg_pool1d: expected kernel_size of at least 1"),
    "no length": (lambda: F.avg_pool1d(X3[:, :, :0], 1), "avg_pool1d: .*got a length of 0"),
    "size": (lambda: F.adaptive_max_pool1d(X3, 0), r"adaptive_max_pool1d: expected output_size"),
    "size 2d": (lambda: F.adaptive_max_pool2d(X4, (0, 1)), "adaptive_max_pool2d: .*output_size"),
    "empty": (lambda: F.adaptive_avg_pool1d(X3[:, :, :0], 2), "adaptive_avg_pool1d: .*empty axes"),
    "divisor": (
        lambda: F.avg_pool2d(X4, 2, divisor_override=0),
        "avg_pool2d: expected divisor as an integer other than 0, got 0",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_h_bad_input_of_pooling_is_named(name):
    call, message = ERRORS[name]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_h_wrong_types_of_pooling_are_named():
    with pytest.raises(TypeError, match="max_pool1d: expected input of float32 or float64, got"):
        F.max_pool1d(nn.tensor([[1, 2]]), 2)
    with pytest.raises(TypeError, match="max_pool1d: expected kernel_size as one integer, got"):
        F.max_pool1d(X3, (2, 2))
    with pytest.raises(TypeError, match="adaptive_avg_pool2d: expected output_size as one or two"):
        F.adaptive_avg_pool2d(X4, (2, 2, 2))
