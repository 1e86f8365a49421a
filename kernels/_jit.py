"""The only place with Numba flags, the disk cache and the threading-layer lock.

`jit` compiles a serial function that other kernels may call; `parallel` compiles a
top-level kernel whose `prange` loops run on all threads. Both are compiled lazily, once for
each signature, and kept on disk: see `cache_folder`.
"""

import contextlib
import functools
import hashlib
import itertools
import os
import pickle
import re
import sys
import tempfile
import threading
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba import prange
from numba.core import caching

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

_KERNELS = Path(__file__).parent

# Parsing the sources would take a third of a second at every start.
_IMPORTED = re.compile(
    r"^(?:from|import) (?:kernels\.|\.\.?)(_\w+)|^from (?:kernels|\.\.?) import (\([^)]*\)|.*)$",
    re.MULTILINE,
)

# Shared modules that nothing is compiled from.
_PLAIN = {"_check.py", "_memory.py"}

thread_id = numba.get_thread_id


def jit(function: Callable) -> Any:
    """Compile a serial function: a helper of kernels, or the path for small work."""
    return _compile(function, parallel=False)


def parallel(function: Callable) -> Callable:
    """Compile a kernel with `prange` loops; call it from Python only.

    A launch costs 2 to 12 us, so a kernel for small work too must reach its `prange` only
    when there is enough to share out.
    """
    dispatcher = _compile(function, parallel=True)

    @functools.wraps(function)
    def launch(*args: Any, **named: Any) -> Any:
        if _concurrent_launches_allowed:
            return dispatcher(*args, **named)
        with _launch_lock:
            result = dispatcher(*args, **named)
            _learn_threading_layer()
        return result

    launch.dispatcher = dispatcher  # type: ignore[attr-defined]
    return launch


def set_num_threads(count: int) -> None:
    """Run this thread's kernels on `count` threads from now on; results do not depend on it.

    Raises ValueError unless 1 <= count <= the number of threads Numba was started with
    (the machine's cores).
    """
    largest = numba.config.NUMBA_NUM_THREADS
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= largest:
        raise ValueError(f"set_num_threads: expected an integer from 1 to {largest}, got {count!r}")
    numba.set_num_threads(count)


def get_num_threads() -> int:
    """The number of threads that kernels run on."""
    return numba.get_num_threads()


def thread_rows() -> int:
    """How many rows per-thread scratch needs, so that `thread_id()` can index it."""
    return numba.config.NUMBA_NUM_THREADS


def threading_layer() -> str:
    """The threading layer in use: "omp", "tbb" or "workqueue"."""
    _start_threads(4)
    return numba.threading_layer()


@functools.cache
def cache_folder() -> Path | None:
    """The folder of compiled kernels in the user's cache; None where it cannot be written."""
    folder = Path(platformdirs.user_cache_dir("nnet", appauthor=False)) / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        warnings.warn(
            f"compiled kernels are not kept, each process compiles its own: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return folder


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
        dispatcher._cache = _KernelCache(function)
    return dispatcher


# The workqueue layer aborts the process on concurrent launches.
_launch_lock = threading.Lock()
_concurrent_launches_allowed = False


def _learn_threading_layer() -> None:
    global _concurrent_launches_allowed
    try:
        _concurrent_launches_allowed = numba.threading_layer() != "workqueue"
    except ValueError:  # nothing was launched yet: the call stayed serial
        pass


@functools.cache
def _sources_hash(folder: Path) -> str:
    """Identify what a kernel in `folder` is compiled from.

    That is its own folder, the shared modules `kernels/_*` that it imports, directly or through
    others, and Numba. Numba's own cache looks at the function's file alone, so an edit of a
    helper would go unnoticed.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    sources = set(folder.glob("*.py")) - set(_KERNELS.glob("*.py"))
    waiting = [_KERNELS / "_jit.py", *(sources or _KERNELS.glob("_*.py"))]
    while waiting:
        source = waiting.pop()
        sources.add(source)
        for module in _shared_modules(source.read_bytes()):
            whole = _KERNELS / module
            found = [whole.with_suffix(".py"), *whole.glob("*.py")]
            waiting += [each for each in found if each not in sources and _is_shared(each)]
    for source in sorted(sources):
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _is_shared(source: Path) -> bool:
    """Whether it is there, `_steps` may be an op's own, and something is compiled from it."""
    return source.name not in _PLAIN and source.exists()


@functools.cache
def _shared_modules(source: bytes) -> set[str]:
    """Names of the modules `kernels._*` that a source text imports at its top level."""
    imported = " ".join(itertools.chain(*_IMPORTED.findall(source.decode())))
    return set(re.findall(r"\b_\w+", imported))


class _Locator(caching._CacheLocator):
    def __init__(self, function: Callable, source: str) -> None:
        folder = cache_folder()
        assert folder is not None
        home = Path(source).parent
        self._py_file = source
        self._line = function.__code__.co_firstlineno
        self._path = str(folder / f"{home.name}-{_sources_hash(home)}")

    @classmethod
    def from_function(cls, py_func: Callable, py_file: str) -> "_Locator":
        return cls(py_func, py_file)

    def get_cache_path(self) -> str:
        return self._path

    def get_source_stamp(self) -> str:
        return ""

    def get_disambiguator(self) -> str:
        return str(self._line)


class _CompileResult(caching.CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _KernelFile:
    """One file for each signature, named by its key.

    There is no index that two processes could overwrite for each other; a file appears
    whole, by renaming.
    """

    def __init__(self, folder: str, stem: str) -> None:
        self._folder = folder
        self._stem = stem

    def _path(self, key: Any) -> str:
        name = hashlib.sha256(pickle.dumps(str(key))).hexdigest()[:24]
        return os.path.join(self._folder, f"{self._stem}-{name}.nbc")

    def load(self, key: Any) -> Any:
        try:
            with open(self._path(key), "rb") as file:
                return pickle.load(file)
        except (OSError, EOFError, pickle.UnpicklingError):
            return None

    def save(self, key: Any, data: Any) -> None:
        path = self._path(key)
        beside = f"{path}.{uuid.uuid4().hex[:12]}"
        try:
            with open(beside, "wb") as file:
                file.write(caching.dumps(data))
            os.replace(beside, path)
        except OSError:
            Path(beside).unlink(missing_ok=True)


class _KernelCache(caching.FunctionCache):
    _impl_class = _CompileResult

    def __init__(self, function: Callable) -> None:
        self._name = repr(function)
        self._op = function.__module__.removeprefix("kernels.").split(".")[0]
        self._py_func = function
        self._impl = self._impl_class(function)
        self._cache_path = self._impl.locator.get_cache_path()
        self._cache_file = _KernelFile(self._cache_path, self._impl.filename_base)
        self._enabled = True

    def save_overload(self, sig: Any, data: Any) -> None:
        # A cache that is full or was made read-only since is no reason to stop.
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        found = super().load_overload(sig, target_context)
        if found is None and not self._op.startswith("_"):
            _announce_compilation(self._op)
        return found


@functools.cache
def _announce_compilation(op: str) -> None:
    """Say once which op is being compiled, and the first time why."""
    first = _announce_compilation.cache_info().misses == 1
    why = f" for this processor, once; later starts read kernels from {cache_folder()}"
    print(f"nnet: compiling {op}{why if first else ''}", file=sys.stderr)


@parallel
def _start_threads(count: int) -> int:
    total = 0
    for _ in prange(count):
        total += 1
    return total
