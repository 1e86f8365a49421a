"""Two-dimensional convolution (inventory H), by columns and direct, under any geometry."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import signal

from kernels import _jit, conv2d
from kernels.conv2d.depthwise.every_second import copy_every_second
from kernels.conv2d.geometry import Window
from tests.helpers import (
    assert_close,
    assert_same_bits,
    assert_same_bits_on_threads,
    central_differences,
    nan_poisoned,
    non_contiguous,
    read_only,
)
from tests.kernels.guards import guarded, poisoned_memory

ALGORITHMS = ["im2col", "direct", "depthwise"]
DTYPES = [(np.float32, 2e-6), (np.float64, 1e-14)]


def case(x, weight, **geometry):
    return x, weight, geometry


CASES = {
    "one element": case((1, 1, 1, 1), (1, 1, 1, 1)),
    "same size": case((2, 9, 7, 5), (5, 9, 3, 3), padding=(1, 1)),
    "no padding": case((2, 8, 7, 5), (5, 8, 3, 2)),
    "1x1": case((2, 7, 5, 6), (9, 7, 1, 1)),
    "1x1 with stride": case((2, 3, 5, 7), (4, 3, 1, 1), stride=(2, 2)),
    "1x1 with padding": case((1, 2, 3, 4), (4, 2, 1, 1), padding=(1, 2)),
    "kernel is the input": case((3, 2, 5, 4), (7, 2, 5, 4)),
    "flat kernel": case((2, 9, 6, 11), (5, 9, 1, 5), padding=(0, 2)),
    "tall kernel": case((2, 8, 11, 6), (5, 8, 5, 1), padding=(2, 0)),
    "stride": case((3, 4, 9, 8), (6, 4, 3, 3), stride=(2, 2), padding=(1, 1)),
    "stride down alone": case((2, 3, 11, 7), (5, 3, 3, 3), stride=(3, 1), padding=(0, 1)),
    "stride across alone": case((2, 3, 7, 13), (5, 3, 3, 3), stride=(1, 2), padding=(1, 2)),
    "stride beyond the kernel": case((2, 3, 11, 10), (4, 3, 2, 2), stride=(3, 4)),
    "dilation": case((1, 11, 9, 10), (4, 11, 3, 3), dilation=(2, 3), padding=(2, 3)),
    "all at once": case((2, 4, 13, 12), (6, 2, 3, 2), stride=(2, 3), padding=(2, 1),
                        dilation=(1, 2), groups=2),
    "stride and dilation share a factor": case((1, 2, 13, 15), (4, 2, 3, 3), stride=(2, 4),
                                               dilation=(4, 2), padding=(3, 1)),
    "groups": case((2, 18, 6, 7), (10, 9, 3, 3), groups=2, padding=(1, 1)),
    "depthwise": case((2, 5, 7, 6), (5, 1, 3, 3), groups=5, padding=(1, 1)),
    "two filters a channel": case((1, 3, 5, 5), (6, 1, 2, 2), groups=3),
    "output taller than the input": case((1, 1, 4, 4), (1, 1, 3, 3), padding=(2, 1)),
    "output taller by one": case((2, 3, 4, 4), (5, 3, 2, 1), padding=(1, 0)),
    "output wider than the input": case((2, 9, 4, 4), (5, 9, 3, 3), padding=(1, 3)),
    "padding beyond the kernel": case((2, 8, 3, 4), (4, 8, 1, 2), padding=(3, 4)),
    "nothing but padding": case((1, 1, 0, 4), (4, 1, 2, 1), padding=(2, 1)),
    "depth over one block": case((1, 37, 6, 5), (5, 37, 3, 3), padding=(1, 1)),
    "300 channels": case((1, 300, 4, 5), (7, 300, 1, 1)),
    "channels over three chunks": case((2, 67, 5, 4), (9, 67, 2, 2)),
    "several strips": case((1, 9, 50, 47), (5, 9, 3, 3), padding=(1, 1)),
    "strips of a stride": case((1, 16, 61, 40), (13, 16, 3, 3), stride=(2, 1), padding=(1, 1)),
    "many images": case((17, 8, 5, 6), (4, 8, 3, 3)),
}  # fmt: skip


def output_shape(x_shape, weight_shape, geometry):
    stride, padding, dilation = (
        geometry.get(name, default)
        for name, default in (("stride", (1, 1)), ("padding", (0, 0)), ("dilation", (1, 1)))
    )
    sizes = [
        (x_shape[2 + a] + 2 * padding[a] - dilation[a] * (weight_shape[2 + a] - 1) - 1) // stride[a]
        + 1
        for a in (0, 1)
    ]
    return (x_shape[0], weight_shape[0], *sizes)


def inputs(x_shape, weight_shape, geometry, dtype, seed=0):
    rng = np.random.default_rng(seed)
    shapes = [x_shape, weight_shape, weight_shape[:1]]
    shapes.append(output_shape(x_shape, weight_shape, geometry))
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def window_of(weight, geometry):
    stride, padding, dilation = (
        geometry.get(name, default)
        for name, default in (("stride", (1, 1)), ("padding", (0, 0)), ("dilation", (1, 1)))
    )
    return Window(*weight.shape[2:], *stride, *padding, *dilation)


def expected(x, weight, bias, dy, y_computed, relu, geometry):
    """y and the gradients of x, weight and bias in float64, by the reference.

    Rounding may decide whether an element is above 0: the gradient follows `y_computed`.
    """
    x, weight, dy = (array.astype(np.float64) for array in (x, weight, dy))
    window, groups = window_of(weight, geometry), geometry.get("groups", 1)
    added = np.zeros(len(weight)) if bias is None else bias.astype(np.float64)
    y, dx, dweight = (nan_poisoned(array.shape, np.float64) for array in (dy, x, weight))
    reference = conv2d.reference
    reference.forward(x, weight, added, window, groups, relu, out_y=y)
    dy = np.where(y_computed > 0, dy, 0) if relu else dy
    reference.to_input(dy, weight, window, groups, out_dx=dx)
    reference.to_weight(x, dy, window, groups, out_dweight=dweight)
    return y, dx, dweight, None if bias is None else dy.sum((0, 2, 3))


def assert_all_close(actual, wanted, tolerance):
    for one, other in zip(actual, wanted, strict=True):
        if other is None:
            assert one is None
        else:
            assert_close(one, other, tolerance)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_h_conv2d_algorithms_write_the_reference(monkeypatch, algorithm, dtype, tolerance, name):
    *shapes, geometry = CASES[name]
    arrays = [guarded(array) for array in inputs(*shapes, geometry, dtype)]
    x, weight, bias, dy = arrays
    before = [array.copy() for array in arrays]
    for relu, added in ((False, None), (False, bias), (True, bias), (True, None)):
        with poisoned_memory(monkeypatch):
            y, saved = conv2d.forward(x, weight, added, relu=relu, algorithm=algorithm, **geometry)
            gradients = conv2d.backward(dy, saved)
        assert {array.dtype for array in (y, *gradients) if array is not None} == {np.dtype(dtype)}
        wanted = expected(x, weight, added, dy, y, relu, geometry)
        assert_all_close((y, *gradients), wanted, tolerance)
    assert_same_bits(arrays, before)


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["all at once", "same size", "output taller than the input"])
def test_h_conv2d_gradients_against_central_differences(name, algorithm, relu):
    *shapes, geometry = CASES[name]
    *arrays, dy = inputs(*shapes, geometry, np.float64, seed=1)
    window, groups = window_of(arrays[1], geometry), geometry.get("groups", 1)
    _, saved = conv2d.forward(*arrays, relu=relu, algorithm=algorithm, **geometry)
    for position, gradient in enumerate(conv2d.backward(dy, saved)):

        def loss(point, position=position):
            moved = [point if k == position else array for k, array in enumerate(arrays)]
            y = nan_poisoned(dy.shape, np.float64)
            conv2d.reference.forward(*moved, window, groups, relu, out_y=y)
            return np.sum(dy * y)

        assert_close(gradient, central_differences(loss, arrays[position]), 1e-8)


def test_h_conv2d_reference_is_a_correlation():
    x, weight, bias, dy = inputs((2, 3, 7, 8), (4, 3, 3, 2), {}, np.float64)
    y = nan_poisoned(dy.shape, np.float64)
    window = window_of(weight, {})
    conv2d.reference.forward(x, weight, bias, window, 1, False, out_y=y)
    for n, k in np.ndindex(2, 4):
        assert_close(y[n, k], signal.correlate(x[n], weight[k], "valid")[0] + bias[k], 1e-14)


@st.composite
def geometries(draw):
    def pair(least, most):
        return draw(st.tuples(st.integers(least, most), st.integers(least, most)))

    groups = draw(st.integers(1, 3))
    channels, filters = (draw(st.sampled_from([1, 2, 3, 5, 8, 9])) for _ in range(2))
    kernel, size, images = pair(1, 4), pair(1, 12), draw(st.integers(1, 3))
    geometry = {
        "stride": pair(1, 3),
        "padding": pair(0, 3),
        "dilation": pair(1, 3),
        "groups": groups,
    }
    x_shape = (images, groups * channels, *size)
    weight_shape = (groups * filters, channels, *kernel)
    assume(min(output_shape(x_shape, weight_shape, geometry)) >= 1)
    return x_shape, weight_shape, geometry


@settings(max_examples=60)
@given(geometries(), st.sampled_from(ALGORITHMS), st.booleans(), st.integers(0, 99))
def test_h_conv2d_any_geometry(shapes_and_geometry, algorithm, relu, seed):
    *shapes, geometry = shapes_and_geometry
    x, weight, bias, dy = inputs(*shapes, geometry, np.float32, seed)
    y, saved = conv2d.forward(x, weight, bias, relu=relu, algorithm=algorithm, **geometry)
    gradients = conv2d.backward(dy, saved)
    wanted = expected(x, weight, bias, dy, y, relu, geometry)
    assert_all_close((y, *gradients), wanted, 2e-6)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ["several strips", "all at once", "channels over three chunks"])
def test_same_bits_on_1_2_and_3_threads(name, algorithm):
    *shapes, geometry = CASES[name]
    x, weight, bias, dy = inputs(*shapes, geometry, np.float32)

    def run():
        y, saved = conv2d.forward(x, weight, bias, relu=True, algorithm=algorithm, **geometry)
        return y, *conv2d.backward(dy, saved)

    assert_same_bits_on_threads(run)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_same_bits_again(algorithm, threads):
    """Scratch that the last call left behind, and threads that share it out otherwise."""
    _jit.set_num_threads(threads)
    x, weight, bias, dy = inputs((5, 6, 19, 17), (9, 6, 3, 3), {}, np.float32)
    results = []
    for _ in range(5):
        y, saved = conv2d.forward(x, weight, bias, algorithm=algorithm)
        results.append((y, *conv2d.backward(dy, saved)))
    for result in results[1:]:
        assert_same_bits(result, results[0])


def test_auto_takes_what_fills_registers():
    for filters, kernel, stride, groups, taken in [
        (5, 3, 1, 1, "direct"),
        (4, 3, 1, 1, "im2col"),
        (5, 1, 1, 1, "im2col"),
        (5, 1, 2, 1, "direct"),
        (8, 3, 1, 8, "depthwise"),
        (10, 3, 1, 2, "direct"),
    ]:
        geometry = {"stride": (stride, stride), "groups": groups}
        shape = (filters, 8 // groups, kernel, kernel)
        arrays = inputs((2, 8, 9, 9), shape, geometry, np.float32)
        x, weight, bias, dy = arrays
        results = {}
        for algorithm in ("auto", *ALGORITHMS):
            y, saved = conv2d.forward(x, weight, bias, algorithm=algorithm, **geometry)
            results[algorithm] = y, conv2d.backward(dy, saved)[1]
        assert_same_bits(results["auto"], results[taken])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_non_contiguous_and_read_only_inputs(algorithm):
    *shapes, geometry = CASES["all at once"]
    arrays = inputs(*shapes, geometry, np.float32)

    def run(x, weight, bias, dy):
        y, saved = conv2d.forward(x, weight, bias, relu=True, algorithm=algorithm, **geometry)
        return y, *conv2d.backward(dy, saved)

    results = run(*arrays)
    for change in (non_contiguous, read_only, np.asfortranarray):
        assert_same_bits(run(*(change(array) for array in arrays)), results)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("relu", [False, True])
def test_empty_batch(relu, algorithm):
    *shapes, geometry = case((0, 4, 5, 6), (8, 2, 3, 3), groups=2)
    x, weight, bias, dy = inputs(*shapes, geometry, np.float32)
    y, saved = conv2d.forward(x, weight, bias, relu=relu, algorithm=algorithm, **geometry)
    assert y.shape == dy.shape == (0, 8, 3, 4)
    dx, dweight, dbias = conv2d.backward(dy, saved)
    assert dx.shape == x.shape
    assert_same_bits([dweight, dbias], [np.zeros_like(weight), np.zeros_like(bias)])
    assert conv2d.backward(dy, saved, (False, True, False))[::2] == (None, None)
    _, saved = conv2d.forward(x, weight, algorithm=algorithm, **geometry)
    assert conv2d.backward(dy, saved)[2] is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_needs_select_gradients(algorithm):
    x, weight, bias, dy = inputs((2, 4, 6, 5), (5, 4, 3, 3), {}, np.float32)
    _, saved = conv2d.forward(x, weight, bias, algorithm=algorithm)
    whole = conv2d.backward(dy, saved)
    for k in range(3):
        needs = tuple(j == k for j in range(3))
        some = conv2d.backward(dy, saved, needs)
        assert_same_bits(some[k], whole[k])
        assert [gradient is not None for gradient in some] == list(needs)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [(3, 2), (0, 0), (5, 6)])
def test_nan_and_infinity_reach_the_windows_that_see_them(place, bad, algorithm):
    x, weight, bias, dy = inputs((2, 4, 6, 7), (5, 4, 3, 3), {"padding": (1, 1)}, np.float32)
    weight[0, 0] = np.abs(weight[0, 0]) + 0.1
    x[1, 0, place[0], place[1]] = bad
    y, saved = conv2d.forward(x, weight, bias, padding=(1, 1), relu=True, algorithm=algorithm)
    rows, columns = np.indices((6, 7))
    near = (np.abs(rows - place[0]) <= 1) & (np.abs(columns - place[1]) <= 1)
    assert np.isfinite(y[0]).all() and np.isfinite(y[1][:, ~near]).all()
    assert np.array_equal(y[1, 0][near], np.full(near.sum(), bad), equal_nan=True)
    dy[1, 3, place[0], place[1]] = bad
    _, saved = conv2d.forward(np.ones_like(x), weight, bias, padding=(1, 1), algorithm=algorithm)
    dx, dweight, dbias = conv2d.backward(dy, saved)
    assert np.isfinite(dx[0]).all() and np.isfinite(dx[1][:, ~near]).all()
    assert not np.isfinite(dx[1][:, near]).any()
    others = [0, 1, 2, 4]
    assert np.isfinite(dweight[others]).all() and np.isfinite(dbias[others]).all()
    assert not np.isfinite(dbias[3]) and not np.isfinite(dweight[3, :, 1, 1]).any()


@_jit.jit
def _every_second(source, start, out, out_start, count):
    copy_every_second(source, start, out, out_start, count)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copy_of_every_second_element_reads_and_writes_no_more(dtype):
    x = np.arange(100, dtype=dtype)
    for count in range(41):
        # Nothing lies behind the last element that is read.
        source = x[: 3 + max(2 * count - 1, 0)].copy()
        out = np.ones(64, dtype)
        _every_second(source, 3, out, 5, count)
        assert_same_bits([out[5 : 5 + count]], [x[3:][: 2 * count : 2]])
        assert (out[:5] == 1).all() and (out[5 + count :] == 1).all()


def test_known_convolution():
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    weight = np.array([[[[1, 0], [0, -1]]]], np.float32)
    y, saved = conv2d.forward(x, weight, np.array([6], np.float32), stride=(2, 2))
    assert y.tolist() == [[[[1, 1], [1, 1]]]]
    dx, dweight, dbias = conv2d.backward(np.array([[[[1, 2], [3, 4]]]], np.float32), saved)
    assert dx[0, 0].tolist() == [[1, 0, 2, 0], [0, -1, 0, -2], [3, 0, 4, 0], [0, -3, 0, -4]]
    assert dweight[0, 0].tolist() == [[68, 78], [108, 118]]
    assert dbias.tolist() == [10]


@pytest.mark.parametrize("dtype", [np.float16, np.int32, np.uint8])
def test_wrong_dtypes_are_named(dtype):
    x, weight, bias = (np.zeros(s, np.float32) for s in [(1, 1, 3, 3), (1, 1, 2, 2), (1,)])
    name = np.dtype(dtype)
    for position, argument in enumerate(["x", "weight", "bias"]):
        arrays = [x, weight, bias]
        arrays[position] = arrays[position].astype(dtype)
        with pytest.raises(TypeError, match=f"conv2d: expected {argument} of float32 or .*{name}"):
            conv2d.forward(*arrays)
    with pytest.raises(TypeError, match=f"conv2d.backward: expected dy of float32 .*{name}"):
        conv2d.backward(np.zeros((1, 1, 2, 2), dtype), conv2d.forward(x, weight)[1])
    with pytest.raises(TypeError, match="expected weight of float32 like the rest, got float64"):
        conv2d.forward(x, weight.astype(np.float64))


@pytest.mark.parametrize(
    ("x", "weight", "bias", "geometry", "message"),
    [
        ((3, 8, 8), (4, 3, 3, 3), None, {}, r"expected x \(N, C, H, W\).* got shapes \(3, 8, 8\)"),
        ((1, 3, 8, 8), (4, 3, 3), None, {}, r"got shapes .* and \(4, 3, 3\)"),
        ((1, 2, 8, 8), (4, 3, 3, 3), None, {}, r"expected x with 3 channels .* got 2"),
        ((1, 6, 8, 8), (4, 6, 3, 3), None, {"groups": 2}, r"with 12 channels .* 2 group.* got 6"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"groups": 2}, r"groups to divide 3 channels and 4"),
        ((1, 4, 8, 8), (3, 2, 3, 3), None, {"groups": 2}, r"4 channels and 3 filters, got 2"),
        ((1, 4, 8, 8), (4, 4, 3, 3), None, {"groups": 0}, r"groups to divide .* got 0"),
        ((1, 4, 8, 8), (4, 4, 3, 3), None, {"groups": 1.0}, r"groups to divide .* got 1.0"),
        ((1, 3, 8, 8), (4, 3, 3, 3), (3,), {}, r"expected a bias of shape \(4,\), got \(3,\)"),
        ((1, 3, 8, 8), (4, 3, 3, 3), (4, 1), {}, r"expected a bias of shape \(4,\), got \(4, 1\)"),
        ((1, 3, 8, 8), (4, 3, 0, 3), None, {}, r"weight without empty axes, got \(4, 3, 0, 3\)"),
        ((1, 3, 4, 8), (4, 3, 5, 3), None, {}, r"at least the kernel's extent, got \(4, 8\)"),
        ((1, 3, 8, 4), (4, 3, 3, 3), None, {"dilation": (1, 2)}, r"dilation \(1, 2\)"),
        ((1, 3, 2, 8), (4, 3, 5, 3), None, {"padding": (1, 0)}, r"padding \(1, 0\) under a kern"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"stride": (0, 1)}, r"stride as two integers >= 1, got"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"padding": (0, -1)}, r"padding as two integers >= 0"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"dilation": (0, 1)}, r"dilation as two integers >= 1"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"stride": 2}, r"stride as two integers >= 1, got 2"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"stride": (1.5, 1)}, r"got \(1.5, 1\)"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"stride": (1, 1, 1)}, r"got \(1, 1, 1\)"),
        ((1, 3, 8, 8), (4, 3, 3, 3), None, {"algorithm": "fft"}, r"algorithm as one of .*'fft'"),
    ],
)
def test_wrong_shapes_and_geometry_are_named(x, weight, bias, geometry, message):
    bias = None if bias is None else np.zeros(bias, np.float32)
    with pytest.raises(ValueError, match=f"conv2d: .*{message}"):
        conv2d.forward(np.zeros(x, np.float32), np.zeros(weight, np.float32), bias, **geometry)


def test_wrong_shape_of_dy_is_named():
    x, weight, _, dy = inputs((2, 3, 6, 5), (4, 3, 3, 3), {}, np.float32)
    _, saved = conv2d.forward(x, weight)
    for wrong in (dy[0], dy[:1], dy[:, :1], dy.transpose(0, 1, 3, 2), dy.astype(np.float64)):
        with pytest.raises(ValueError, match=r"conv2d.backward: expected dy of shape \(2, 4, 4, 3"):
            conv2d.backward(wrong, saved)


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("algorithm", ["auto", *ALGORITHMS])
@pytest.mark.parametrize("relu", [False, True])
def test_h_conv2d_against_pytorch(torch, relu, algorithm):
    for *shapes, geometry in CASES.values():
        if 0 in shapes[0]:
            continue  # PyTorch refuses images without rows.
        x, weight, bias, dy = inputs(*shapes, geometry, np.float32)
        y, saved = conv2d.forward(x, weight, bias, relu=relu, algorithm=algorithm, **geometry)
        tensors = [torch.from_numpy(array).requires_grad_() for array in (x, weight, bias)]
        y_torch = torch.nn.functional.conv2d(*tensors, **geometry)
        y_torch = torch.relu(y_torch) if relu else y_torch
        decided = np.abs(y) > 1e-4 if relu else np.ones(y.shape, bool)
        dy = np.where(decided, dy, 0).astype(np.float32)
        y_torch.backward(torch.from_numpy(dy))
        assert_close(y, y_torch.detach().numpy(), 1e-5)
        for gradient, tensor in zip(conv2d.backward(dy, saved), tensors, strict=True):
            assert_close(gradient, tensor.grad.numpy(), 1e-4)
