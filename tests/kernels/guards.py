"""Arrays between bands of NaN: what is read beside them shows, what is written beside them too."""

from contextlib import contextmanager

import numpy as np

from kernels import _memory

BAND = 1024


def guarded(array):
    """A copy with a band of NaN before and behind it."""
    return _between_bands(array.shape, array.dtype, array)[0]


def _between_bands(shape, dtype, values=np.nan):
    size = int(np.prod(shape))
    whole = np.full(size + 2 * BAND, np.nan, dtype)
    array = whole[BAND : BAND + size].reshape(shape)
    array[...] = values
    return array, whole


@contextmanager
def poisoned_memory(monkeypatch):
    """Outputs and scratch from the pool start as NaN, and their bands must stay NaN."""
    wholes = []

    def empty(shape, dtype):
        array, whole = _between_bands(shape, dtype)
        wholes.append(whole)
        return array

    with monkeypatch.context() as patch:
        patch.setattr(_memory, "empty", empty)
        yield
    for whole in wholes:
        assert np.isnan(whole[:BAND]).all() and np.isnan(whole[-BAND:]).all(), (
            f"written beside an array of {whole.size - 2 * BAND} elements"
        )
