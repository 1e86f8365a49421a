"""Dropout's layers against PyTorch's: what does not depend on the masks."""

import numpy as np
import pytest

import nnet as nn
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

SHAPES = {
    "Dropout": [(4, 6)],
    "Dropout1d": [(4, 6, 5), (6, 5)],
    "Dropout2d": [(4, 6, 5, 3), (4, 6, 5)],
    "Dropout3d": [(4, 6, 2, 5, 3), (6, 2, 5, 3)],
    "AlphaDropout": [(4, 6)],
    "FeatureAlphaDropout": [(4, 6), (4, 6, 5), (4, 6, 2, 5, 3)],
}
CASES = [(kind, shape) for kind, shapes in SHAPES.items() for shape in shapes]


@pytest.mark.filterwarnings("ignore:dropout2d")
@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_b2_b8_values_kept_and_dropped_are_pytorchs(kind, shape):
    """A mask of PyTorch's is found in its output; ours, on the same elements, gives the same."""
    torch.manual_seed(0)
    nn.manual_seed(0)
    x = np.ones((64, *shape[1:]))
    theirs, ours = getattr(torch.nn, kind)(0.4), getattr(nn, kind)(0.4)
    assert repr(theirs) == repr(ours)
    given, reference = nn.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, expected = ours(given), theirs(reference)
    y.sum().backward()
    expected.sum().backward()
    assert_close(np.unique(y.data), np.unique(expected.detach().numpy()), 1e-12)
    assert_close(np.unique(given.grad.data), np.unique(reference.grad.numpy()), 1e-12)
    constant = [
        axis for axis in range(1, x.ndim) if (np.ptp(expected.detach().numpy(), axis) == 0).all()
    ]
    assert [axis for axis in range(1, x.ndim) if (np.ptp(y.data, axis) == 0).all()] == constant


@pytest.mark.filterwarnings("ignore:dropout2d")
@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_b2_none_all_and_use_are_pytorchs(kind, shape, p):
    x = np.random.default_rng(0).normal(size=shape)
    theirs, ours = getattr(torch.nn, kind)(p), getattr(nn, kind)(p)
    for training in (True, False):
        y = ours.train(training)(nn.Tensor(x))
        expected = theirs.train(training)(torch.tensor(x))
        assert_close(y.data, expected.numpy(), 0)


def test_b2_dropped_nan_is_zero_where_pytorch_multiplies():
    torch.manual_seed(0)
    x = np.full(1000, np.nan, np.float32)
    assert np.isnan(torch.nn.functional.dropout(torch.tensor(x)).numpy()).all()
    y = nn.functional.dropout(nn.Tensor(x)).data
    assert (np.isnan(y) | (y == 0)).all() and 0.4 < np.isnan(y).mean() < 0.6
