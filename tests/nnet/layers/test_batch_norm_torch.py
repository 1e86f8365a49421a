"""Batch normalization layers against PyTorch: every option, values, gradients and state."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

KINDS = {
    "BatchNorm1d": [(7, 3), (4, 3, 5)],
    "BatchNorm2d": [(4, 3, 5, 2)],
    "BatchNorm3d": [(2, 3, 2, 3, 2)],
}
OPTIONS = [
    {},
    {"eps": 1e-2, "momentum": 0.3},
    {"momentum": None},
    {"affine": False},
    {"bias": False},
    {"track_running_stats": False},
]


def pair(kind, dtype, **options):
    """One layer of this library and one of PyTorch, with the same state."""
    theirs = getattr(torch.nn, kind)(3, dtype=torch.float32, **options)
    with torch.no_grad():
        for i, parameter in enumerate(theirs.parameters()):
            parameter.copy_(torch.linspace(i - 1, i + 1, 3))
    ours = getattr(nn, kind)(3, **options)
    ours.load_state_dict(theirs.state_dict())
    if dtype == np.float64:
        return ours.double(), theirs.double()
    return ours, theirs


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-10)])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("kind", "shape"), [(k, s) for k, v in KINDS.items() for s in v])
def test_a1_a2_a3_batch_norm_layers_against_pytorch(kind, shape, options, dtype, tolerance):
    ours, theirs = pair(kind, dtype, **options)
    rng = np.random.default_rng(0)
    for training in (True, True, False):
        ours.train(training), theirs.train(training)
        data, dy = (rng.normal(1, 2, shape).astype(dtype) for _ in range(2))
        x, torch_x = nn.Tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
        ours.zero_grad(), theirs.zero_grad()
        y, torch_y = ours(x), theirs(torch_x)
        y.backward(nn.Tensor(dy)), torch_y.backward(torch.tensor(dy))
        assert_close(y.data, torch_y.detach().numpy(), tolerance)
        assert_close(x.grad.data, torch_x.grad.numpy(), tolerance)
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert_close(one.grad.data, other.grad.numpy(), tolerance)
        state, torch_state = ours.state_dict(), theirs.state_dict()
        assert list(state) == list(torch_state)
        for name, value in torch_state.items():
            assert_close(state[name].data, value.numpy(), tolerance)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("kind", "shape"),
    [("BatchNorm1d", (0, 3)), ("BatchNorm1d", (4, 3, 0)), ("BatchNorm2d", (0, 3, 4, 4))],
)
def test_an_empty_batch_as_pytorch(kind, shape, training):
    ours, theirs = pair(kind, np.float32)
    ours.train(training), theirs.train(training)
    x = nn.Tensor(np.zeros(shape, np.float32), requires_grad=True)
    torch_x = torch.zeros(shape, requires_grad=True)
    y = ours(x)
    y.sum().backward(), theirs(torch_x).sum().backward()
    assert y.shape == x.grad.shape == shape
    assert ours.weight.grad.tolist() == theirs.weight.grad.tolist()
    for name, value in theirs.state_dict().items():
        assert ours.state_dict()[name].tolist() == value.tolist()


def test_a_residual_block_against_pytorch():
    ours, theirs = pair("BatchNorm2d", np.float64)
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(4, 3, 5, 5)) for _ in range(3)]
    x, residual = (nn.Tensor(array, requires_grad=True) for array in arrays[:2])
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays[:2]]
    ours(x, relu=True, residual=residual).backward(nn.Tensor(arrays[2]))
    torch.relu(theirs(leaves[0]) + leaves[1]).backward(torch.tensor(arrays[2]))
    for one, other in zip((x, residual), leaves, strict=True):
        assert_close(one.grad.data, other.grad.numpy(), 1e-10)


def test_it_prints_as_pytorch():
    for options in OPTIONS:
        assert repr(nn.BatchNorm2d(3, **options)) == repr(torch.nn.BatchNorm2d(3, **options))


def untracked(layer):
    layer.track_running_stats = False


def tracked(layer):
    layer.track_running_stats = True


def plain_averages(layer):
    layer.momentum = None


def half(layer):
    layer.momentum = 0.5


def in_use_by_hand(layer):
    layer.training = False


def in_training_by_hand(layer):
    layer.training = True


def without_parameters(layer):
    layer.affine = False
    layer.weight = layer.bias = None


def without_averages(layer):
    layer.running_mean = layer.running_var = None


def without_a_count(layer):
    layer.num_batches_tracked = None


def other_eps(layer):
    layer.eps = 0.5


def nothing(layer):
    pass


CHANGES = {
    "untracked": [nothing, untracked, in_use_by_hand, in_training_by_hand, tracked, nothing],
    "plain averages": [nothing, plain_averages, nothing, untracked, nothing, tracked],
    "plain averages without a count": [nothing, without_a_count, plain_averages, nothing],
    "another momentum": [plain_averages, nothing, half, nothing, without_a_count, nothing],
    "modes by hand": [in_use_by_hand, in_training_by_hand, untracked, in_use_by_hand],
    "without parameters": [nothing, without_parameters, other_eps, in_use_by_hand],
    "without averages": [nothing, without_averages, nothing],
    "without averages, in use": [nothing, without_averages, in_use_by_hand],
    "untracked, in use": [in_use_by_hand, untracked, in_training_by_hand, in_use_by_hand],
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("tracks", [True, False])
@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("BatchNorm1d", (5, 3)),
        ("BatchNorm2d", (4, 3, 2, 3)),
        ("BatchNorm3d", (2, 3, 2, 2, 2)),
        ("InstanceNorm1d", (4, 3, 6)),
        ("InstanceNorm2d", (4, 3, 2, 3)),
    ],
)
def test_what_is_changed_later_counts_as_in_pytorch(kind, shape, tracks, name):
    rng = np.random.default_rng(0)
    options = {"affine": True, "track_running_stats": tracks}
    ours, theirs = (getattr(library, kind)(3, **options) for library in (nn, torch.nn))
    both_refuse = tracks and name == "without averages, in use" and kind.startswith("Instance")
    for change in CHANGES[name]:
        x = rng.normal(1, 2, shape).astype(np.float32)
        for layer in (ours, theirs):
            change(layer)
        if both_refuse and change is in_use_by_hand:
            with pytest.raises(ValueError, match="expected running_mean and running_var"):
                ours(nn.Tensor(x))
            with pytest.raises(RuntimeError, match="Expected running_mean and running_var"):
                theirs(torch.tensor(x))
            return
        found, expected = ours(nn.Tensor(x)), theirs(torch.tensor(x))
        assert_close(found, expected.detach().numpy(), 1e-5)
        for buffer in ("running_mean", "running_var", "num_batches_tracked"):
            mine, reference = getattr(ours, buffer), getattr(theirs, buffer)
            assert (mine is None) == (reference is None)
            if mine is not None:
                assert_close(mine, reference.numpy(), 1e-6)
