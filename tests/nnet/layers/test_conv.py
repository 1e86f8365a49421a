"""Convolution of series, transposed convolution, padding: gradients and bad input."""

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close, assert_same_bits
from tests.nnet.gradients import check_gradients

rng = np.random.default_rng(1)


def normal(*shape):
    return rng.normal(size=shape)


def floats(*shape, dtype=np.float32):
    return nn.Tensor(rng.normal(size=shape).astype(dtype))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"relu": True},
        {"stride": 2, "padding": 1},
        {"stride": (3,), "padding": (2,), "dilation": (2,)},
        {"padding": "same"},
        {"padding": "same", "dilation": 3},
        {"padding": "valid"},
    ],
    ids=str,
)
def test_h_gradients_of_conv1d(options):
    arguments = normal(2, 3, 9), normal(4, 3, 2), normal(4)
    check_gradients(lambda x, w, b: F.conv1d(x, w, b, **options), *arguments, tolerance=1e-6)


@pytest.mark.parametrize(
    "options", [{}, {"stride": 3, "output_padding": 2}, {"padding": 1, "dilation": 2}], ids=str
)
@pytest.mark.parametrize("axes", [1, 2])
def test_h_gradients_of_transposed_convolution(axes, options):
    function = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[axes]
    arguments = normal(2, 4, *(3, 4)[:axes]), normal(4, 3, *(3, 2)[:axes]), normal(6)
    check_gradients(
        lambda x, w, b: function(x, w, b, groups=2, **options), *arguments, tolerance=1e-6
    )


@pytest.mark.parametrize("axes", [1, 2])
def test_h_transposed_convolution_is_the_transposed_map(axes):
    """<conv(x), z> = <x, conv_transpose(z)>."""
    convolve = {1: F.conv1d, 2: F.conv2d}[axes]
    transpose = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[axes]
    weight = floats(6, 2, *(3, 2)[:axes], dtype=np.float64)
    x = floats(2, 4, *(9, 8)[:axes], dtype=np.float64)
    y = convolve(x, weight, stride=2, padding=1, groups=2)
    z = floats(*y.shape, dtype=np.float64)
    more = tuple(
        n - ((m - 1) * 2 - 2 + k)
        for n, m, k in zip(x.shape[2:], y.shape[2:], weight.shape[2:], strict=True)
    )
    back = transpose(z, weight, stride=2, padding=1, output_padding=more, groups=2)
    assert back.shape == x.shape
    assert (y * z).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-12)


LAYERS = {
    "Conv1d": (lambda: nn.Conv1d(3, 4, 3), (2, 3, 8)),
    "Conv2d": (lambda: nn.Conv2d(3, 4, 3), (2, 3, 8, 7)),
    "Conv2d circular": (
        lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"),
        (2, 3, 8, 7),
    ),
    "ConvTranspose1d": (lambda: nn.ConvTranspose1d(3, 4, 3), (2, 3, 8)),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(3, 4, 3, stride=2), (2, 3, 4, 5)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_h_convolution_layers_take_one_sample_and_none(name):
    make, shape = LAYERS[name]
    layer = make()
    x = floats(*shape)
    y = layer(x)
    assert_close(layer(x[1]), y[1].data, 1e-6)
    assert_close(layer(x[:1]), y[:1].data, 1e-6)
    x = nn.Tensor(np.zeros((0, *shape[1:]), np.float32), requires_grad=True)
    empty = layer(x)
    assert empty.shape == (0, *y.shape[1:])
    empty.sum().backward()
    assert x.grad.shape == x.shape and not layer.weight.grad.data.any()


def test_h_conv1d_rectifies_in_the_same_pass():
    layer, x = nn.Conv1d(3, 4, 3), floats(2, 3, 8)
    assert_same_bits(layer(x, relu=True).data, layer(x).relu().data)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "pad"),
    [
        ((2, 3, 5), (2, 1)),
        ((3, 4), (0, 3)),
        ((3, 4), (3, 0)),
        ((2, 3, 4, 5), (3, 1, 0, 2)),
        ((1, 2, 3, 2), (1, 1, 2, 2)),
        ((2, 2, 3, 4), (1, 2, 1, 2, 1, 0)),
    ],
    ids=str,
)
def test_h_padding_repeats_as_numpys(mode, shape, pad):
    x = normal(*shape)
    widths = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    kind = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    assert_same_bits(F.pad(nn.Tensor(x), pad, mode).data, np.pad(x, widths, kind))
    check_gradients(lambda x: F.pad(x, pad, mode), x)


