"""The machine, the threads and the versions that a measurement belongs to."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib import metadata

import numpy as np

from kernels import _jit

# Longer than idle threads of OpenBLAS (27 ms) and OpenMP spin on a core that the next one wants.
SETTLE = 0.04

_LIBRARIES = ("numpy", "numba", "torch")


def describe_machine() -> dict[str, str | int]:
    """Processor, threads, versions; a name that is not there is a library not installed."""
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
        "threads": _jit.get_num_threads(),
        "threading layer": _jit.threading_layer(),
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
    _jit.set_num_threads(count)


def settle() -> None:
    """Wait until threads of other libraries have gone to sleep."""
    time.sleep(SETTLE)
