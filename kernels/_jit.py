"""The only place with Numba flags.

`jit` compiles a serial function that other kernels may call; `parallel` compiles a
top-level kernel whose `prange` loops run on all threads: see `_threads`. Both are compiled
lazily, once for each signature, and kept on disk: see `_cache`.
"""

from collections.abc import Callable
from typing import Any

import numba
from numba import prange

from kernels._cache import KernelCache, cache_folder
from kernels._threads import (
    get_num_threads,
    launcher,
    set_num_threads,
    start_threads,
    thread_id,
    thread_rows,
)

__all__ = [
    "cache_folder",
    "get_num_threads",
    "jit",
    "parallel",
    "prange",
    "set_num_threads",
    "thread_id",
    "thread_rows",
    "threading_layer",
]

# Numba puts these on every instruction of a function, explicit vectors included. So no nnan,
# ninf: they make isnan false and break masks of -inf. And no reassoc, arcp: they undo
# compensated sums and two-part constants; a sum that should be fast is written in vectors.
FASTMATH = {"contract", "nsz"}


def jit(function: Callable) -> Any:
    """Compile a serial function: a helper of kernels, or the path for small work."""
    return _compile(function, parallel=False)


def parallel(function: Callable) -> Callable:
    """Compile a kernel with `prange` loops; call it from Python only.

    A launch costs 2 to 12 us, so a kernel for small work too must reach its `prange` only
    when there is enough to share out.
    """
    return launcher(function, _compile(function, parallel=True))


def threading_layer() -> str:
    """The threading layer in use: "omp", "tbb" or "workqueue"."""
    start_threads()
    return numba.threading_layer()


def _compile(function: Callable, parallel: bool) -> Any:
    dispatcher = numba.njit(
        function,
        parallel=parallel,
        nogil=True,
        boundscheck=False,
        error_model="numpy",
        fastmath=FASTMATH,
    )
    if cache_folder() is not None:
        dispatcher._cache = KernelCache(function)
    return dispatcher
