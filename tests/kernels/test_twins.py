"""Every function of every implementation, where an op calls it, writes what the reference does.

And so it does whatever its scratch and its outputs held before, and leaves all else alone.
"""

import functools
import importlib
import inspect

import numpy as np
import pytest

from tests.helpers import assert_close, assert_same_bits
from tests.kernels.guards import (
    between_bands,
    needed_by,
    poison,
    poisoned_memory,
)
from tests.kernels.op_calls import CALLS, Arrays
from tests.kernels.test_contract import OPS, implementation_functions

TOLERANCES = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}

# Computed in float32 whatever the dtype.
OF_FLOAT32 = "kernels.gaussian_mask.cpu.draw"


def each(value, change):
    """A value with its arrays changed, in tuples and dictionaries too."""
    if isinstance(value, np.ndarray):
        return change(value)
    if isinstance(value, dict):
        return {name: each(one, change) for name, one in value.items()}
    if isinstance(value, tuple):
        changed = [each(one, change) for one in value]
        return type(value)(*changed) if hasattr(value, "_fields") else tuple(changed)
    return value


def widened(value):
    return each(value, lambda x: x.astype(np.float64) if x.dtype.kind == "f" else x.copy())


def leaves(value):
    """Its arrays."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, tuple | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)


def full(needed, make):
    """Arrays of {name: (shape, dtype)}."""
    return {
        name: full(pair, make) if isinstance(pair, dict) else make(*pair)
        for name, pair in needed.items()
    }


class Filled:
    """Arrays full of poison, or of zeros, between bands of poison."""

    def __init__(self, fill):
        self.fill, self.wholes = fill, []

    def __call__(self, shape, dtype):
        array, whole = between_bands(shape, dtype)
        array[...] = self.fill(dtype)
        self.wholes.append((whole, whole.copy(), array.size))
        return array

    def assert_untouched_beside(self):
        for now, before, size in self.wholes:
            band = (now.size - size) // 2
            assert_same_bits([now[:band], now[-band:]], [before[:band], before[-band:]])


def run(module, name, function, given, fill, monkeypatch):
    """What it writes, into outputs and with scratch that are filled."""
    arrays = Filled(fill)

    def fresh(key, value):
        if key.startswith("out"):
            return each(value, lambda x: arrays(x.shape, x.dtype))
        return each(value, np.copy) if key.startswith("inout") else value

    arguments = {key: fresh(key, value) for key, value in given.items()}
    work = full(needed_by(module, name, arguments), arrays)
    with poisoned_memory(monkeypatch):
        function(**arguments, **work)
    arrays.assert_untouched_beside()
    return list(leaves(written(arguments)))


def written(arguments):
    return {key: value for key, value in arguments.items() if key.startswith(("out", "inout"))}


def by_the_reference(twin, given):
    wanted = {
        key: each(value, lambda x: np.zeros(x.shape, x.dtype)) if key.startswith("out") else value
        for key, value in given.items()
    }
    wanted = {key: widened(value) for key, value in wanted.items()}
    with np.errstate(all="ignore"):
        twin(**wanted)
    return list(leaves(written(wanted)))


def check(module, name, function, twin, given, tolerance, monkeypatch):
    before = [array.copy() for array in leaves(given)]
    found = run(module, name, function, given, poison, monkeypatch)
    assert_same_bits(run(module, name, function, given, lambda dtype: 0, monkeypatch), found)
    assert_same_bits(list(leaves(given)), before)
    for one, other in zip(found, by_the_reference(twin, given), strict=True):
        if one.dtype.kind == "f":
            assert_close(one, other, max(tolerance, TOLERANCES[one.dtype]))
        else:
            assert_same_bits(one, other)


def checked(module, name, twin, dtype, monkeypatch):
    """The function, checked with what it is called with."""
    function = getattr(module, name)
    signature = inspect.signature(function)
    single = f"{function.__module__}.{name}" == OF_FLOAT32
    tolerance = TOLERANCES[np.dtype(np.float32 if single else dtype)]

    def call(note, *args, **named):
        given = signature.bind(*args, **named).arguments
        given = {key: value for key, value in given.items() if not key.startswith("work")}
        check(module, name, function, twin, given, tolerance, monkeypatch)
        note()
        function(*args, **named)

    return call


def test_every_op_is_called():
    assert sorted(CALLS) == OPS


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_implementations_write_the_reference(monkeypatch, name, dtype):
    op = importlib.import_module(f"kernels.{name}")
    twins, reached, offered = implementation_functions(name), set(), set()
    for implementation, module in op.IMPLEMENTATIONS.items():
        for function in () if implementation.startswith("reference") else twins:
            if hasattr(module, function):
                offered.add((implementation, function))
                call = checked(module, function, twins[function], dtype, monkeypatch)
                note = functools.partial(reached.add, (implementation, function))
                monkeypatch.setattr(module, function, functools.partial(call, note))
    CALLS[name](Arrays(dtype))
    assert reached == offered, f"calls in op_calls.py do not reach {sorted(offered - reached)}"
