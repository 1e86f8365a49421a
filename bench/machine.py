"""The machine, the threads and the versions that a measurement belongs to."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from kernels import runtime

# Longer than idle threads of OpenBLAS (27 ms) and OpenMP spin on a core that the next one wants.
SETTLE = 0.04

_LIBRARIES = ("numpy", "numba", "torch")

_THREADS = Path("/proc/self/task")
CAN_PIN = hasattr(os, "sched_setaffinity") and _THREADS.is_dir()
_pinned = False


def describe_machine() -> dict[str, str | int]:
    """Processor, threads, versions; a name that is not there is a library not installed.

    "pinned" says whether `pinned` can keep threads on their cores here.
    """
    import cpuinfo

    versions = {}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": cpuinfo.get_cpu_info().get("brand_raw", platform.processor()),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "threads": runtime.get_num_threads(),
        "threading layer": runtime.threading_layer(),
        "pinned": CAN_PIN,
        "BLAS": blas(),
        "python": platform.python_version(),
        **versions,
    }


def blas() -> str:
    """Name, version and threads of the BLAS that NumPy multiplies with."""
    import threadpoolctl

    np.ones((2, 2)) @ np.ones((2, 2))
    found = [
        f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} thread(s)"
        for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas" and "numpy" in pool["filepath"]
    ]
    return "; ".join(sorted(set(found))) or "unknown"


def set_threads(count: int) -> None:
    """The same number of threads for the kernels, for BLAS, and for PyTorch if it is loaded."""
    import threadpoolctl

    threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    runtime.set_num_threads(count)


def settle() -> None:
    """Wait until threads of other libraries have gone to sleep."""
    time.sleep(SETTLE)


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Every thread that runs now stays on one core: the caller on the first, the others in turn.

    A pool starts its workers one after another, so they come to lie on different cores. Left
    to the scheduler, a worker often wakes on the core of its waker, and there waits for the
    next tick: 4 ms, more than most kernels take. Enter when all pools have started. Within
    another `pinned`, and where threads cannot be pinned, this does nothing.
    """
    global _pinned
    if not CAN_PIN or _pinned:
        yield
        return
    allowed = os.sched_getaffinity(0)
    first, *others = sorted(allowed)
    caller = threading.get_native_id()
    workers = [thread for thread in _running() if thread != caller]
    _pinned = True
    try:
        _keep_on(caller, {first})
        for k, worker in enumerate(workers):
            _keep_on(worker, {others[k % len(others)]} if others else allowed)
        yield
    finally:
        for thread in _running():
            _keep_on(thread, allowed)
        _pinned = False


def _running() -> list[int]:
    """Threads of this process, in the order of their start."""
    return sorted(int(thread.name) for thread in _THREADS.iterdir())


def _keep_on(thread: int, cores: set[int]) -> None:
    # It may have ended since.
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(thread, cores)
