"""FloatTensor and its kin, and changes of the type, against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")

FUNCTIONS = (
    *("FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor"),
)
GIVEN = {
    "list": lambda t, of: of([0, 1, 2]),
    "nested": lambda t, of: of([[1, 0], [3, 4]]),
    "floats": lambda t, of: of([0.5, 2.75]),
    "tuple": lambda t, of: of((1, 0)),
    "array": lambda t, of: of(np.array([[1, 2]], np.int32)),
    "none": lambda t, of: of(),
    "empty list": lambda t, of: of([]),
    "same": lambda t, of: of(t.tensor([1, 0]).type(of)),
}


def agree(ours, theirs):
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.shape == tuple(theirs.shape)
    assert ours.data.tolist() == theirs.detach().tolist()


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_pytorchs(name, given):
    agree(GIVEN[given](nn, getattr(nn, name)), GIVEN[given](torch, getattr(torch, name)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_sizes_one_by_one(name):
    ours, theirs = getattr(nn, name)(2, 0, 3), getattr(torch, name)(2, 0, 3)
    agree(ours, theirs)
    assert getattr(nn, name)(3).shape == (3,)


def test_a_tensor_of_the_dtype_shares_its_values():
    x = nn.LongTensor([1, 2])
    y = nn.LongTensor(x)
    y[0] = 5
    assert x.tolist() == [5, 2]


@pytest.mark.parametrize(
    "given", [(3.5,), (True,), ("1",), (2, [1]), (2.0, 3), ([1], [2]), (["a"],)]
)
def test_others_are_type_errors(given):
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        torch.FloatTensor(*given)
    with pytest.raises(TypeError, match="FloatTensor: expected"):
        nn.FloatTensor(*given)


def test_a_tensor_of_another_dtype_is_a_type_error():
    with pytest.raises(TypeError, match=r"expected a tensor of float32, got int64; x.type"):
        nn.FloatTensor(nn.tensor([1, 2]))


TYPES = {
    "float": lambda t, x: x.type(t.FloatTensor),
    "long": lambda t, x: x.type(t.LongTensor),
    "byte": lambda t, x: x.type(t.ByteTensor),
    "name": lambda t, x: x.type("torch.DoubleTensor"),
    "char": lambda t, x: x.type("torch.CharTensor"),
    "dtype": lambda t, x: x.type(dtype=t.int16),
    "alias": lambda t, x: x.type(t.double),
    "of itself": lambda t, x: x.type(x.type()),
    "type_as": lambda t, x: x.type_as(t.zeros(1, dtype=t.double)),
    "type_as long": lambda t, x: x.type_as(t.tensor(3)),
    "byte()": lambda t, x: x.byte(),
    "char()": lambda t, x: x.char(),
    "short()": lambda t, x: x.short(),
    "int()": lambda t, x: x.int(),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("name", TYPES)
def test_types_are_pytorchs(name, dtype):
    results = []
    for t in (nn, torch):
        x = t.tensor([[0.0, 1.0], [2.5, 3.0]]).to(getattr(t, dtype)).t()
        x.requires_grad_(dtype.startswith("float"))
        y = TYPES[name](t, x)
        assert (y is x) == (y.dtype == x.dtype)
        results.append((x, y))
    (x, y), (x_theirs, expected) = results
    agree(y, expected)
    assert x.type() == x_theirs.type() and y.type() == expected.type()
    assert y.requires_grad == expected.requires_grad
    if y.requires_grad:
        y.sum().backward()
        expected.sum().backward()
        agree(x.grad, x_theirs.grad)


@pytest.mark.parametrize("wrong", ["FloatTensor", "float32", "torch.Float", "torch.OddTensor"])
def test_other_names_are_value_errors(wrong):
    with pytest.raises(ValueError, match="invalid type"):
        torch.zeros(2).type(wrong)
    with pytest.raises(ValueError, match="type: expected a name as 'torch.FloatTensor', got"):
        nn.zeros(2).type(wrong)
