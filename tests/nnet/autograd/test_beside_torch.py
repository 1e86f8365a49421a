"""Tensors made beside another one, and written full, against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")

SAME = {
    "new_zeros": lambda t, x: x.new_zeros(2, 3),
    "new_zeros tuple": lambda t, x: x.new_zeros((2, 0), dtype=t.long, device="cpu"),
    "new_zeros size": lambda t, x: x.new_zeros(size=(3,)),
    "new_zeros scalar": lambda t, x: x.new_zeros(()),
    "new_ones": lambda t, x: x.new_ones([2], dtype=t.double, requires_grad=True),
    "new_ones sizes": lambda t, x: x.new_ones(1, 2, device="cpu"),
    "new_full": lambda t, x: x.new_full((2, 3), 2.5),
    "new_full tensor": lambda t, x: x.new_full((2,), t.tensor(1.5), dtype=t.float),
    "new_full bool": lambda t, x: x.new_full([1], True, device="cpu"),
    "new_tensor": lambda t, x: x.new_tensor([[1.5, 0.0]]),
    "new_tensor int": lambda t, x: x.new_tensor([3, 0]),
    "new_tensor array": lambda t, x: x.new_tensor(np.array([0.5, 1.0])),
    "new_tensor dtype": lambda t, x: x.new_tensor(3, dtype=t.float, requires_grad=True),
    "new_tensor of a tensor": lambda t, x: x.new_tensor(t.tensor([1, 0])),
    "new list": lambda t, x: x.new([1, 0]),
    "new none": lambda t, x: x.new(),
    "fill_": lambda t, x: x.clone().fill_(2.75),
    "fill_ tensor": lambda t, x: x.clone().fill_(t.tensor(3)),
    "fill_ bool": lambda t, x: x.clone().t().fill_(True),
    "zero_": lambda t, x: x.clone().zero_(),
}


@pytest.mark.filterwarnings("ignore:To copy construct")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("name", SAME)
def test_values_are_pytorchs(name, dtype):
    ours, theirs = (SAME[name](t, t.tensor([[1, 0, 1]]).to(getattr(t, dtype))) for t in (nn, torch))
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.shape == tuple(theirs.shape) and ours.requires_grad == theirs.requires_grad
    assert ours.tolist() == theirs.detach().tolist()


def test_new_tensors_are_copies_outside_the_tape():
    x = nn.ones(2, requires_grad=True)
    y = x.new_tensor(x)
    y[0] = 5
    assert x.tolist() == [1, 1] and not y.requires_grad and not x.new_zeros(2).requires_grad
    assert x.new(2, 3).shape == x.new_empty(2, 3).shape == x.new_empty(size=[2, 3]).shape == (2, 3)


def test_gradients_of_what_was_filled():
    results = []
    for t in (nn, torch):
        x = t.ones(3, requires_grad=True)
        y = x * 2
        y[:2].fill_(x[2])
        (y * t.tensor([1.0, 2.0, 4.0])).sum().backward()
        z = (x * 3).zero_() + x
        z.sum().backward()
        results.append(x.grad.tolist())
    assert results[0] == results[1] == [1, 1, 12]


@pytest.mark.parametrize(
    "call, error, told",
    [
        (lambda x: x.new_zeros(2, device="tpu"), ValueError, "new_zeros: expected the device"),
        (lambda x: x.new_ones(), TypeError, "new_ones: expected sizes once"),
        (lambda x: x.new_full((2,), "a"), TypeError, "new_full: expected fill_value as a number"),
        (lambda x: x.new_zeros(2, dtyp=1), TypeError, "dtyp"),
        (lambda x: x.fill_("a"), TypeError, "fill_: expected a number or a tensor without axes"),
        (lambda x: x.fill_(x), (TypeError), "fill_: expected a number or a tensor without axes"),
    ],
)
def test_what_pytorch_refuses_is_an_error_that_tells(call, error, told):
    with pytest.raises((TypeError, RuntimeError)):
        call(torch.ones(2))
    with pytest.raises(error, match=told):
        call(nn.ones(2))
