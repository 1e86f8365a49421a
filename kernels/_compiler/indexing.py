"""Indices as machine code wants them: one that a kernel computes is never negative.

Python counts negative indices from the end, and Numba compares and selects at each access for
that. No kernel needs it, and the comparison keeps LLVM from seeing that neighbours are neighbours:
loops that set or copy elements scattered them one by one. So an index counts from the start,
unless it is a negative number in the source, as in `a[-1]`.

With NNET_CHECK_INDICES=1 in the environment an index outside of its axis ends the process.
"""

from __future__ import annotations

import os
from typing import Any

from llvmlite import ir
from llvmlite.ir import instructions
from numba.core import types
from numba.np import arrayobj

from kernels._compiler.library import Codegen

CHECKED = bool(os.environ.get("NNET_CHECK_INDICES"))

_from_either_end = arrayobj.fix_integer_index


def _from_the_start(context: Any, builder: Any, idxty: Any, idx: Any, size: Any) -> Any:
    """What Numba asks for: the index of an element of an axis with `size` of them."""
    if _is_negative_number(idx) or not isinstance(context.codegen(), Codegen):
        return _from_either_end(context, builder, idxty, idx, size)
    index = context.cast(builder, idx, idxty, types.intp)
    if CHECKED:
        with builder.if_then(builder.icmp_unsigned(">=", index, size), likely=False):
            ends = ir.FunctionType(ir.VoidType(), [])
            builder.call(builder.module.declare_intrinsic("llvm.trap", fnty=ends), [])
    return index


def _is_negative_number(index: Any) -> bool:
    """Whether the source has it so, by itself or in a tuple of indices."""
    if isinstance(index, instructions.ExtractValue):
        index = _put_there(index.operands[0], index.indices)
    return isinstance(index, ir.Constant) and index.constant < 0


def _put_there(aggregate: Any, place: Any) -> Any:
    """The value last inserted in this place; None if nobody did."""
    while isinstance(aggregate, instructions.InsertValue):
        if aggregate.indices == place:
            return aggregate.operands[1]
        aggregate = aggregate.operands[0]
    return None


arrayobj.fix_integer_index = _from_the_start
