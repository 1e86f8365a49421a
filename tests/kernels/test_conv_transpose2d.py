"""Transposed convolution, which stands on convolution's kernels (inventory H)."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kernels import conv_transpose2d
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import poisoned_memory

DTYPES = [(np.float32, 1e-5), (np.float64, 1e-12)]

# x's shape, weight's shape, options: one, primes, every option, groups, more than a tile.
CASES = {
    "one": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "plain": ((2, 3, 5, 7), (3, 4, 3, 3), {}),
    "doubling": ((2, 3, 5, 4), (3, 2, 4, 4), {"stride": (2, 2), "padding": (1, 1)}),
    "every option": (
        (2, 4, 5, 3),
        (4, 3, 3, 2),
        {
            "stride": (3, 2),
            "padding": (1, 0),
            "output_padding": (2, 1),
            "dilation": (1, 2),
            "groups": 2,
        },
    ),
    "more than the stride": (
        (1, 2, 4, 3),
        (2, 2, 2, 3),
        {"output_padding": (1, 2), "dilation": (2, 3)},
    ),
    "depthwise": ((1, 5, 6, 4), (5, 1, 3, 3), {"groups": 5, "padding": (2, 1)}),
    "gaps": ((1, 2, 3, 4), (2, 3, 1, 2), {"stride": (3, 4)}),
    "a row": ((3, 2, 1, 11), (2, 3, 1, 5), {"stride": (1, 2), "padding": (0, 2)}),
    "channels": ((2, 33, 9, 8), (33, 17, 3, 3), {"padding": (1, 1)}),
    "a bias of several tasks": ((3, 2, 40, 41), (2, 5, 3, 3), {}),
}
LARGE = "channels", "a bias of several tasks"


def reference(x, weight, bias, stride=(1, 1), padding=(0, 0), output_padding=(0, 0), **rest):
    """Every element of x throws its multiple of the kernel onto y."""
    dilation, groups = rest.get("dilation", (1, 1)), rest.get("groups", 1)
    (n, channels, *size), (_, filters, *kernel) = x.shape, weight.shape
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    whole = [(h - 1) * s + r for h, s, r in zip(size, stride, reach, strict=True)]
    y = np.zeros(
        (n, filters * groups, *(w + o for w, o in zip(whole, output_padding, strict=True)))
    )
    for c, p, q in itertools.product(range(channels), *map(range, size)):
        group = c // (channels // groups)
        top, left = p * stride[0], q * stride[1]
        onto = y[
            :,
            group * filters : (group + 1) * filters,
            top : top + reach[0] : dilation[0],
            left : left + reach[1] : dilation[1],
        ]
        onto += x[:, c, p, q, None, None, None] * weight[c]
    y = y[:, :, padding[0] : y.shape[2] - padding[0], padding[1] : y.shape[3] - padding[1]]
    return y + bias[:, None, None]


def inputs(x_shape, weight_shape, options, dtype, seed=0):
    rng = np.random.default_rng(seed)
    filters = weight_shape[1] * options.get("groups", 1)
    shapes = x_shape, weight_shape, (filters,)
    return [rng.normal(0, 1, shape).astype(dtype) for shape in shapes]


def cotangent(y):
    return np.random.default_rng(1).normal(0, 1, y.shape).astype(y.dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_h_transposed_is_the_definition(name, dtype, tolerance, monkeypatch):
    *shapes, options = CASES[name]
    x, weight, bias = inputs(*shapes, options, dtype)
    before = x.copy(), weight.copy(), bias.copy()
    with poisoned_memory(monkeypatch):
        y, saved = conv_transpose2d.forward(x, weight, bias, **options)
        gradients = conv_transpose2d.backward(cotangent(y), saved)
    assert_same_bits((x, weight, bias), before)
    expected = reference(*(a.astype(np.float64) for a in before), **options)
    assert y.dtype == dtype
    assert_close(y, expected, tolerance)
    for gradient, argument in zip(gradients, before, strict=True):
        assert gradient.shape == argument.shape and gradient.dtype == dtype


@pytest.mark.parametrize("name", [name for name in CASES if name not in LARGE])
def test_h_transposed_backward_against_central_differences(name):
    *shapes, options = CASES[name]
    arguments = inputs(*shapes, options, np.float64)
    y, saved = conv_transpose2d.forward(*arguments, **options)
    dy = cotangent(y)
    for i, gradient in enumerate(conv_transpose2d.backward(dy, saved)):

        def loss(moved, i=i):
            changed = [moved if j == i else a for j, a in enumerate(arguments)]
            return np.sum(reference(*changed, **options) * dy)

        assert_close(gradient, central_differences(loss, arguments[i]), 1e-8)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_h_transposed_of_any_shape(data):
    def both(low, high):
        return data.draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    groups = data.draw(st.integers(1, 3))
    options = {
        "stride": both(1, 3),
        "padding": both(0, 2),
        "output_padding": both(0, 2),
        "dilation": both(1, 3),
        "groups": groups,
    }
    pairs = zip(options["output_padding"], options["stride"], options["dilation"], strict=True)
    assume(all(more < max(step, spread) for more, step, spread in pairs))
    channels = groups * data.draw(st.integers(1, 3))
    x_shape = (data.draw(st.integers(1, 2)), channels, *both(1, 6))
    weight_shape = (channels, data.draw(st.integers(1, 3)), *both(1, 4))
    x, weight, bias = inputs(x_shape, weight_shape, options, np.float64)
    expected = reference(x, weight, bias, **options)
    assume(min(expected.shape) > 0)
    assert_close(conv_transpose2d.forward(x, weight, bias, **options)[0], expected, 1e-12)


def test_h_transposed_has_the_same_bits_on_any_number_of_threads():
    x, weight, bias = inputs((4, 20, 17, 19), (20, 12, 3, 3), {}, np.float32)

    def run():
        y, saved = conv_transpose2d.forward(x, weight, bias, stride=(2, 2), padding=(1, 1))
        return y, *conv_transpose2d.backward(cotangent(y), saved)

    assert_same_bits_on_threads(run)


def test_h_transposed_takes_strided_and_read_only_inputs():
    *shapes, options = CASES["every option"]
    arguments = inputs(*shapes, options, np.float32)
    y, saved = conv_transpose2d.forward(*arguments, **options)
    gradients = conv_transpose2d.backward(cotangent(y), saved)
    for changed in (non_contiguous, read_only, np.asfortranarray):
        other, saved = conv_transpose2d.forward(*map(changed, arguments), **options)
        assert_same_bits(other, y)
        assert_same_bits(conv_transpose2d.backward(changed(cotangent(y)), saved), gradients)


def test_h_transposed_of_an_empty_batch():
    x, weight, bias = inputs((0, 3, 4, 5), (3, 2, 3, 3), {}, np.float32)
    y, saved = conv_transpose2d.forward(x, weight, bias, stride=(2, 2))
    assert y.shape == (0, 2, 9, 11)
    dx, dweight, dbias = conv_transpose2d.backward(y, saved)
    assert dx.shape == x.shape
    assert_same_bits([dweight, dbias], [np.zeros_like(weight), np.zeros_like(bias)])


def test_h_transposed_computes_what_is_needed():
    x, weight, bias = inputs((2, 3, 4, 5), (3, 2, 3, 3), {}, np.float32)
    y, saved = conv_transpose2d.forward(x, weight, bias)
    whole = conv_transpose2d.backward(cotangent(y), saved)
    for needs in itertools.product((True, False), repeat=3):
        found = conv_transpose2d.backward(cotangent(y), saved, needs)
        assert_same_bits(found, [a if n else None for a, n in zip(whole, needs, strict=True)])
    y, saved = conv_transpose2d.forward(x, weight)
    assert conv_transpose2d.backward(y, saved)[2] is None


def test_h_transposed_passes_nan_on():
    x, weight, bias = inputs((1, 2, 4, 4), (2, 3, 3, 3), {}, np.float32)
    x[0, 0, 1, 1] = np.nan
    y, _ = conv_transpose2d.forward(x, weight, bias)
    assert np.isnan(y[:, :, 1:4, 1:4]).all()
    assert np.isfinite(y[:, :, 5]).all()


GOOD = {"x": (1, 4, 5, 5), "weight": (4, 2, 3, 3), "bias": (2,)}


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"x": (4, 5, 5)}, {}, r"expected x \(N, C, H, W\) .* got shapes \(4, 5, 5\)"),
        ({"x": (1, 4, 0, 5)}, {}, r"without empty axes but N, got shapes \(1, 4, 0, 5\)"),
        ({"weight": (4, 2, 3)}, {}, r"got shapes \(1, 4, 5, 5\) and \(4, 2, 3\)"),
        ({"x": (1, 3, 5, 5)}, {}, "expected x with 4 channels .* got 3"),
        ({"bias": (3,)}, {}, r"expected a bias of shape \(2,\), got \(3,\)"),
        ({}, {"groups": 3}, "expected groups to divide 4 channels, got 3"),
        ({}, {"stride": (0, 1)}, "expected stride as two integers >= 1"),
        ({}, {"stride": 2}, "expected stride as two integers >= 1, got 2"),
        ({}, {"padding": (-1, 0)}, "expected padding as two integers >= 0"),
        ({}, {"dilation": (1, 0)}, "expected dilation as two integers >= 1"),
        ({}, {"output_padding": (-1, 0)}, "expected output_padding as two integers >= 0"),
        ({}, {"output_padding": (0, 1)}, r"expected output_padding below .* got \(0, 1\)"),
        ({}, {"padding": (4, 0)}, r"expected sizes that leave an output, got one of \(-1, 7\)"),
    ],
)
def test_h_transposed_names_what_is_wrong(change, options, message):
    arguments = {name: np.zeros(shape) for name, shape in (GOOD | change).items()}
    with pytest.raises(ValueError, match=f"^conv_transpose2d: .*{message}"):
        conv_transpose2d.forward(**arguments, **options)


def test_h_transposed_names_wrong_dtypes_and_gradients():
    arguments = {name: np.zeros(shape) for name, shape in GOOD.items()}
    with pytest.raises(TypeError, match="expected x of float32 or float64, got int64"):
        conv_transpose2d.forward(**(arguments | {"x": np.zeros(GOOD["x"], np.int64)}))
    with pytest.raises(TypeError, match="expected weight of float64 like the rest, got float32"):
        conv_transpose2d.forward(**(arguments | {"weight": np.zeros(GOOD["weight"], np.float32)}))
    y, saved = conv_transpose2d.forward(**arguments)
    for wrong in (y[:, :, 1:], y.astype(np.float32)):
        with pytest.raises(ValueError, match=r"backward: expected dy of shape \(1, 2, 7, 7\)"):
            conv_transpose2d.backward(wrong, saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
def test_h_transposed_against_pytorch(torch, dtype, tolerance):
    for *shapes, options in CASES.values():
        arguments = inputs(*shapes, options, dtype)
        tensors = [torch.tensor(a, requires_grad=True) for a in arguments]
        expected = torch.nn.functional.conv_transpose2d(*tensors, **options)
        y, saved = conv_transpose2d.forward(*arguments, **options)
        expected.backward(torch.tensor(cotangent(y)))
        assert_close(y, expected.detach().numpy(), tolerance)
        for gradient, tensor in zip(
            conv_transpose2d.backward(cotangent(y), saved), tensors, strict=True
        ):
            assert_close(gradient, tensor.grad.numpy(), tolerance)
