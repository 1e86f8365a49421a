"""Pooling layers against PyTorch's, over a grid of options."""

import itertools

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits

torch = pytest.importorskip("torch")

TOLERANCES = [(np.float32, 1e-6), (np.float64, 1e-12)]


def compare(kind, options, shape):
    """Values, gradients, and indices where there are any; many elements are equal."""
    for dtype, tolerance in TOLERANCES:
        ours, theirs = getattr(nn, kind)(**options), getattr(torch.nn, kind)(**options)
        assert repr(ours) == repr(theirs)
        x = np.random.default_rng(0).integers(-3, 4, shape).astype(dtype)
        mine, reference = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, expected = ours(mine), theirs(reference)
        if options.get("return_indices"):
            (y, indices), (expected, expected_indices) = y, expected
            assert_same_bits(indices.data, expected_indices.numpy())
        weights = np.random.default_rng(1).uniform(0.5, 1.5, y.shape).astype(dtype)
        y.backward(nn.Tensor(weights))
        expected.backward(torch.tensor(weights))
        assert_close(y, expected.detach().numpy(), tolerance)
        assert_close(mine.grad, reference.grad.numpy(), tolerance)


def images(axes):
    return [(2, 3, *(11, 9)[:axes]), (1, 3, *(13, 40)[:axes]), (3, *(11, 9)[:axes])]


def each(axes, *sizes):
    """One integer or one each."""
    return sizes[:1] if axes == 1 else sizes


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("axes", [1, 2])
def test_h_max_pooling_is_pytorchs(axes, ceil_mode):
    for kernel, stride, padding, dilation, indices in itertools.product(
        [2, each(axes, 3, 2)], [None, 1, each(axes, 3, 4)], [0, 1], [1, 2], [False, True]
    ):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "return_indices": indices,
            "ceil_mode": ceil_mode,
        }
        for shape in images(axes):
            compare(f"MaxPool{axes}d", options, shape)


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("axes", [1, 2])
def test_h_average_pooling_is_pytorchs(axes, ceil_mode):
    for kernel, stride, padding, counted, divisor in itertools.product(
        [2, each(axes, 3, 9)], [None, 1, each(axes, 3, 4)], [0, 1], [False, True], [None, 3]
    ):
        options = {
            "kernel_size": kernel,
            "stride": stride,
            "padding": padding,
            "ceil_mode": ceil_mode,
            "count_include_pad": counted,
        }
        if axes == 2:
            options["divisor_override"] = divisor
        for shape in images(axes):
            compare(f"AvgPool{axes}d", options, shape)


@pytest.mark.parametrize("axes", [1, 2])
def test_h_adaptive_pooling_is_pytorchs(axes):
    sizes = [1, 3, each(axes, 4, 5), each(axes, 13, 50)]
    sizes += [(3, None), (None, 2), (None, None)] if axes == 2 else []
    for size, shape in itertools.product(sizes, images(axes)):
        compare(f"AdaptiveAvgPool{axes}d", {"output_size": size}, shape)
        for indices in (False, True):
            options = {"output_size": size, "return_indices": indices}
            compare(f"AdaptiveMaxPool{axes}d", options, shape)


def test_h_pooling_functions_take_arguments_in_pytorchs_order():
    x = np.random.default_rng(0).normal(size=(2, 3, 12, 11))
    calls = {
        "max_pool1d": (3, 2, 1, 2, True, False),
        "max_pool2d": ((3, 2), 2, 1, 2, True, False),
        "avg_pool1d": (3, 2, 1, True, False),
        "avg_pool2d": ((3, 2), 2, 1, True, False, 5),
        "adaptive_avg_pool1d": (4,),
        "adaptive_avg_pool2d": ((4, 3),),
        "adaptive_max_pool1d": (4, False),
        "adaptive_max_pool2d": ((4, 3), False),
    }
    for name, arguments in calls.items():
        values = x[0] if name.endswith("1d") else x
        expected = getattr(torch.nn.functional, name)(torch.tensor(values), *arguments)
        assert_close(getattr(F, name)(nn.Tensor(values), *arguments), expected.numpy(), 1e-12)


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d", "adaptive_max_pool2d"])
def test_h_nan_goes_where_pytorchs_goes(name):
    x = np.random.default_rng(0).normal(size=(2, 3, 12, 11))
    x[0, :, ::5, 1::4] = np.nan
    expected = getattr(torch.nn.functional, name)(torch.tensor(x), 3).numpy()
    np.testing.assert_allclose(getattr(F, name)(nn.Tensor(x), 3).data, expected, 1e-12)
