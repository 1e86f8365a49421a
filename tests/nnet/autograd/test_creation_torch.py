"""New tensors against PyTorch's: values, dtypes, shapes, and errors."""

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")

SAME = {
    "arange": lambda t: t.arange(5),
    "arange end": lambda t: t.arange(end=3),
    "arange float": lambda t: t.arange(0.5, 3),
    "arange dtype": lambda t: t.arange(4, dtype=t.float, device="cpu"),
    "arange long": lambda t: t.arange(1.5, 4, dtype=t.long),
    "arange down": lambda t: t.arange(3, -2, -2, dtype=t.double),
    "arange grad": lambda t: t.arange(2.0, requires_grad=True),
    "linspace": lambda t: t.linspace(-1, 1, 7),
    "linspace double": lambda t: t.linspace(3, 0.5, 11, dtype=t.double),
    "linspace steps": lambda t: t.linspace(0, 1, steps=2, device="cpu"),
    "linspace one": lambda t: t.linspace(2, 9, 1),
    "linspace none": lambda t: t.linspace(0, 1, 0),
    "linspace tensors": lambda t: t.linspace(t.tensor(1), t.tensor(2.5), 4),
    "linspace grad": lambda t: t.linspace(0, 1, 3, requires_grad=True),
    "eye": lambda t: t.eye(3),
    "eye wide": lambda t: t.eye(2, 4, dtype=t.long),
    "eye tall": lambda t: t.eye(3, 1, dtype=t.bool, device="cpu"),
    "eye none": lambda t: t.eye(0),
    "zeros": lambda t: t.zeros(2, 3, device="cpu"),
    "zeros size": lambda t: t.zeros(size=(2, 3), dtype=t.int),
    "zeros scalar": lambda t: t.zeros(()),
    "ones": lambda t: t.ones((0, 3), dtype=t.double, requires_grad=True),
    "ones size": lambda t: t.ones(size=[2], dtype=t.bool),
    "full": lambda t: t.full((2, 3), 1.5),
    "full int": lambda t: t.full((2,), 1, device="cpu"),
    "full bool": lambda t: t.full((2,), True),
    "full dtype": lambda t: t.full([2], 3, dtype=t.float64, requires_grad=True),
    "full tensor": lambda t: t.full((2,), t.tensor(2.5, dtype=t.float64)),
    "full numpy": lambda t: t.full((1,), np.float64(2.5)),
    "tensor": lambda t: t.tensor([1, 2], dtype=t.float, device="cpu", requires_grad=True),
    "zeros_like": lambda t: t.zeros_like(t.arange(3), dtype=t.double, requires_grad=True),
    "zeros_like long": lambda t: t.zeros_like(t.arange(3), device="cpu"),
    "ones_like": lambda t: t.ones_like(t.zeros(2, 0), dtype=t.bool),
    "full_like": lambda t: t.full_like(t.arange(3), 1.5),
    "full_like dtype": lambda t: t.full_like(t.arange(3), 1.5, dtype=t.float, device="cpu"),
    "full_like leaf": lambda t: t.full_like(t.ones(2, requires_grad=True), 2),
}


@pytest.mark.parametrize("name", SAME)
def test_new_tensors_are_pytorchs(name):
    ours, theirs = SAME[name](nn), SAME[name](torch)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.shape == tuple(theirs.shape)
    assert ours.requires_grad == theirs.requires_grad
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-6, atol=1e-7)


