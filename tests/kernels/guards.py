"""Arrays between bands of NaN: what is read beside them shows, what is written beside them too."""

import inspect
from contextlib import contextmanager

import numpy as np

from kernels import _memory

BAND = 1024


def poison(dtype):
    """NaN, or the most negative integer: no position that work could go on with."""
    dtype = np.dtype(dtype)
    return np.nan if dtype.kind == "f" else np.iinfo(dtype).min


def needed_by(module, name, arguments):
    """{name: (shape, dtype)} of what module.name works in with these arguments."""
    says = getattr(module, f"{name}_scratch", None)
    if says is None:
        return {}
    return says(**{key: arguments[key] for key in inspect.signature(says).parameters})


def scratch_of(module, name, arguments, fill=poison):
    """Such arrays, full of poison."""
    return _filled(needed_by(module, name, arguments), fill)


def _filled(needed, fill):
    return {
        name: _filled(array, fill)
        if isinstance(array, dict)
        else np.full(array[0], fill(array[1]), array[1])
        for name, array in needed.items()
    }


def guarded(array):
    """A copy with a band of NaN before and behind it."""
    return between_bands(array.shape, array.dtype, array)[0]


def between_bands(shape, dtype, values=None):
    """An array, and the whole that it lies in."""
    size = int(np.prod(shape))
    whole = np.full(size + 2 * BAND, poison(dtype), dtype)
    array = whole[BAND : BAND + size].reshape(shape)
    if values is not None:
        array[...] = values
    return array, whole


@contextmanager
def poisoned_memory(monkeypatch):
    """Outputs and scratch from the pool start as NaN, and their bands must stay NaN."""
    wholes = []

    def empty(shape, dtype):
        array, whole = between_bands(shape, dtype)
        wholes.append(whole)
        return array

    with monkeypatch.context() as patch:
        patch.setattr(_memory, "empty", empty)
        yield
    for whole in wholes:
        untouched = np.full(BAND, poison(whole.dtype), whole.dtype)
        beside = whole[:BAND], whole[-BAND:]
        assert all(np.array_equal(b, untouched, equal_nan=b.dtype.kind == "f") for b in beside), (
            f"written beside an array of {whole.size - 2 * BAND} elements"
        )
