"""The machine and the versions that a result comes from."""

import platform
from importlib import metadata
from importlib.util import find_spec
from typing import NamedTuple

from kernels import runtime

_LIBRARIES = ("numpy", "numba", "llvmlite", "scipy", "safetensors")

_FEATURES = (
    "sse4.2", "avx", "avx2", "fma", "avx512f", "avx512vl", "neon", "asimd", "sve",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of this library, of Python and of the libraries that results depend on.

    >>> from nnet import environment
    >>> "numba" in environment.versions()
    True
    """
    names = ("nnet", *_LIBRARIES)
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


class Processor(NamedTuple):
    """The name is LLVM's; features are those that kernels can use; threads those in use."""

    name: str
    architecture: str
    features: list[str]
    threads: int


def processor() -> Processor:
    """What kernels run on."""
    from llvmlite import binding

    found = binding.get_host_cpu_features()
    return Processor(
        binding.get_host_cpu_name(),
        platform.machine(),
        [feature for feature in _FEATURES if found.get(feature)],
        runtime.get_num_threads(),
    )


def cuda() -> str:
    """What stands between this machine and the CUDA kernels, or the device that runs them."""
    if find_spec("numba_cuda") is None:
        return "not installed: pip install 'nnet[cuda]'"
    from numba import cuda as driver

    if not driver.is_available():
        return "no device found"
    name = driver.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
