"""Integers and bool against PyTorch: wherever it computes, the same values in the same dtype."""

import operator

import numpy as np
import pytest

import nnet as nn
import nnet.functional as F
from tests.helpers import assert_close

torch = pytest.importorskip("torch")

VALUES = [[0, 1, 2], [3, 1, 0]]
OTHERS = [[2, 1, 0], [1, 1, 3]]
WHOLE = ("int64", "int32", "uint8", "int8", "bool")
DTYPES = (*WHOLE, "float32", "float64")


def of_both(values, dtype):
    array = np.array(values, dtype)
    return nn.Tensor(array.copy()), torch.from_numpy(array.copy())


def result_or_error(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:
        return error


def assert_pytorchs(name, ours, theirs):
    """Equal in dtype and values, unless PyTorch refuses."""
    if isinstance(theirs, Exception):
        return
    assert not isinstance(ours, Exception), f"{name}: {ours!r} instead of {theirs}"
    if isinstance(theirs, tuple):
        assert len(ours) == len(theirs), name
        for one, other in zip(ours, theirs, strict=True):
            assert_pytorchs(name, one, other)
        return
    expected = theirs.numpy()
    assert ours.dtype == expected.dtype, f"{name}: {ours.dtype} instead of {expected.dtype}"
    assert ours.shape == expected.shape, name
    if expected.dtype.kind == "f":
        alike = np.isfinite(expected)
        np.testing.assert_array_equal(ours.data[~alike], expected[~alike], name)
        assert_close(ours.data[alike], expected[alike], 1e-6)
    else:
        np.testing.assert_array_equal(ours.data, expected, name)


METHODS = {
    **{
        name: operator.methodcaller(name)
        for name in (
            "abs argmax argmin clone contiguous double exp flatten float isfinite isnan log long "
            "max mean min neg relu sigmoid sqrt square std sum t tanh var"
        ).split()
    },
    "~": operator.invert,
    "all": lambda x: x.bool().all(),
    "any": lambda x: x.bool().any(1),
    "argmax 0": lambda x: x.argmax(0),
    "clamp of floats": lambda x: x.clamp(0.5, 1.5),
    "clamp of mixed numbers": lambda x: x.clamp(1, 1.5),
    "clamp of integers": lambda x: x.clamp(1, 2),
    "clamp from below": lambda x: x.clamp(min=True),
    "max 1": lambda x: tuple(x.max(1)),
    "mean 0": lambda x: x.mean(0),
    "min 0": lambda x: tuple(x.min(0)),
    "split": lambda x: tuple(x.split(1)),
    "sum 0": lambda x: x.sum(0),
    "sum of floats": lambda x: x.double().sum([0, 1], keepdim=True),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_of_integers(name):
    for dtype in WHOLE:
        results = [result_or_error(METHODS[name], x) for x in of_both(VALUES, dtype)]
        assert_pytorchs(f"{name} {dtype}", *results)


OPERATORS = {
    **{
        name: getattr(operator, name)
        for name in "add sub mul truediv pow and_ or_ eq ne lt le gt ge".split()
    },
    "rsub": lambda x, y: y - x,
    "rtruediv": lambda x, y: y / x,
    "rpow": lambda x, y: y**x,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_integers(name):
    for dtype in DTYPES:
        for other in (OTHERS, 2):
            for other_dtype in DTYPES:
                pairs = zip(of_both(VALUES, dtype), of_both(other, other_dtype), strict=True)
                results = [result_or_error(OPERATORS[name], *pair) for pair in pairs]
                assert_pytorchs(f"{name} {dtype}, {other} {other_dtype}", *results)
        compares = name in ("eq", "ne", "lt", "le", "gt", "ge")
        # PyTorch wraps a number below 0 before it compares unsigned integers with it.
        numbers = (True, 2, 2.5) if compares and dtype == "uint8" else (True, 2, 2.5, -1, 300)
        for number in numbers:
            operation = OPERATORS[name]
            results = [result_or_error(operation, x, number) for x in of_both(VALUES, dtype)]
            assert_pytorchs(f"{name} {dtype}, {number!r}", *results)


def test_unsigned_integers_are_compared_by_value():
    x = nn.tensor(np.array([0, 255], np.uint8))
    assert (x > -1).tolist() == [True, True] and (x == -1).tolist() == [False, False]
    assert (x < 256).tolist() == [True, True] and x.clamp(-1, 7).tolist() == [0, 7]


IN_PLACE = ("add_", "sub_", "mul_", "div_", "__iadd__", "__isub__", "__imul__", "__itruediv__")


@pytest.mark.parametrize("name", IN_PLACE)
def test_writing_in_place(name):
    for dtype in DTYPES:
        for other in (OTHERS, 2):
            for other_dtype in DTYPES:
                pairs = zip(of_both(VALUES, dtype), of_both(other, other_dtype), strict=True)
                results = [result_or_error(getattr(x, name), y) for x, y in pairs]
                assert_pytorchs(f"{name} {dtype}, {other} {other_dtype}", *results)
        for number in (True, 2, 2.5, -1):
            results = [result_or_error(getattr(x, name), number) for x in of_both(VALUES, dtype)]
            assert_pytorchs(f"{name} {dtype}, {number!r}", *results)


FUNCTIONS = {
    "matmul": lambda library, x, y: library.matmul(x, y.t()),
    "maximum": lambda library, x, y: library.maximum(x, y),
    "minimum": lambda library, x, y: library.minimum(x, y),
    "max": lambda library, x, y: library.max(x, y),
    "min": lambda library, x, y: library.min(x, other=y),
    "where": lambda library, x, y: library.where(library.tensor([True, False, True]), x, y),
    "where of 0-d": lambda library, x, y: library.where(x > 1, x, y[0, 0]),
    "where of integer": lambda library, x, y: library.where(x > 1, x, 3),
    "where of float": lambda library, x, y: library.where(x > 1, 2.5, y),
    "where of bool": lambda library, x, y: library.where(x > 1, True, y),
    "cat": lambda library, x, y: library.cat([x, y]),
    "stack": lambda library, x, y: library.stack([x, y], -1),
    "clamp": lambda library, x, y: library.clamp(x, y, None),
    "clamp of 0-d": lambda library, x, y: library.clamp(x, None, y[0, 1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_mixed_dtypes(name):
    for dtype in DTYPES:
        for other in DTYPES:
            results = [
                result_or_error(FUNCTIONS[name], library, x, y)
                for library, x, y in zip(
                    (nn, torch), of_both(VALUES, dtype), of_both(OTHERS, other), strict=True
                )
            ]
            assert_pytorchs(f"{name} {dtype} {other}", *results)


def test_numbers_alone_are_chosen_as_in_pytorch():
    for x, y in ((1, 2), (1.5, 2), (True, False), (True, 2)):
        results = [lib.where(lib.tensor([True, False]), x, y) for lib in (nn, torch)]
        assert_pytorchs(f"where {x} {y}", *results)


ACTIVATIONS = "relu relu6 leaky_relu elu selu celu hardtanh sigmoid tanh gelu silu softplus".split()


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_integers(name):
    for dtype in WHOLE:
        ours, theirs = of_both(VALUES, dtype)
        expected = result_or_error(getattr(torch.nn.functional, name), theirs)
        if isinstance(expected, Exception):
            with pytest.raises((TypeError, ValueError), match="expected"):
                getattr(F, name)(ours)
        else:
            assert_pytorchs(f"{name} {dtype}", getattr(F, name)(ours), expected)


def test_limits_of_integers_are_integers():
    ours, theirs = of_both([-3, -1, 0, 1, 3], "int64")
    expected = torch.nn.functional.hardtanh(theirs, -1.5, 2.5)
    assert_pytorchs("hardtanh", F.hardtanh(ours, -1.5, 2.5), expected)


LOSSES = "mse_loss l1_loss smooth_l1_loss hinge_embedding_loss".split()


@pytest.mark.parametrize("name", [*LOSSES, "kl_div", "cross_entropy"])
def test_losses_of_mixed_dtypes(name):
    for dtype in DTYPES:
        for other in DTYPES:
            ours, theirs = of_both([0, 1, 1], dtype)
            target, their_target = of_both([1, 0, 1], other)
            results = (
                result_or_error(getattr(F, name), ours, target),
                result_or_error(getattr(torch.nn.functional, name), theirs, their_target),
            )
            assert_pytorchs(f"{name} {dtype} {other}", *results)
