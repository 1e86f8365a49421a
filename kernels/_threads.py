"""Launches of parallel kernels: on the threads of this process, or on one in a forked child.

No pool of threads survives a fork, and GNU OpenMP ends or hangs a child that enters its own. So
what compiled code calls to run a loop is ours: it goes on to Numba's threading layer, or, in a
child whose parent had threads, runs the same machine code on the caller's thread.
"""

import ctypes
import functools
import os
import threading
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba

# Numba would import it at the first launch, and a child forked meanwhile wait for that for ever.
import numpy.ma  # noqa: F401
from numba.core.compiler_lock import global_compiler_lock
from numba.np.ufunc import parallel as numba_threads

thread_id = numba.get_thread_id

# The workqueue layer aborts the process on concurrent launches. Reentrant for the sake of
# signal handlers and finalizers: they run between launches, but may do so under the lock.
_launch_lock = threading.RLock()
_concurrent_launches_allowed = False
_forked_from_threads = False

# Addresses: where `run` goes on to, and `run_here`. The engine owns the code of both.
_runner = ctypes.c_void_p()
_here = ctypes.c_void_p()
_engine: Any = None

_RUNNERS = """
define void @run(ptr %body, ptr %args, ptr %counts, ptr %steps, ptr %data,
                 i64 %dimensions, i64 %arrays, i64 %threads) {{
  %runner = load ptr, ptr inttoptr (i64 {runner} to ptr)
  tail call void %runner(ptr %body, ptr %args, ptr %counts, ptr %steps, ptr %data,
                         i64 %dimensions, i64 %arrays, i64 %threads)
  ret void
}}
define void @run_here(ptr %body, ptr %args, ptr %counts, ptr %steps, ptr %data,
                      i64 %dimensions, i64 %arrays, i64 %threads) {{
  tail call void %body(ptr %args, ptr %counts, ptr %steps, ptr %data)
  ret void
}}
"""


def launcher(function: Callable, dispatcher: Any) -> Callable:
    """`function`, compiled as `dispatcher`, for callers in any Python thread and any child."""

    @functools.wraps(function)
    def launch(*args: Any, **named: Any) -> Any:
        if _concurrent_launches_allowed:
            return dispatcher(*args, **named)
        with _launch_lock:
            start_threads()
            return dispatcher(*args, **named)

    launch.dispatcher = dispatcher  # type: ignore[attr-defined]
    return launch


def set_num_threads(count: int) -> None:
    """Run this thread's kernels on `count` threads from now on; results do not depend on it.

    Other Python threads keep their own number, at first the machine's cores. A process forked
    from one that had started threads runs kernels on one thread, whatever is set.

    Raises ValueError unless 1 <= count <= the number of threads Numba was started with
    (the machine's cores).

    >>> from kernels.runtime import get_num_threads, set_num_threads
    >>> threads = get_num_threads()
    >>> set_num_threads(1)
    >>> get_num_threads()
    1
    >>> set_num_threads(threads)
    """
    largest = numba.config.NUMBA_NUM_THREADS
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= largest:
        raise ValueError(f"set_num_threads: expected an integer from 1 to {largest}, got {count!r}")
    numba.set_num_threads(count)


def get_num_threads() -> int:
    """The number of threads that this thread's kernels run on.

    >>> from kernels.runtime import get_num_threads
    >>> get_num_threads() >= 1
    True
    """
    return 1 if _forked_from_threads else numba.get_num_threads()


def thread_rows() -> int:
    """How many rows per-thread scratch needs, so that `thread_id()` can index it."""
    return numba.config.NUMBA_NUM_THREADS


def start_threads() -> None:
    """Start Numba's threads; kernels that are linked from then on call `run` for their loops."""
    global _engine, _concurrent_launches_allowed
    if _engine is not None:
        return
    with global_compiler_lock:
        numba_threads._launch_threads()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        code = llvm.parse_assembly(_RUNNERS.format(runner=ctypes.addressof(_runner)))
        machine = llvm.Target.from_default_triple().create_target_machine()
        engine = llvm.create_mcjit_compiler(code, machine)
        _here.value = engine.get_function_address("run_here")
        pool = llvm.address_of_symbol("numba_parallel_for")
        _runner.value = _here.value if _forked_from_threads else pool
        llvm.add_symbol("numba_parallel_for", engine.get_function_address("run"))
        serial = numba.threading_layer() == "workqueue" and not _forked_from_threads
        _concurrent_launches_allowed = not serial
        _engine = engine


def _before_fork() -> None:
    """Let other threads finish what they compile, or the child would find it half done."""
    global_compiler_lock.acquire()
    numba_threads._backend_init_thread_lock.acquire()


def _after_fork() -> None:
    numba_threads._backend_init_thread_lock.release()
    global_compiler_lock.release()


def _after_fork_in_child() -> None:
    global _launch_lock, _concurrent_launches_allowed, _forked_from_threads
    _after_fork()
    _launch_lock = threading.RLock()
    # Numba's is shared with the parent, which would wait for ever for a child killed in there.
    numba_threads._backend_init_process_lock = None
    if numba_threads._is_initialized:
        _forked_from_threads = True
        _runner.value = _here.value
        _concurrent_launches_allowed = _engine is not None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child
    )
