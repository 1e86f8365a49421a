"""Picking and cutting: lists of tensors, empty axes, tensors without axes."""

import numpy as np
import pytest

import nnet as nn

X = np.arange(24).reshape(2, 3, 4)


def places(*given):
    return [nn.tensor(each) for each in given]


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (places([0, 1], [1, 2]), X[[0, 1], [1, 2]]),
        (places([1, 0]), X[[1, 0]]),
        (places(0, 1), X[0, 1]),
        ([nn.tensor(0), 1], X[0, 1]),
        ([[0, 1], [1, 2]], X[[0, 1], [1, 2]]),
        ([(0, 1), (1, 2)], X[[0, 1], [1, 2]]),
        ([slice(0, 1), 1], X[0:1, 1]),
        ([None], X[None]),
        ([..., 0], X[..., 0]),
        ([np.array([0, 1]), np.array([1, 1])], X[[0, 1], [1, 1]]),
        (places([True, False], [True, False, True]), X[np.ix_([0], [0, 2])][0]),
        ([0, 1], X[[0, 1]]),
        ([True, False], X[[True, False]]),
        ([], X[[]]),
        ((places(0, 1), slice(1)), X[[0, 1], :1]),
    ],
)
def test_a_list_of_more_than_numbers_is_one_position_an_axis(index, expected):
    assert nn.Tensor(X)[index].tolist() == expected.tolist()
    x = nn.Tensor(X.astype(np.float32), requires_grad=True)
    x[index].sum().backward()
    counts = np.zeros(X.shape)
    counts.reshape(-1)[expected.reshape(-1)] = 1
    assert x.grad.tolist() == counts.tolist()
    y = nn.zeros(2, 3, 4)
    y[index] = 1
    assert y.tolist() == counts.tolist()


def test_indices_that_are_none_are_refused():
    x = nn.Tensor(X)
    for index in (nn.tensor([0.0]), 1.0, "a", [0.5], 2, nn.tensor([2]), (0, 0, 0, 0)):
        with pytest.raises(IndexError):
            x[index]


def test_an_empty_axis_is_one_empty_piece():
    for pieces in (nn.zeros(0, 3).split(2), nn.zeros(3, 0).split(5, 1), nn.zeros(0).split(0)):
        assert len(pieces) == 1 and pieces[0].numel() == 0
    assert [piece.shape for piece in nn.zeros(5, 2).split(2)] == [(2, 2), (2, 2), (1, 2)]
    assert [piece.shape for piece in nn.zeros(4).split([0, 4])] == [(0,), (4,)]


def test_pieces_of_no_size_are_refused():
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"split: expected a size above 0, got {size}"):
            nn.zeros(4).split(size)
    with pytest.raises(ValueError, match=r"split: expected sizes .* to 4, got \[-1, 5\]"):
        nn.zeros(4).split([-1, 5])
    with pytest.raises(TypeError):
        nn.zeros(4).split(2.0)


def test_a_tensor_without_axes_keeps_its_shape():
    x = nn.tensor(2.0, requires_grad=True)
    for y in (x.contiguous(), x.clone(), x.squeeze(0), x.squeeze(-1), x.transpose(0, -1), x.T):
        assert y.shape == () and y.item() == 2
        x.grad = None
        y.backward()
        assert x.grad.shape == () and x.grad.item() == 1
    with pytest.raises(IndexError, match="dim: expected -1 to 0, got 1"):
        x.squeeze(1)


def test_contiguous_copies_only_what_is_not():
    x = nn.Tensor(X)
    assert x.contiguous().data is x.data
    assert x.T.contiguous().data.flags.c_contiguous


def test_squeeze_takes_several_axes():
    x = nn.zeros(1, 2, 1)
    assert x.squeeze((0, 2)).shape == (2,) and x.squeeze([0, 1]).shape == (2, 1)


def test_steps_that_lead_away_are_refused():
    for given in ((0, -3, 2), (0, 3, -1), (-3,), (0, 3, 0), (1, 1, 0)):
        with pytest.raises(ValueError, match="arange: expected a step that leads from"):
            nn.arange(*given)
    for given in ((0, np.inf), (np.nan,), (0, 3, np.inf), (0, -np.inf, -1), (0, 3, np.nan)):
        with pytest.raises(ValueError, match="arange: expected finite numbers"):
            nn.arange(*given)
    assert nn.arange(0, -3, -2).tolist() == [0, -2] and nn.arange(2, 2, -1).shape == (0,)


def test_numbers_in_a_row_have_the_dtype_that_is_asked_for():
    assert nn.arange(3, dtype=np.float32).dtype == np.float32 and nn.arange(2.0).dtype == np.float32
    assert nn.arange(start=1, end=3).tolist() == [1, 2]
    assert nn.arange(0, 2.5, dtype=np.int64).tolist() == [0, 1]


def test_full_takes_the_dtype_of_its_value():
    assert nn.full((2,), 7).dtype == np.int64 and nn.full((2,), True).dtype == np.bool_
    assert nn.full((), 1.5).dtype == np.float32 and nn.full((), 1, np.float64).dtype == np.float64
