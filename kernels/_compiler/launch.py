"""How an entry starts its tasks: on Numba's threads, each an equal run of them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from kernels._threads import start_threads

_INT, _BYTES = cgutils.intp_t, cgutils.voidptr_t


@intrinsic(prefer_literal=False)
def launch(typingctx, task, count, args):
    """task(index, *args) for each index below count; one run of them stays on this thread."""
    call = task.get_call_type(typingctx, (types.intp, *args.types), {})
    part = task.dispatcher.part(call.args)

    def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
        start_threads()
        _, count, packed = values
        library = context.active_code_library
        library.add_linking_library(part.library)
        library._reload_init.add(start_threads)
        kinds = [context.get_value_type(kind) for kind in call.args[1:]]
        shared = cgutils.alloca_once(builder, ir.LiteralStructType([_INT, _INT, *kinds]))
        run = _run_of_tasks(context, builder.module, part.fndesc, call, shared.type)

        threads = builder.call(_external(builder, _INT, [], "get_num_threads"), [])
        few = builder.icmp_signed("<", count, threads)
        runs = builder.select(few, count, threads)
        fields = [runs, count]
        for i, (given, wanted) in enumerate(zip(args.types, call.args[1:], strict=True)):
            fields.append(context.cast(builder, builder.extract_value(packed, i), given, wanted))
        for i, field in enumerate(fields):
            builder.store(field, cgutils.gep_inbounds(builder, shared, 0, i))

        # A run is told its number as an address that counts bytes from 0.
        first, size, step = (cgutils.alloca_once(builder, kind) for kind in (_BYTES, _INT, _INT))
        builder.store(ir.Constant(_BYTES, None), first)
        builder.store(runs, size)
        builder.store(ir.Constant(_INT, 1), step)
        loop = [builder.bitcast(each, _BYTES) for each in (first, size, step, shared)]
        here = builder.icmp_signed("<=", runs, _INT(1))
        with builder.if_else(here) as (alone, together):
            with alone, builder.if_then(builder.icmp_signed("==", runs, _INT(1))):
                builder.call(run, [first, size, step, loop[3]])
            with together:
                start = _external(
                    builder, ir.VoidType(), [_BYTES] * 5 + [_INT] * 3, "numba_parallel_for"
                )
                body = builder.bitcast(run, _BYTES)
                builder.call(start, [body, *loop, _INT(0), _INT(1), threads])
        return context.get_dummy_value()

    return types.void(task, types.intp, args), codegen


def _external(builder: Any, result: Any, arguments: list, name: str) -> Any:
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def _run_of_tasks(context: Any, module: Any, description: Any, call: Any, shared: Any) -> Any:
    """void run(first, size, step, shared): the tasks of `size` runs from number `first` on.

    Run i of n has the tasks from i * count / n to (i + 1) * count / n, both rounded up: where they
    do not go round, the first run is among the longer ones, for its thread need not be woken.
    """
    pointers = [_BYTES.as_pointer(), _INT.as_pointer(), _INT.as_pointer(), _BYTES]
    kind = ir.FunctionType(ir.VoidType(), pointers)
    function = ir.Function(module, kind, name=module.get_unique_name("run_of_tasks"))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    fields = builder.bitcast(function.args[3], shared)
    runs, count, *values = (
        builder.load(cgutils.gep_inbounds(builder, fields, 0, i))
        for i in range(len(shared.pointee.elements))
    )
    number = builder.ptrtoint(builder.load(function.args[0]), _INT)
    behind = builder.add(number, builder.load(function.args[1]))
    short = builder.sub(runs, _INT(1))
    first, last = (
        builder.sdiv(builder.add(builder.mul(each, count), short), runs)
        for each in (number, behind)
    )
    with cgutils.for_range_slice(builder, first, last, _INT(1), _INT, inc=True) as (index, _):
        context.call_internal_no_propagate(builder, description, call, [index, *values])
    builder.ret_void()
    return function
