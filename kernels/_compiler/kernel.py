"""Functions of kernels as Numba sees them: typed and lowered once for each kind of arguments.

Called from another kernel, a function gives what was lowered; called from Python, it becomes an
entry: the whole of what it needs, compiled once, and kept on disk.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import (
    compiler,
    dispatcher,
    errors,
    registry,
    sigutils,
    typed_passes,
    types,
    typing,
    untyped_passes,
)
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.environment import lookup_environment

from kernels._compiler.library import Target

# Of Numba's passes those that kernels need: no inlining of closures, no rewrites of array
# expressions, no lifting of loops, no parallel loops.
_UNTYPED = ("IRProcessing", "DeadBranchPrune", "GenericRewrites", "ReconstructSSA")
_TYPED = (
    "NopythonTypeInference",
    "PreLowerStripPhis",
    "IRLegalization",
    "NativeLowering",
    "NoPythonBackend",
)


class _Pipeline(compiler.CompilerBase):
    def define_pipelines(self) -> list[PassManager]:
        passes = PassManager("kernel")
        if self.state.func_ir is None:
            passes.add_pass(untyped_passes.TranslateByteCode, "")
            passes.add_pass(untyped_passes.FixupArgs, "")
        for house, names in ((untyped_passes, _UNTYPED), (typed_passes, _TYPED)):
            for name in names:
                passes.add_pass(getattr(house, name), "")
        passes.finalize()
        return [passes]


class _Flags(compiler.Flags):
    """Compared in every call that is lowered; Numba sorts them each time."""

    __slots__ = ("_sorted",)

    def _in_order(self) -> tuple:
        try:
            return self._sorted
        except AttributeError:
            self._sorted = tuple(sorted(self.values().items()))
            return self._sorted

    def __hash__(self) -> int:
        return hash(tuple(name for name, _ in self._in_order()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Flags):
            return self is other or self._in_order() == other._in_order()
        return super().__eq__(other)


class _FunctionCompiler(dispatcher._FunctionCompiler):
    def _compile_core(self, args: tuple, return_type: Any) -> Any:
        flags = _Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        return compiler.compile_extra(
            self.targetdescr.typing_context,
            self.targetdescr.target_context,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            pipeline_class=self.pipeline_class,
        )


class _Part:
    """Stands for a lowered function among those that Numba can call."""


class Kernel(registry.CPUDispatcher):
    """A compiled function, by its arguments: lowered in `overloads`, callable in `entries`."""

    targetdescr = Target("cpu")

    def __init__(
        self,
        py_func: Callable,
        locals: dict | None = None,
        targetoptions: dict | None = None,
        pipeline_class: type = _Pipeline,
    ) -> None:
        super().__init__(py_func, locals, targetoptions or {}, pipeline_class)
        self._compiler = _FunctionCompiler(
            py_func, self.targetdescr, self.targetoptions, self.locals, pipeline_class
        )
        self.entries: dict[tuple, Any] = {}

    def part(self, args: tuple) -> Any:
        """The function lowered for arguments of these types, which is done once."""
        found = self.overloads.get(args)
        if found is None:
            with global_compiler_lock, self._compiling_counter:
                lowered = self._compiler.compile(args, None)
                key = _Part()
                self.targetctx.insert_user_function(key, lowered.fndesc, [lowered.library])
                found = self.overloads[args] = lowered._replace(entry_point=key)
        return found

    def get_call_template(self, args: Any, kws: Any) -> tuple:
        """What Numba asks for where another function calls this one."""
        signature, args = self._compiler.fold_argument_types(args, kws)
        plain = tuple(_without_literals(each) for each in args)
        try:
            self.part(plain)
            args = plain
        except errors.NumbaError:
            # Where a number must be known, as an index into a tuple of several types.
            self.part(tuple(args))
        name = self.py_func.__name__
        template = typing.make_concrete_template(
            f"CallTemplate({name})", key=name, signatures=self.nopython_signatures
        )
        return template, signature, args, {}

    def compile(self, sig: Any) -> Any:
        """The entry for arguments of these types, from disk if it is there."""
        args, _ = sigutils.normalize_signature(sig)
        with global_compiler_lock, _without_collecting():
            entry = self.entries.get(args)
            if entry is None:
                found = self._cache.load_overload(sig, self.targetctx)
                if found is None:
                    self._cache_misses[sig] += 1
                    found = self._build(args)
                    self._cache.save_overload(sig, found)
                else:
                    self._cache_hits[sig] += 1
                entry = self.entries[args] = found.entry_point
                self._insert([each._code for each in args], entry, False)
            return entry

    def _build(self, args: tuple) -> Any:
        lowered = self.part(args)
        environment, description = lowered.environment, lowered.fndesc
        context = lowered.target_context.subtarget(environment=environment, fndesc=description)
        library = context.codegen().create_library(description.qualname)
        library.enable_object_caching()
        context.create_cpython_wrapper(
            library, description, environment, lowered.call_helper, release_gil=True
        )
        library.add_linking_library(lowered.library)
        library.emit(description.llvm_cpython_wrapper_name)
        entry = context.get_executable(library, description, environment)
        for variable in library._final_module.global_variables:
            if variable.name.startswith("_ZN08NumbaEnv"):
                found = lookup_environment(variable.name)
                if found is not None:
                    library.codegen.set_env(variable.name, found)
        again = [*lowered.reload_init]
        again += [each for each in library._reload_init if each not in again]
        return lowered._replace(entry_point=entry, library=library, reload_init=again)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Compiling makes many objects and few circles; looking for these takes a tenth of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _without_literals(kind: Any) -> Any:
    if isinstance(kind, types.BaseTuple) and not isinstance(kind, types.BaseNamedTuple):
        return types.BaseTuple.from_types([_without_literals(each) for each in kind.types])
    return types.unliteral(kind)
