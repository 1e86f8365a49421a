"""Normalizations within a sample against PyTorch's."""

import warnings

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

TRACKED = {"affine": True, "track_running_stats": True}

LAYERS = {
    "layer, rows": ("LayerNorm", (7,), {}, (4, 7)),
    "layer, one sample": ("LayerNorm", (7,), {"eps": 0.1}, (7,)),
    "layer, sequence": ("LayerNorm", (7,), {"bias": False}, (2, 5, 7)),
    "layer, images": ("LayerNorm", ((3, 4, 5),), {}, (2, 3, 4, 5)),
    "layer, list": ("LayerNorm", ([4, 5],), {"elementwise_affine": False}, (2, 3, 4, 5)),
    "rms, rows": ("RMSNorm", (7,), {}, (4, 7)),
    "rms, images": ("RMSNorm", ((4, 5),), {"eps": 0.1}, (2, 3, 4, 5)),
    "rms, plain": ("RMSNorm", (7,), {"elementwise_affine": False}, (2, 5, 7)),
    "group, rows": ("GroupNorm", (2, 6), {}, (4, 6)),
    "group, sequence": ("GroupNorm", (3, 6), {"bias": False}, (4, 6, 5)),
    "group, images": ("GroupNorm", (2, 6), {"eps": 0.1}, (4, 6, 5, 3)),
    "group, volumes": ("GroupNorm", (6, 6), {"affine": False}, (2, 6, 5, 3, 2)),
    "instance 1d": ("InstanceNorm1d", (5,), {}, (4, 5, 6)),
    "instance 1d, one sample": ("InstanceNorm1d", (5,), {"affine": True}, (5, 6)),
    "instance 1d, tracked": ("InstanceNorm1d", (5,), TRACKED, (4, 5, 6)),
    "instance 2d": ("InstanceNorm2d", (5,), {"affine": True, "bias": False}, (4, 5, 6, 3)),
    "instance 2d, one image": ("InstanceNorm2d", (5,), TRACKED, (5, 6, 3)),
    "instance 2d, tracked": ("InstanceNorm2d", (5,), {**TRACKED, "momentum": 0.3}, (4, 5, 6, 3)),
    "instance 2d, kept": ("InstanceNorm2d", (5,), {**TRACKED, "momentum": None}, (4, 5, 6, 3)),
    "instance 3d": ("InstanceNorm3d", (5,), {"eps": 0.1}, (2, 5, 6, 3, 2)),
    "instance 3d, one volume": ("InstanceNorm3d", (5,), TRACKED, (5, 6, 3, 2)),
    "local response 1d": ("LocalResponseNorm", (3,), {"alpha": 0.5}, (2, 7, 5)),
    "local response": ("LocalResponseNorm", (5,), {"alpha": 0.1, "k": 2.0}, (2, 7, 5, 4)),
    "local response, even": ("LocalResponseNorm", (4,), {"alpha": 0.5, "beta": 0.6}, (2, 7, 5, 4)),
    "local response 3d": ("LocalResponseNorm", (9,), {"alpha": 0.5}, (2, 4, 3, 2, 5)),
}


def beside(name, dtype):
    kind, arguments, options, shape = LAYERS[name]
    of_torch = (
        {} if kind == "LocalResponseNorm" else {"dtype": getattr(torch, np.dtype(dtype).name)}
    )
    of_ours = {} if kind == "LocalResponseNorm" else {"dtype": dtype}
    theirs = getattr(torch.nn, kind)(*arguments, **options, **of_torch)
    ours = getattr(nn, kind)(*arguments, **options, **of_ours)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.tensor(rng.normal(1, 0.5, parameter.shape)))
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs, rng.normal(1, 2, shape).astype(dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("name", LAYERS)
def test_j_c10_layers_are_pytorchs(name, dtype, tolerance):
    ours, theirs, x = beside(name, dtype)
    assert repr(ours) == repr(theirs)
    dy = np.random.default_rng(1).normal(size=x.shape).astype(dtype)
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        ours.zero_grad()
        theirs.zero_grad()
        mine = nn.Tensor(x.copy(), requires_grad=True)
        reference = torch.tensor(x, requires_grad=True)
        y, expected = ours(mine), theirs(reference)
        y.backward(nn.Tensor(dy))
        expected.backward(torch.tensor(dy))
        assert_close(y, expected.detach().numpy(), tolerance)
        assert_close(mine.grad, reference.grad.numpy(), tolerance)
        gradients = {key: p.grad.numpy() for key, p in theirs.named_parameters()}
        assert [key for key, _ in ours.named_parameters()] == list(gradients)
        for key, parameter in ours.named_parameters():
            assert_close(parameter.grad, gradients[key], tolerance)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        for key, value in theirs.state_dict().items():
            assert_close(ours.state_dict()[key], value.numpy(), tolerance)


def complaint(call):
    """What a call raises or warns of: the type, or None."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            call()
        except (ValueError, RuntimeError) as error:
            return type(error)
    return Warning if said else None


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("group_norm", (4,), (1, 4)),
        ("group_norm", (4,), (2, 4)),
        ("group_norm", (1,), (1, 1)),
        ("group_norm", (1,), (1, 1, 1, 1)),
        ("group_norm", (4,), (1, 4, 1)),
        ("group_norm", (4,), (0, 4)),
        ("instance_norm", (), (2, 4, 1)),
        ("instance_norm", (), (2, 4)),
        ("instance_norm", (), (0, 4, 2)),
        ("layer_norm", ((1,),), (2, 1)),
        ("layer_norm", ((4,),), (0, 4)),
        ("layer_norm", ((4,),), (2, 5)),
        ("rms_norm", ((4,),), (2, 5)),
    ],
    ids=str,
)
def test_j_one_value_a_group_is_an_error_where_it_is_in_pytorch(name, arguments, shape):
    x = np.ones(shape, np.float32)
    theirs = complaint(lambda: getattr(torch.nn.functional, name)(torch.tensor(x), *arguments))
    ours = complaint(lambda: getattr(F, name)(nn.Tensor(x), *arguments))
    assert (ours is None) == (theirs is None)


@pytest.mark.parametrize("affine", [False, True])
def test_j_another_number_of_channels_is_an_error_only_where_parameters_need_it(affine):
    x = np.ones((2, 3, 4), np.float32)
    x[..., 0] = 0
    said = [
        complaint(lambda: torch.nn.InstanceNorm1d(5, affine=affine)(torch.tensor(x))),
        complaint(lambda: nn.InstanceNorm1d(5, affine=affine)(nn.Tensor(x))),
    ]
    assert said == ([ValueError] * 2 if affine else [Warning] * 2)