@pytest.mark.parametrize("pad", [(-1, 2), (1, -2, -1, 0), (-2, -2), (0, 0, 0, -3)], ids=str)
def test_h_a_negative_constant_pad_cuts_off(pad):
    check_gradients(lambda x: F.pad(x, pad, value=3.0), normal(2, 3, 4))
    x = nn.Tensor(np.arange(4.0))
    assert F.pad(x, (-1, 1), value=9.0).tolist() == [1, 2, 3, 9]


def test_h_a_pad_keeps_whole_numbers():
    assert F.pad(nn.tensor([1, 2]), (1, 0)).tolist() == [0, 1, 2]
    assert F.pad(nn.tensor([[1, 2]]), (1, 0), "circular").tolist() == [[2, 1, 2]]


X3, W3, X4 = floats(2, 4, 6), floats(4, 4, 3), floats(2, 4, 5, 5)
ERRORS = {
    "conv1d axes": (lambda: F.conv1d(X4, W3), r"conv1d: expected input of shape \(N, C, L\) or"),
    "conv1d weight": (lambda: F.conv1d(X3, X4), "conv1d: expected weight of 3 axes"),
    "conv1d channels": (lambda: F.conv1d(X3, W3[:, :3]), "conv1d: .*with 3 channels .*, got 4"),
    "conv1d groups": (lambda: F.conv1d(X3, W3, groups=3), "conv1d: expected groups .*got 3"),
    "conv1d bias": (lambda: F.conv1d(X3, W3, floats(3)), r"conv1d: expected bias .*got \(3,\)"),
    "conv1d long": (lambda: F.conv1d(X3[:, :, :2], W3), "conv1d: .*kernel's extent, got 2"),
    "conv1d dilated": (lambda: F.conv1d(X3, W3, dilation=3), "conv1d: .*kernel's extent, got 6"),
    "conv1d padding": (lambda: F.conv1d(X3, W3, padding=-1), r"conv1d: expected padding .*\(-1,\)"),
    "conv1d name": (lambda: F.conv1d(X3, W3, padding="full"), "conv1d: expected padding 'same'"),
    "conv1d stride": (lambda: F.conv1d(X3, W3, stride=0), r"conv1d: expected stride .*got \(0,\)"),
    "conv1d dilation": (lambda: F.conv1d(X3, W3, dilation=0), "conv1d: expected dilation of at"),
    "same": (lambda: F.conv1d(X3, W3, stride=2, padding="same"), "conv1d: expected stride 1 with"),
    "conv2d padding": (lambda: F.conv2d(X4, X4, padding=-1), "conv2d: expected padding"),
    "axes": (lambda: F.conv_transpose1d(X4, W3), r"conv_transpose1d: expected input of shape"),
    "weight": (lambda: F.conv_transpose1d(X3, X4), "conv_transpose1d: expected weight of 3"),
    "channels": (lambda: F.conv_transpose1d(X3, W3[:2]), "conv_transpose1d: .*2 channels.*got 4"),
    "groups": (lambda: F.conv_transpose1d(X3, W3, groups=3), "conv_transpose1d: .*groups.*got 3"),
    "bias": (lambda: F.conv_transpose1d(X3, W3, floats(3)), r"conv_transpose1d: .*bias.*\(3,\)"),
    "short": (lambda: F.conv_transpose1d(X3, W3, padding=4), "conv_transpose1d: .*leave an output"),
    "none": (lambda: F.conv_transpose1d(X3[:, :, :0], W3), "conv_transpose1d: .*leave an output"),
    "stride": (lambda: F.conv_transpose1d(X3, W3, stride=0), "conv_transpose1d: expected stride"),
    "output_padding": (
        lambda: F.conv_transpose1d(X3, W3, stride=2, output_padding=2),
        "conv_transpose1d: expected output_padding below stride 2 or dilation 1, got 2",
    ),
    "output_padding 2d": (
        lambda: F.conv_transpose2d(X4, floats(4, 1, 3, 3), output_padding=1),
        "conv_transpose2d: expected output_padding below",
    ),
    "channels 2d": (
        lambda: F.conv_transpose2d(X4, floats(3, 1, 3, 3)),
        "conv_transpose2d: expected x with 3 channels",
    ),
    "layer groups": (lambda: nn.Conv1d(4, 6, 3, groups=4), "Conv1d: expected groups .*got 4"),
    "layer mode": (lambda: nn.Conv1d(4, 6, 3, padding_mode="same"), "Conv1d: .*padding_mode"),
    "transposed mode": (
        lambda: nn.ConvTranspose1d(4, 6, 3, padding_mode="reflect"),
        "ConvTranspose1d: expected padding_mode 'zeros', got 'reflect'",
    ),
    "transposed same": (
        lambda: nn.ConvTranspose2d(4, 6, 3, padding="same"),
        "ConvTranspose2d: expected padding as sizes, got 'same'",
    ),
    "layer padding": (
        lambda: nn.Conv1d(4, 6, 3, padding=-1),
        r"Conv1d: expected padding .*\(-1,\)",
    ),
    "layer same": (lambda: nn.Conv1d(4, 6, 3, 2, "same"), "Conv1d: expected stride 1 with"),
    "layer name": (lambda: nn.Conv1d(4, 6, 3, padding="full"), "Conv1d: .*'same' or 'valid', got"),
    "layer kernel": (lambda: nn.Conv1d(4, 6, 0), "Conv1d: expected kernel_size of at least 1"),
    "output_size": (
        lambda: nn.ConvTranspose2d(4, 2, 3, 2)(X4, output_size=(10, 12)),
        r"ConvTranspose2d: expected output_size from \(11, 11\) to \(12, 12\) .*got \(10, 12\)",
    ),
    "output_size axes": (
        lambda: nn.ConvTranspose2d(4, 2, 3, 2)(X4, output_size=(12,)),
        r"ConvTranspose2d: expected output_size .*got \(12,\)",
    ),
    "reflect": (lambda: F.pad(X3, (6, 0), "reflect"), r"pad: expected from 0 to 5 .*got \(6, 0\)"),
    "circular": (
        lambda: F.pad(X3, (0, 7), "circular"),
        r"pad: expected from 0 to 6 .*got \(0, 7\)",
    ),
    "circular cut": (
        lambda: F.pad(X3, (5, -2), "circular"),
        r"pad: expected from 0 .*got \(5, 0\)",
    ),
    "reflect cut": (lambda: F.pad(X3, (1, -7), "reflect"), r"pad: expected to leave .*\(1, -7\)"),
    "pad axes": (lambda: F.pad(X4, (1, 1), "reflect"), r"pad: expected input of shape .* got \(2,"),
    "pad value": (lambda: F.pad(X3, (1, 1), "reflect", 2.0), "pad: expected no value .*, got 2.0"),
    "pad all": (lambda: F.pad(X3, (-4, -3)), r"pad: expected to cut off at most all of \(2, 4, 6"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_h_convolution_bad_input_is_named(name):
    call, message = ERRORS[name]
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


WRONG_TYPES = {
    "conv1d": (lambda: F.conv1d(X3, W3.double()), "conv1d: expected weight of float32 like"),
    "whole": (lambda: F.conv1d(nn.tensor([[1]]), W3), "conv1d: expected input of float32 or"),
    "transposed": (lambda: F.conv_transpose1d(X3, [1]), "conv_transpose1d: .*tensor, got list"),
    "stride": (lambda: F.conv1d(X3, W3, stride=1.5), "conv1d: expected stride as one integer, got"),
    "strides": (lambda: F.conv1d(X3, W3, stride=(1, 2)), "conv1d: expected stride as one integer"),
    "pair": (lambda: F.conv2d(X4, X4, stride=(1.5, 1)), "conv2d: expected stride as one or two"),
    "layer": (lambda: nn.Conv1d(4, 6, (3, 3)), "Conv1d: expected kernel_size as one integer, got"),
}


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_h_wrong_types_are_named(name):
    call, message = WRONG_TYPES[name]
    with pytest.raises(TypeError, match=f"^{message}"):
        call()
