"""Names and limits of dtypes against PyTorch's."""

import numpy as np
import pytest

import nnet as nn

torch = pytest.importorskip("torch")

NAMES = (
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "half"),
    *("float", "double", "short", "int", "long", "bool"),
)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_pytorchs(name):
    expected = str(getattr(torch, name)).removeprefix("torch.")
    assert np.dtype(getattr(nn, name)).name == expected
    if expected != "float16":
        x = nn.tensor([0, 1, 1]).to(getattr(nn, name))
        assert x.dtype == getattr(nn, name) and str(x.dtype) == expected


def test_no_tensor_is_of_float16():
    with pytest.raises(TypeError, match=r"expected float32.*got float16"):
        nn.zeros(2).to(nn.half)
    with pytest.raises(TypeError, match=r"expected float32.*got float16"):
        nn.zeros(2, dtype=nn.half)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_limits_of_floats(name):
    ours, theirs = nn.finfo(getattr(nn, name)), torch.finfo(getattr(torch, name))
    for limit in (*("min", "max", "eps", "tiny", "smallest_normal", "resolution"), "bits"):
        found, expected = getattr(ours, limit), getattr(theirs, limit)
        assert type(found) is type(expected) and found == pytest.approx(expected, rel=1e-12)
    assert ours.dtype == theirs.dtype and repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers(name):
    ours, theirs = nn.iinfo(getattr(nn, name)), torch.iinfo(getattr(torch, name))
    for limit in ("min", "max", "bits", "dtype"):
        assert getattr(ours, limit) == getattr(theirs, limit)
        assert type(getattr(ours, limit)) is type(getattr(theirs, limit))
    assert repr(ours) == f"iinfo(min={ours.min}, max={ours.max}, dtype={name})"


def test_limits_are_of_a_dtype():
    assert nn.finfo() == nn.finfo(nn.zeros(2).dtype) != nn.finfo(nn.double)
    assert nn.iinfo(nn.int) == nn.iinfo(nn.int32) != nn.iinfo(nn.long)
    for wrong in (lambda: nn.finfo(nn.long), lambda: nn.finfo(nn.bool), lambda: nn.iinfo(nn.bool)):
        with pytest.raises(TypeError, match="info: expected a dtype of"):
            wrong()
    for wrong in (lambda: nn.iinfo(nn.float), lambda: nn.iinfo(None)):
        with pytest.raises(TypeError, match="iinfo: expected a dtype of integers"):
            wrong()