SHAPED = {
    "empty": lambda t: t.empty(2, 3, dtype=t.long, device="cpu"),
    "empty size": lambda t: t.empty(size=(4,), requires_grad=True),
    "empty_like": lambda t: t.empty_like(t.zeros(2, 3), dtype=t.bool, device="cpu"),
    "rand": lambda t: t.rand(2, 3, device="cpu"),
    "rand size": lambda t: t.rand(size=(2, 0), dtype=t.double, requires_grad=True),
    "randn": lambda t: t.randn((3,), dtype=t.float64, device="cpu"),
    "randn size": lambda t: t.randn(size=[2], requires_grad=True),
    "rand_like": lambda t: t.rand_like(t.zeros(3, dtype=t.double, requires_grad=True)),
    "randn_like": lambda t: t.randn_like(t.arange(3), dtype=t.float, device="cpu"),
    "randint": lambda t: t.randint(5, (2, 3)),
    "randint size": lambda t: t.randint(high=5, size=(2,), dtype=t.uint8, device="cpu"),
    "randint low": lambda t: t.randint(-3, 5, (0, 2), dtype=t.float),
    "randint_like": lambda t: t.randint_like(t.zeros(2, 3), 4),
    "randperm": lambda t: t.randperm(5, dtype=t.int, device="cpu"),
    "randperm none": lambda t: t.randperm(0),
    "normal": lambda t: t.normal(0, 1, (2, 3)),
    "normal named": lambda t: t.normal(mean=2.0, std=0.5, size=(4,), dtype=t.double),
    "normal tensors": lambda t: t.normal(t.zeros(2, 1), t.ones(3)),
    "normal mean": lambda t: t.normal(t.zeros(2, dtype=t.double)),
    "normal std": lambda t: t.normal(0.5, t.ones(2)),
}


@pytest.mark.parametrize("name", SHAPED)
def test_shapes_and_dtypes_of_drawn_tensors_are_pytorchs(name):
    ours, theirs = SHAPED[name](nn), SHAPED[name](torch)
    assert str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    assert ours.shape == tuple(theirs.shape)
    assert ours.requires_grad == theirs.requires_grad


WRONG = {
    "arange": (lambda t: t.arange(3, device="mps"), ValueError, "arange: expected the device"),
    "zeros": (lambda t: t.zeros(2, device="tpu"), ValueError, "zeros: expected the device 'cpu'"),
    "device": (lambda t: t.ones(2, device=2), TypeError, "ones: expected the device 'cpu'"),
    "linspace": (lambda t: t.linspace(0, 1, -1), ValueError, "linspace: expected steps >= 0"),
    "linspace steps": (lambda t: t.linspace(0, 1, 2.5), TypeError, "an integer steps, got 2.5"),
    "eye": (lambda t: t.eye(-1), ValueError, "eye: expected n >= 0, got -1"),
    "eye m": (lambda t: t.eye(2, "3"), TypeError, "eye: expected an integer m, got '3'"),
    "full": (lambda t: t.full((2,), t.tensor([1, 2])), TypeError, "fill_value as a number"),
    "full text": (lambda t: t.full((2,), "1"), TypeError, "fill_value as a number, got str"),
    "arange end": (lambda t: t.arange(), TypeError, "arange: expected an end"),
    "sizes": (lambda t: t.zeros(2, size=(3,)), TypeError, "expected sizes once"),
    "rand": (lambda t: t.rand(2, dtype=t.long), TypeError, "rand: expected dtype float32 or"),
    "randn_like": (lambda t: t.randn_like(t.arange(2)), TypeError, "randn: expected dtype float"),
    "randint": (lambda t: t.randint(3, 3, (2,)), ValueError, "randint: expected low < high"),
    "randint held": (lambda t: t.randint(0, 300, (2,), dtype=t.uint8), ValueError, "0 to 255"),
    "randint size": (lambda t: t.randint(5, 2), TypeError, "randint: expected size as a tuple"),
    "randint float": (lambda t: t.randint(1.5, (2,)), TypeError, "integers as bounds"),
    "randperm": (lambda t: t.randperm(-1), ValueError, "randperm: expected n >= 0, got -1"),
    "normal": (lambda t: t.normal(t.zeros(2), -1.0), ValueError, "normal: expected std >= 0"),
    "normal size": (lambda t: t.normal(0.0, 1.0), TypeError, "normal: expected a size"),
    "normal long": (lambda t: t.normal(t.arange(2), t.arange(2)), TypeError, "expected dtype"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_pytorch_refuses_is_an_error_that_tells(name):
    call, error, told = WRONG[name]
    with pytest.raises((TypeError, ValueError, RuntimeError, NotImplementedError, AssertionError)):
        call(torch)
    with pytest.raises(error, match=told):
        call(nn)
