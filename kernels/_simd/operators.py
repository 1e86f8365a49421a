"""Operators of vectors: arithmetic, bits, comparisons; numbers are repeated in every lane."""

import operator
from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin

from kernels._simd.vector import Vector, as_vector, common


def _define_operator(functions: list, build: Callable, to_mask: bool = False) -> None:
    def result_of(vector: Vector) -> Vector:
        return Vector(types.boolean, vector.lanes) if to_mask else vector

    def lower(context: Any, builder: Any, sig: Any, args: tuple) -> Any:
        vector = common(sig.args)
        values = [
            as_vector(context, builder, value, given, vector)
            for value, given in zip(args, sig.args, strict=True)
        ]
        return build(builder, vector.element, *values)

    class Template(AbstractTemplate):
        def generic(self, args: tuple, kws: dict) -> Any:
            vector = common(args)
            if vector is not None and not kws:
                return signature(result_of(vector), *args)

    for function in functions:
        infer_global(function)(Template)
        shapes = [(Vector,)] if function in (operator.neg, operator.invert) else _BINARY
        for shape in shapes:
            lower_builtin(function, *shape)(lower)


_BINARY = [(Vector, Vector), (Vector, types.Number), (types.Number, Vector)]


def _float_or_int(float_name: str, int_name: str) -> Callable:
    def build(builder: Any, element: types.Type, *values: Any) -> Any:
        name = float_name if isinstance(element, types.Float) else int_name
        return getattr(builder, name)(*values)

    return build


def _comparison(sign: str) -> Callable:
    def build(builder: Any, element: types.Type, a: Any, b: Any) -> Any:
        if isinstance(element, types.Float):
            ordered = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
            return ordered(sign, a, b)
        if element.signed:
            return builder.icmp_signed(sign, a, b)
        return builder.icmp_unsigned(sign, a, b)

    return build


def _bitwise(name: str) -> Callable:
    return lambda builder, element, *values: getattr(builder, name)(*values)


def _shift_right(builder: Any, element: types.Type, a: Any, b: Any) -> Any:
    return builder.ashr(a, b) if element.signed else builder.lshr(a, b)


_define_operator([operator.add, operator.iadd], _float_or_int("fadd", "add"))
_define_operator([operator.sub, operator.isub], _float_or_int("fsub", "sub"))
_define_operator([operator.mul, operator.imul], _float_or_int("fmul", "mul"))
_define_operator([operator.truediv, operator.itruediv], _bitwise("fdiv"))
_define_operator([operator.neg], _float_or_int("fneg", "neg"))
_define_operator([operator.and_, operator.iand], _bitwise("and_"))
_define_operator([operator.or_, operator.ior], _bitwise("or_"))
_define_operator([operator.xor, operator.ixor], _bitwise("xor"))
_define_operator([operator.invert], _bitwise("not_"))
_define_operator([operator.lshift, operator.ilshift], _bitwise("shl"))
_define_operator([operator.rshift, operator.irshift], _shift_right)
_define_operator([operator.lt], _comparison("<"), to_mask=True)
_define_operator([operator.le], _comparison("<="), to_mask=True)
_define_operator([operator.gt], _comparison(">"), to_mask=True)
_define_operator([operator.ge], _comparison(">="), to_mask=True)
_define_operator([operator.eq], _comparison("=="), to_mask=True)
_define_operator([operator.ne], _comparison("!="), to_mask=True)
