"""Kernels compiled by parts of Numba, each function once.

Numba has no public way to this. What is used of its inside is checked here when it is imported:
where something is missing, `_jit` compiles by `numba.njit` instead, which takes three times as
long and gives the same bits.
"""

from typing import Any

from numba.core import codegen, compiler, dispatcher, registry, typed_passes, untyped_passes
from numba.np import arrayobj
from numba.np.ufunc import parallel

_NEEDED = {
    codegen.JITCodeLibrary: (
        "add_ir_module _codegen _final_module _finalize_final_module _get_compiled_object "
        "_linking_libraries _optimize_final_module _reload_init _set_compiled_object "
        "_shared_module enable_object_caching"
    ),
    codegen.JITCPUCodegen: "_library_class set_env",
    compiler.Flags: "no_cfunc_wrapper no_compile no_cpython_wrapper values",
    compiler: "compile_extra CompilerBase",
    dispatcher._FunctionCompiler: "compile fold_argument_types",
    registry.CPUDispatcher: "_compiling_counter _insert",
    untyped_passes: "TranslateByteCode FixupArgs IRProcessing DeadBranchPrune GenericRewrites",
    typed_passes: "NopythonTypeInference PreLowerStripPhis IRLegalization NativeLowering",
    arrayobj: "fix_integer_index",
    parallel: "_launch_threads",
}


def _check() -> None:
    for place, names in _NEEDED.items():
        made = [vars(kind).get("__init__") for kind in getattr(place, "__mro__", ())]
        attributes = {name for each in made if each for name in _names(each)}
        for name in names.split():
            if not hasattr(place, name) and name not in attributes:
                raise ImportError(f"expected {place.__name__}.{name} in this version of Numba")


def _names(function: Any) -> tuple[str, ...]:
    return getattr(function, "__code__", _check.__code__).co_names


_check()

from kernels._compiler import indexing  # noqa: E402, F401
from kernels._compiler.kernel import Kernel  # noqa: E402
from kernels._compiler.launch import launch  # noqa: E402

__all__ = ["Kernel", "launch"]
