"""Weight and spectral normalization against PyTorch's."""

import warnings

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close

torch = pytest.importorskip("torch")


def compare(ours, theirs, x, tolerance=1e-5):
    mine, reference = nn.Tensor(x.copy(), requires_grad=True), torch.tensor(x, requires_grad=True)
    y, expected = ours(mine), theirs(reference)
    dy = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    ours.zero_grad()
    theirs.zero_grad()
    y.backward(nn.Tensor(dy))
    expected.backward(torch.tensor(dy))
    assert_close(y, expected.detach().numpy(), tolerance)
    assert_close(mine.grad, reference.grad.numpy(), tolerance)
    gradients = {name: each.grad.numpy() for name, each in theirs.named_parameters()}
    assert sorted(gradients) == sorted(name for name, _ in ours.named_parameters())
    for name, each in ours.named_parameters():
        assert_close(each.grad, gradients[name], tolerance)


@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("kind", ["Linear", "Conv2d"])
def test_j_weight_norm_is_pytorchs(kind, dim):
    arguments, shape = ((6, 5), (4, 6)) if kind == "Linear" else ((3, 4, 3), (2, 3, 6, 7))
    theirs, ours = getattr(torch.nn, kind)(*arguments), getattr(nn, kind)(*arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.nn.utils.weight_norm(theirs, dim=dim)
    nn.weight_norm(ours, dim=dim)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    compare(ours, theirs, np.random.default_rng(0).normal(size=shape).astype(np.float32))


def test_j_spectral_norm_is_pytorchs():
    theirs, ours = torch.nn.Conv2d(3, 4, 3), nn.spectral_norm(nn.Conv2d(3, 4, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.nn.utils.spectral_norm(theirs)
    names = {name: value.shape for name, value in ours.state_dict().items()}
    assert names == {name: tuple(value.shape) for name, value in theirs.state_dict().items()}
    ours.load_state_dict(theirs.state_dict())
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        compare(ours, theirs, np.random.default_rng(0).normal(size=(2, 3, 6, 7)).astype(np.float32))
        assert_close(ours.weight_u, theirs.weight_u.numpy(), 1e-5)
