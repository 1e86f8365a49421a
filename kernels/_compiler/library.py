"""Code of kernels on its way through LLVM: linked whole, optimized once, emitted once.

A function that other kernels call stays LLVM's intermediate representation. When a function is
called from Python, it and all that it calls are linked into one module, in which nothing but the
way in can be seen from outside; that is optimized and becomes machine code. Numba's own libraries
optimize and emit each function for itself, and again in each of its callers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numba.core import codegen, registry, utils


class Library(codegen.JITCodeLibrary):
    """Of one function; of one that is called from Python, in the end, with all that it needs."""

    def _ensure_finalized(self) -> None:
        """Nothing is optimized or emitted before `emit`."""

    def add_linking_library(self, library: Any) -> None:
        self._linking_libraries.append(library)

    def _optimize_functions(self, ll_module: Any) -> None:
        """Nothing is gained by that before all is linked."""
        ll_module.data_layout = self._codegen._data_layout

    def _get_module_for_linking(self) -> Any:
        """For libraries of Numba's own, as of a function of a test that calls kernels' helpers."""
        if self._shared_module is None:
            whole = self._final_module.clone()
            for part in self._parts():
                whole.link_in(_module_of(part), preserve=True)
            _set_linkage(whole, "linkonce_odr")
            self._shared_module = whole
        return self._shared_module

    def _parts(self) -> Iterator[Any]:
        """What this library needs, and what that needs; each once, those of Numba's own last."""
        found, waiting, foreign = set(), list(reversed(self._linking_libraries)), []
        while waiting:
            library = waiting.pop()
            if library in found:
                continue
            found.add(library)
            if isinstance(library, Library):
                waiting += reversed(library._linking_libraries)
                yield library
            else:
                foreign.append(library)
        yield from foreign

    def emit(self, entry: str) -> None:
        """Machine code of the function `entry` and of everything that it needs."""
        for part in self._parts():
            self._reload_init.update(part._reload_init)
            self._final_module.link_in(_module_of(part), preserve=True)
        _set_linkage(self._final_module, "linkonce_odr", entry)
        self._optimize_final_module()
        _set_linkage(self._final_module, "internal", entry)
        self._final_module.verify()
        self._finalize_final_module()

    def serialize_using_object_code(self) -> tuple:
        """For the cache: the machine code, and the names by which it can be found."""
        module = self._final_module
        defined = [each.name for each in module.functions if not each.is_declaration]
        defined += [each.name for each in module.global_variables if not each.is_declaration]
        return self.name, "entry", (self._get_compiled_object(), defined)

    @classmethod
    def _unserialize(cls, codegen: Any, state: tuple) -> Library:
        name, _, (machine_code, defined) = state
        self = codegen.create_library(name)
        self.enable_object_caching()
        self._set_compiled_object(machine_code)
        self._finalize_final_module()
        codegen._engine._defined_symbols.update(defined)
        return self


def _module_of(part: Any) -> Any:
    return part._final_module if isinstance(part, Library) else part._get_module_for_linking()


def _set_linkage(module: Any, linkage: str, *left: str) -> None:
    for function in module.functions:
        if not function.is_declaration and function.name not in left:
            function.linkage = linkage


class Codegen(codegen.JITCPUCodegen):
    _library_class = Library


class Target(registry.CPUTarget):
    """Numba's target for processors, with libraries as above."""

    @utils.threadsafe_cached_property
    def _toplevel_target_context(self) -> Any:
        context = registry.cpu_target.target_context
        return context.subtarget(_internal_codegen=Codegen("nnet"))

    @property
    def typing_context(self) -> Any:
        return registry.cpu_target.typing_context
