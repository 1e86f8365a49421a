"""The only place with Numba flags.

`jit` compiles a serial function that other kernels may call; `parallel` makes a kernel of one
task, which runs on all threads: see `_threads`. Both are compiled lazily, once for each
signature, and kept on disk: see `_cache`.
"""

import os
import warnings
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

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
    "set_num_threads",
    "thread_id",
    "thread_rows",
    "threading_layer",
]

# Numba puts these on every instruction of a function, explicit vectors included. So no nnan,
# ninf: they make isnan false and break masks of -inf. And no reassoc, arcp: they undo
# compensated sums and two-part constants; a sum that should be fast is written in vectors.
FASTMATH = {"contract", "nsz"}

try:
    from kernels._compiler import Kernel, launch
except ImportError as error:  # another version of Numba than was tested
    warnings.warn(f"kernels are compiled by plain numba.njit, slowly: {error}", stacklevel=2)
    _PLAIN = True
else:
    _PLAIN = bool(os.environ.get("NNET_PLAIN_NUMBA") or numba.config.DISABLE_JIT)


def jit(function: Callable) -> Any:
    """Compile a serial function: a helper of kernels, or the path for small work."""
    return _compile(function)


def parallel(task: Callable) -> Callable:
    """Compile `task(index, ...)` to be called from Python as `kernel(tasks, ...)`.

    Each index below `tasks` is a task; an equal run of them goes to each thread. A launch costs 2
    to 12 us, one task is run by the caller itself and costs nothing.
    """
    names = task.__code__.co_varnames[1 : task.__code__.co_argcount]
    together = ", ".join(names)
    known = {"task": jit(task)}
    if _PLAIN:
        # The index is signed while types are inferred, and unsigned in the loop.
        body = f"for index in prange(tasks):\n        task(int64(index), {together})"
        known |= {"prange": numba.prange, "int64": np.int64}
    else:
        body = f"launch(task, tasks, ({together},))"
        known["launch"] = launch
    source = f"def {task.__name__}(tasks, {together}):\n    {body}\n"
    exec(compile(source, task.__code__.co_filename, "exec"), known)
    entry: Any = known[task.__name__]
    entry.__module__, entry.__qualname__ = task.__module__, task.__qualname__
    entry.__code__ = entry.__code__.replace(co_firstlineno=task.__code__.co_firstlineno)
    launch_tasks = launcher(task, _compile(entry, parallel=_PLAIN))
    launch_tasks.task = task  # type: ignore[attr-defined]
    return launch_tasks


def threading_layer() -> str:
    """The threading layer in use: "omp", "tbb" or "workqueue"."""
    start_threads()
    return numba.threading_layer()


def _compile(function: Callable, parallel: bool = False) -> Any:
    dispatcher = compiled(function, parallel)
    if cache_folder() is not None:
        dispatcher._cache = KernelCache(function)
    return dispatcher


def compiled(function: Callable, parallel: bool = False) -> Any:
    """Compile a function without keeping it on disk."""
    options = {
        "nogil": True,
        "boundscheck": False,
        "error_model": "numpy",
        "fastmath": FASTMATH,
    }
    if _PLAIN:
        return numba.njit(function, parallel=parallel, **options)
    return Kernel(function, targetoptions={"nopython": True, "_nrt": False, **options})
