"""Padding against PyTorch: cuts and additions at both ends, in every mode, and what is refused."""

import itertools

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close
from tests.nnet.gradients import check_gradients

torch = pytest.importorskip("torch")

AMOUNTS = range(-4, 5)
MODES = ("constant", "reflect", "replicate", "circular")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_widths_are_taken_or_refused_as_in_pytorch(mode, length):
    x = np.arange(2.0 * length, dtype=np.float32).reshape(1, 2, length) + 1
    for width in itertools.product(AMOUNTS, AMOUNTS):
        rest = length + sum(min(each, 0) for each in width)
        if mode == "circular" and (rest < 0 or max(width) > rest):
            # PyTorch reads outside the tensor here.
            with pytest.raises(ValueError, match="pad: expected"):
                F.pad(nn.Tensor(x), width, mode)
            continue
        theirs = torch.tensor(x, requires_grad=True)
        try:
            expected = torch.nn.functional.pad(theirs, width, mode)
        except RuntimeError:
            with pytest.raises(ValueError, match="pad: expected"):
                F.pad(nn.Tensor(x), width, mode)
            continue
        ours = nn.Tensor(x.copy(), requires_grad=True)
        y = F.pad(ours, width, mode)
        assert_close(y, expected.detach().numpy(), 0)
        weights = np.arange(1.0, y.numel() + 1, dtype=np.float32).reshape(y.shape)
        y.backward(nn.Tensor(weights))
        expected.backward(torch.tensor(weights))
        assert_close(ours.grad, theirs.grad.numpy(), 0)


def test_gradients_of_cuts():
    x = np.random.default_rng(0).normal(size=(1, 4, 5))
    for mode, width in itertools.product(MODES, ((-1, 2), (2, -2), (-1, -1), (1, -1, -1, 2))):
        shaped = x[None] if len(width) == 4 else x
        check_gradients(lambda a, m=mode, w=width: F.pad(a, w, m), shaped)


def test_more_than_there_is_cannot_be_cut_off():
    with pytest.raises(ValueError, match=r"pad: expected to cut off at most all of \(1,\)"):
        F.pad(nn.ones(1), (-2, 2))
    with pytest.raises(ValueError, match=r"pad: expected to cut off at most all of \(2, 2\)"):
        F.pad(nn.ones(2, 2), (0, 0, 9, -3))
    assert F.pad(nn.ones(2), (-2, 2)).tolist() == [0, 0]
