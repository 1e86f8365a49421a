"""Convolution layers and padding against PyTorch's, over a grid of options."""

import itertools

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel")

TOLERANCES = [(np.float32, 1e-5), (np.float64, 1e-10)]


def compare(ours, theirs, x, tolerance, **called):
    """Values, gradients and state of two layers, or functions, of one input."""
    mine = nn.Tensor(x.copy(), requires_grad=True)
    reference = torch.tensor(x, requires_grad=True)
    y, expected = ours(mine, **called), theirs(reference, **called)
    assert y.shape == tuple(expected.shape)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, y.shape).astype(x.dtype)
    y.backward(nn.Tensor(weights))
    expected.backward(torch.tensor(weights))
    assert_close(y, expected.detach().numpy(), tolerance)
    assert_close(mine.grad, reference.grad.numpy(), tolerance)
    if isinstance(ours, nn.Module):
        gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
        assert [name for name, _ in ours.named_parameters()] == list(gradients)
        for name, parameter in ours.named_parameters():
            assert_close(parameter.grad, gradients[name], tolerance)


def compare_layers(kind, arguments, options, shape, **called):
    for dtype, tolerance in TOLERANCES:
        theirs = getattr(torch.nn, kind)(*arguments, **options)
        if dtype == np.float64:
            theirs = theirs.double()
        ours = getattr(nn, kind)(*arguments, **options, dtype=dtype)
        ours.load_state_dict(theirs.state_dict())
        assert repr(ours) == repr(theirs)
        x = np.random.default_rng(0).normal(0, 1, shape).astype(dtype)
        compare(ours, theirs, x, tolerance, **called)


KERNELS = {1: [3, 4], 2: [3, (2, 3)]}
PADDINGS = {1: [0, 2, "same", "valid"], 2: [0, (1, 2), "same", "valid"]}


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("axes", [1, 2])
def test_h_convolution_layers_are_pytorchs(axes, mode):
    size = (9, 8)[:axes]
    for kernel, padding, stride, dilation, groups in itertools.product(
        KERNELS[axes], PADDINGS[axes], [1, 2], [1, 2], [1, 2]
    ):
        if padding == "same" and stride != 1:
            continue
        options = {
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "groups": groups,
            "bias": groups == 1,
            "padding_mode": mode,
        }
        compare_layers(f"Conv{axes}d", (4, 6, kernel), options, (2, 4, *size))


@pytest.mark.parametrize("axes", [1, 2])
def test_h_transposed_layers_are_pytorchs(axes):
    size = (5, 4)[:axes]
    for kernel, padding, stride, dilation, groups, more in itertools.product(
        KERNELS[axes], [0, (1, 2)[:axes]], [1, 3], [1, 2], [1, 2], [0, 1, (2, 0)[:axes]]
    ):
        most = more if isinstance(more, int) else max(more)
        if most >= max(stride, dilation):
            continue
        options = {
            "stride": stride,
            "padding": padding,
            "output_padding": more,
            "dilation": dilation,
            "groups": groups,
            "bias": groups == 1,
        }
        compare_layers(f"ConvTranspose{axes}d", (4, 6, kernel), options, (2, 4, *size))


@pytest.mark.parametrize("shape", [(1, 4, 6), (4, 6), (2, 4, 1), (1, 4, 500)], ids=str)
def test_h_series_of_any_shape_are_pytorchs(shape):
    compare_layers("Conv1d", (4, 6, 3), {"padding": 1}, shape)
    compare_layers("Conv1d", (4, 4, 3), {"padding": 1, "groups": 4}, shape)
    compare_layers("ConvTranspose1d", (4, 6, 3), {"stride": 2}, shape)


@pytest.mark.parametrize("shape", [(1, 4, 6, 5), (4, 6, 5), (2, 4, 1, 1)], ids=str)
def test_h_images_of_any_shape_are_pytorchs(shape):
    compare_layers("Conv2d", (4, 6, 3), {"padding": 1}, shape)
    compare_layers("ConvTranspose2d", (4, 6, 3), {"stride": 2}, shape)


@pytest.mark.parametrize("axes", [1, 2])
def test_h_output_size_is_pytorchs(axes):
    kind, options, shape = f"ConvTranspose{axes}d", {"stride": 3, "padding": 1}, (2, 4, 5, 4)
    arguments = (4, 6, 4)
    for more in (0, 1, 2):
        size = [(n - 1) * 3 - 2 + 4 + more for n in shape[2 : 2 + axes]]
        compare_layers(kind, arguments, options, shape[: 2 + axes], output_size=size)
        whole = [2, 6, *size]
        compare_layers(kind, arguments, options, shape[: 2 + axes], output_size=whole)


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_h_pad_is_pytorchs(mode, dtype, tolerance):
    cases = [
        ((2, 3, 5), (2, 1)),
        ((3, 4), (0, 3)),
        ((3, 4), (3, 0)),
        ((2, 3, 4, 5), (3, 1, 0, 2)),
        ((3, 4, 5), (3, 1, 0, 2)),
        ((1, 2, 3, 2), (1, 1, 2, 2)),
        ((2, 2, 3, 4, 2), (1, 1, 1, 2, 1, 0)),
    ]
    if mode == "constant":
        cases += [((2, 3), (1, -1, -1, 2)), ((4,), (-2, 0)), ((2, 3), ())]
    for shape, pad in cases:
        x = np.random.default_rng(0).normal(0, 1, shape).astype(dtype)
        compare(
            lambda x, pad=pad: F.pad(x, pad, mode),
            lambda x, pad=pad: torch.nn.functional.pad(x, pad, mode),
            x,
            tolerance,
        )


def test_h_functions_take_arguments_in_pytorchs_order():
    rng = np.random.default_rng(0)
    calls = {
        "conv1d": ((4, 2, 3), (2, 1, 2, 2), (6,)),
        "conv2d": ((4, 2, 3, 2), ((2, 1), 1, (1, 2), 2), (6, 5)),
        "conv_transpose1d": ((4, 2, 3), (2, 1, 1, 2, 2), (6,)),
        "conv_transpose2d": ((4, 2, 3, 2), ((2, 1), 1, (1, 0), 2, (1, 2)), (6, 5)),
    }
    for name, (weight_shape, options, size) in calls.items():
        x, weight, bias = (rng.normal(size=s) for s in ((2, 4, *size), weight_shape, 4))
        expected = getattr(torch.nn.functional, name)(
            *map(torch.tensor, (x, weight, bias)), *options
        )
        y = getattr(F, name)(*map(nn.Tensor, (x, weight, bias)), *options)
        assert_close(y, expected.numpy(), 1e-10)


def test_h_transposed_initial_values_are_distributed_as_pytorchs():
    nn.manual_seed(0)
    torch.manual_seed(0)
    arguments = 40, 60, 3
    ours, theirs = nn.ConvTranspose2d(*arguments), torch.nn.ConvTranspose2d(*arguments)
    for mine, reference in zip(ours.parameters(), theirs.parameters(), strict=True):
        reference = reference.detach().numpy()
        assert abs(mine.data).max() == pytest.approx(abs(reference).max(), rel=0.1)
        assert mine.data.std() == pytest.approx(reference.std(), rel=0.15)
