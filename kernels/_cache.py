"""Compiled kernels on disk, for the next start.

They lie in the user's cache folder, a folder for each op and state of its sources, a file for
each signature.
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
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core import caching

_KERNELS = Path(__file__).parent

# Parsing the sources would take a third of a second at every start.
_IMPORTED = re.compile(
    r"^(?:from|import) (?:kernels\.|\.\.?)(_\w+)|^from (?:kernels|\.\.?) import (\([^)]*\)|.*)$",
    re.MULTILINE,
)

# Shared modules that nothing is compiled from.
_PLAIN = {"_cache.py", "_check.py", "_memory.py", "_threads.py"}


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


class KernelCache(caching.FunctionCache):
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
