"""Compiled kernels on disk, for the next start.

They lie in the user's cache folder, a folder for each op and state of its sources, a file for
each signature. A kernel is code, and unpickling it runs code. So each file begins with a digest
over what it is for and what it holds, which finds damage; and folder and file must be the user's
and writable by nobody else, which keeps out those who could compute a digest too.
"""

import contextlib
import functools
import hashlib
import inspect
import itertools
import os
import pickle
import re
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import platformdirs
from numba.core import caching

_KERNELS = Path(__file__).parent

# Parsing the sources would take a third of a second at every start.
_IMPORTED = re.compile(
    r"^(?:from|import) (?:kernels\.|\.{1,3})(_\w+)"
    r"|^from (?:kernels|\.{1,3}) import (\([^)]*\)|.*)$",
    re.MULTILINE,
)

# Shared modules that nothing is compiled from.
_PLAIN = {"_cache.py", "_check.py", "_device.py", "_memory.py", "_tasks.py", "_threads.py"}


# Settings of Numba that change what is compiled. Those of the processor are in every key.
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")

_DIGEST_BYTES = 32

# A hundred times what the largest kernel takes.
_MOST_BYTES = 1 << 28


@functools.cache
def cache_folder() -> Path | None:
    """The folder of compiled kernels in the user's cache; None, with a warning, where none can be.

    That is where it cannot be written to, belongs to another user, or others can write to it.
    """
    folder = Path(platformdirs.user_cache_dir("nnet", appauthor=False)) / "kernels"
    try:
        _make_folder(folder)
        if not _is_private(folder.stat()):
            raise PermissionError(f"{folder} must belong to you, and others must not write there")
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        warnings.warn(
            f"compiled kernels are not kept, each process compiles its own: {error}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return folder


def _make_folder(folder: Path) -> None:
    for each in (*reversed(folder.parents), folder):
        each.mkdir(mode=0o700, exist_ok=True)


def _is_private(status: os.stat_result) -> bool:
    """Whether it is the user's and nobody else can write to it, where users are told apart."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@functools.cache
def _sources_hash(folder: Path) -> str:
    """Identify what a kernel in `folder` is compiled from.

    That is the op's own folder and all below it, the shared modules `kernels/_*` that it imports,
    directly or through others, and Numba with its settings. Numba's own cache looks at the
    function's file alone, so an edit of a helper would go unnoticed.
    """
    settings = [getattr(numba.config, name) for name in _SETTINGS]
    settings += [bool(os.environ.get(name)) for name in ("NNET_PLAIN_NUMBA", "NNET_CHECK_INDICES")]
    digest = hashlib.sha256(repr((numba.__version__, llvmlite.__version__, settings)).encode())
    own = _KERNELS.glob("_*.py") if folder == _KERNELS else folder.rglob("*.py")
    waiting = [*own, _KERNELS / "_jit.py", *_files_of("_compiler")]
    sources: set[Path] = set()
    while waiting:
        source = waiting.pop()
        if source not in sources:
            sources.add(source)
            waiting += itertools.chain(*map(_files_of, _shared_modules(source)))
    for source in sorted(sources, key=str):
        digest.update(source.name.encode())
        digest.update(_read(source))
    return digest.hexdigest()[:16]


@functools.cache
def _files_of(module: str) -> tuple[Path, ...]:
    """Those of the shared module that something is compiled from; `_steps` may be an op's own."""
    whole = _KERNELS / module
    found = [whole.with_suffix(".py"), *whole.rglob("*.py")]
    return tuple(each for each in found if each.name not in _PLAIN and each.exists())


@functools.cache
def _read(source: Path) -> bytes:
    return source.read_bytes()


@functools.cache
def _shared_modules(source: Path) -> set[str]:
    """Names of the modules `kernels._*` that a source imports at its top level."""
    imported = " ".join(itertools.chain(*_IMPORTED.findall(_read(source).decode())))
    return set(re.findall(r"\b_\w+", imported))


def _home(source: Path) -> Path:
    """The folder of an op or of a shared module, or where a file beside them lies."""
    if source.parent == _KERNELS or not source.is_relative_to(_KERNELS):
        return source.parent
    return _KERNELS / source.relative_to(_KERNELS).parts[0]


class _Locator(caching._CacheLocator):
    def __init__(self, function: Callable, source: str) -> None:
        folder = cache_folder()
        assert folder is not None
        home = _home(Path(source))
        self._py_file = source
        self._line = function.__code__.co_firstlineno
        self._path = folder / f"{home.name}-{_sources_hash(home)}"

    def ensure_cache_path(self) -> None:
        _make_folder(self._path)

    def get_cache_path(self) -> str:
        return str(self._path)

    def get_source_stamp(self) -> str:
        return ""

    def get_disambiguator(self) -> str:
        return str(self._line)


class _CompileResult(caching.CompileResultCacheImpl):
    def __init__(self, function: Callable) -> None:
        # Not Numba's, which lets a setting choose other places, where an edit goes unnoticed.
        source = Path(inspect.getfile(function))
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Locator(function, str(source))
        place = source.relative_to(_home(source)).with_suffix("").parts
        name = ".".join([*place, function.__qualname__])
        self._filename_base = self.get_filename_base(name, sys.abiflags)


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

    def _digest(self, key: Any, kernel: bytes | memoryview) -> bytes:
        place = os.path.basename(self._folder), self._stem, str(key)
        digest = hashlib.sha256(repr(place).encode())
        digest.update(kernel)
        return digest.digest()

    def load(self, key: Any) -> Any:
        try:
            with open(self._path(key), "rb", opener=_open_without_waiting) as file:
                status = os.fstat(file.fileno())
                regular = stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES
                whole = file.read() if regular and _is_private(status) else b""
        except OSError:
            return None
        kernel = memoryview(whole)[_DIGEST_BYTES:]
        intact = whole[:_DIGEST_BYTES] == self._digest(key, kernel)
        return pickle.loads(kernel) if intact else None

    def save(self, key: Any, data: Any) -> None:
        path, kernel = self._path(key), caching.dumps(data)
        beginning = os.path.basename(path) + "."
        descriptor, beside = tempfile.mkstemp(prefix=beginning, dir=self._folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(self._digest(key, kernel))
                file.write(kernel)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise


def _open_without_waiting(path: str, flags: int) -> int:
    """As `open` would, but a pipe without a writer is opened at once."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class KernelCache(caching.FunctionCache):
    """What a dispatcher of Numba asks for compiled code, and gives it to."""

    def __init__(self, function: Callable) -> None:
        self._name = repr(function)
        self._op = function.__module__.removeprefix("kernels.").split(".")[0]
        self._py_func = function
        self._impl = _CompileResult(function)
        self._cache_path = self._impl.locator.get_cache_path()
        self._cache_file = _KernelFile(self._cache_path, self._impl.filename_base)
        self._enabled = True

    def save_overload(self, sig: Any, data: Any) -> None:
        # A cache that is full or was made read-only since is no reason to stop.
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # An intact file may still refer to what an installation that was changed no longer has.
        found = None
        with contextlib.suppress(Exception):
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
