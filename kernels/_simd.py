"""SIMD values for kernels: LLVM vectors as first-class Numba values.

A kernel loads `lanes(x)` elements of an array at once, computes with operators, and stores
them; it reads like the same code on numbers. Positions are flat element offsets into
C-contiguous arrays. Numbers mix with vectors by being repeated in every lane. Nothing here
reorders floating-point arithmetic: what is written is what is computed.
"""

import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)


def _register_bytes() -> int:
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") else 16


REGISTER_BYTES = _register_bytes()

# Two registers a value hide the latency of arithmetic.
VALUE_BYTES = 2 * REGISTER_BYTES

_ELEMENTS = {
    types.boolean: I1,
    types.uint8: ir.IntType(8),
    types.int32: I32,
    types.uint32: I32,
    types.int64: I64,
    types.uint64: I64,
    types.float32: ir.FloatType(),
    types.float64: ir.DoubleType(),
}


class Vector(types.Type):
    """`lanes` values of a Numba scalar type; of booleans, it is a mask."""

    def __init__(self, element: types.Type, lanes: int) -> None:
        self.element = element
        self.lanes = lanes
        super().__init__(name=f"Vector({element}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, llvm_vector(vector))


def llvm_vector(vector: Vector) -> ir.VectorType:
    return ir.VectorType(_ELEMENTS[vector.element], vector.lanes)


def value_lanes(array: types.Array) -> int:
    """How many elements of `array` one value holds."""
    return VALUE_BYTES * 8 // array.dtype.bitwidth


# ---- building blocks of the lowering


def pointer(context: Any, builder: Any, array: types.Array, value: Any, offset: Any) -> Any:
    """The address of flat element `offset`. By getelementptr, never by integers."""
    return builder.gep(context.make_array(array)(context, builder, value).data, [offset])


def load_vector(builder: Any, address: Any, vector: ir.VectorType, align: int) -> Any:
    return builder.load(builder.bitcast(address, vector.as_pointer()), align=align)


def store_vector(builder: Any, value: Any, address: Any, align: int) -> None:
    builder.store(value, builder.bitcast(address, value.type.as_pointer()), align=align)


def call(builder: Any, name: str, result: Any, args: list) -> Any:
    function = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)


def shuffle(builder: Any, a: Any, b: Any, order: list[int]) -> Any:
    b = ir.Constant(a.type, ir.Undefined) if b is None else b
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(order)), order))


def repeat(builder: Any, number: Any, vector: ir.VectorType) -> Any:
    """`number` in every lane."""
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), number, I32(0))
    return shuffle(builder, first, None, [0] * vector.count)


def suffix(vector: ir.VectorType) -> str:
    """How LLVM's intrinsics spell a type, as v16f32."""
    kinds = {ir.FloatType(): "f32", ir.DoubleType(): "f64"}
    return f"v{vector.count}{kinds.get(vector.element) or f'i{vector.element.width}'}"


def _alignment(element: types.Type) -> int:
    return max(1, element.bitwidth // 8)


def _as_vector(context: Any, builder: Any, value: Any, given: types.Type, wanted: Vector) -> Any:
    if isinstance(given, Vector):
        return value
    number = context.cast(builder, value, given, wanted.element)
    return repeat(builder, number, llvm_vector(wanted))


def _common(args: tuple) -> Vector | None:
    """The one vector type among `args`, whose others are numbers; None if there is no such."""
    vectors = {a for a in args if isinstance(a, Vector)}
    rest = [a for a in args if not isinstance(a, Vector)]
    if len(vectors) != 1 or not all(isinstance(a, types.Number) for a in rest):
        return None
    return vectors.pop()


# ---- operators


def _define_operator(functions: list, build: Callable, to_mask: bool = False) -> None:
    def result_of(vector: Vector) -> Vector:
        return Vector(types.boolean, vector.lanes) if to_mask else vector

    def lower(context: Any, builder: Any, sig: Any, args: tuple) -> Any:
        vector = _common(sig.args)
        values = [
            _as_vector(context, builder, value, given, vector)
            for value, given in zip(args, sig.args, strict=True)
        ]
        return build(builder, vector.element, *values)

    class Template(AbstractTemplate):
        def generic(self, args: tuple, kws: dict) -> Any:
            vector = _common(args)
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


# ---- memory


@intrinsic
def lanes(typingctx, array):
    """How many elements of `array` one value holds; a constant to the compiler."""

    def codegen(context, builder, sig, args):
        return I64(value_lanes(array))

    return types.intp(array), codegen


@intrinsic
def load(typingctx, array, start):
    """The `lanes(array)` elements from `start` on."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, *args)
        return load_vector(builder, address, llvm_vector(vector), _alignment(array.dtype))

    return vector(array, types.intp), codegen


@intrinsic
def store(typingctx, array, start, value):
    """Write a value to the elements from `start` on; a number is repeated."""
    vector = value if isinstance(value, Vector) else Vector(array.dtype, value_lanes(array))
    if vector.element != array.dtype:
        return None

    def codegen(context, builder, sig, args):
        values = _as_vector(context, builder, args[2], sig.args[2], vector)
        address = pointer(context, builder, array, args[0], args[1])
        store_vector(builder, values, address, _alignment(array.dtype))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def stream(typingctx, array, start, value):
    """Like `store`, past the caches; `start` must lie on a multiple of the value's size."""
    if not isinstance(value, Vector) or value.element != array.dtype:
        return None

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, args[0], args[1])
        address = builder.bitcast(address, args[2].type.as_pointer())
        written = builder.store(args[2], address, align=REGISTER_BYTES)
        written.set_metadata("nontemporal", builder.module.add_metadata([I32(1)]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


def _first_lanes(builder: Any, count: Any, total: int) -> Any:
    index = ir.VectorType(I32, total)
    limit = repeat(builder, builder.trunc(count, I32), index)
    return builder.icmp_signed("<", ir.Constant(index, list(range(total))), limit)


@intrinsic
def first(typingctx, array, count):
    """A mask for values of `array` that is true in the first `count` lanes."""
    mask = Vector(types.boolean, value_lanes(array))

    def codegen(context, builder, sig, args):
        return _first_lanes(builder, args[1], mask.lanes)

    return mask(array, types.intp), codegen


@intrinsic
def load_first(typingctx, array, start, count, fill):
    """The first `count` lanes from memory, which alone is touched; `fill` in the others."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        kind = llvm_vector(vector)
        address = pointer(context, builder, array, args[0], args[1])
        address = builder.bitcast(address, kind.as_pointer())
        mask = _first_lanes(builder, args[2], vector.lanes)
        rest = _as_vector(context, builder, args[3], sig.args[3], vector)
        align = I32(_alignment(array.dtype))
        name = f"llvm.masked.load.{suffix(kind)}.p0"
        return call(builder, name, kind, [address, align, mask, rest])

    return vector(array, types.intp, types.intp, fill), codegen


@intrinsic
def store_first(typingctx, array, start, count, value):
    """Write the first `count` lanes; memory beyond them is not touched."""
    if not isinstance(value, Vector) or value.element != array.dtype:
        return None

    def codegen(context, builder, sig, args):
        kind = llvm_vector(value)
        address = pointer(context, builder, array, args[0], args[1])
        address = builder.bitcast(address, kind.as_pointer())
        mask = _first_lanes(builder, args[2], value.lanes)
        align = I32(_alignment(array.dtype))
        name = f"llvm.masked.store.{suffix(kind)}.p0"
        call(builder, name, ir.VoidType(), [args[3], address, align, mask])
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), codegen


@intrinsic
def load_as(typingctx, array, start, like):
    """As many elements as a value of the array `like` holds, converted to its type."""
    source = Vector(array.dtype, value_lanes(like))
    target = Vector(like.dtype, value_lanes(like))

    def codegen(context, builder, sig, args):
        address = pointer(context, builder, array, args[0], args[1])
        values = load_vector(builder, address, llvm_vector(source), _alignment(array.dtype))
        return _convert(builder, values, source, target)

    return target(array, types.intp, like), codegen


@intrinsic
def store_as(typingctx, array, start, value):
    """Write a value converted to the type of `array`."""
    target = Vector(array.dtype, value.lanes)

    def codegen(context, builder, sig, args):
        values = _convert(builder, args[2], value, target)
        address = pointer(context, builder, array, args[0], args[1])
        store_vector(builder, values, address, _alignment(array.dtype))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


def _convert(builder: Any, values: Any, source: Vector, target: Vector) -> Any:
    kind = llvm_vector(target)
    before, after = source.element, target.element
    if before == after:
        return values
    if isinstance(before, types.Float) and isinstance(after, types.Float):
        wider = after.bitwidth > before.bitwidth
        return builder.fpext(values, kind) if wider else builder.fptrunc(values, kind)
    if isinstance(before, types.Float):
        return builder.fptosi(values, kind) if after.signed else builder.fptoui(values, kind)
    if isinstance(after, types.Float):
        return builder.sitofp(values, kind) if before.signed else builder.uitofp(values, kind)
    if after.bitwidth < before.bitwidth:
        return builder.trunc(values, kind)
    return builder.sext(values, kind) if before.signed else builder.zext(values, kind)


@intrinsic
def store_bits(typingctx, array, start, mask):
    """Write a mask as bits, lane 0 lowest; `start` counts bits, in multiples of 8."""
    if array.dtype != types.uint8 or mask.element != types.boolean:
        return None

    def codegen(context, builder, sig, args):
        byte = builder.lshr(args[1], I64(3))
        address = pointer(context, builder, array, args[0], byte)
        bits = ir.IntType(mask.lanes)
        word = builder.bitcast(args[2], bits)
        builder.store(word, builder.bitcast(address, bits.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, mask), codegen


@intrinsic
def load_bits(typingctx, array, start, like):
    """Bits as a mask for values of the array `like`; `start` counts bits, in multiples of 8."""
    mask = Vector(types.boolean, value_lanes(like))

    def codegen(context, builder, sig, args):
        byte = builder.lshr(args[1], I64(3))
        address = pointer(context, builder, array, args[0], byte)
        bits = ir.IntType(mask.lanes)
        word = builder.load(builder.bitcast(address, bits.as_pointer()), align=1)
        return builder.bitcast(word, llvm_vector(mask))

    return mask(array, types.intp, like), codegen


# ---- arithmetic beyond operators


@intrinsic
def full(typingctx, array, number):
    """A value for `array` with `number` in every lane."""
    vector = Vector(array.dtype, value_lanes(array))

    def codegen(context, builder, sig, args):
        return _as_vector(context, builder, args[1], sig.args[1], vector)

    return vector(array, number), codegen


@intrinsic
def fma(typingctx, a, b, c):
    """a * b + c, rounded once; up to two of them may be numbers."""
    vector = _common((a, b, c))
    if vector is None:
        return None

    def codegen(context, builder, sig, args):
        values = [
            _as_vector(context, builder, value, given, vector)
            for value, given in zip(args, sig.args, strict=True)
        ]
        kind = llvm_vector(vector)
        return call(builder, f"llvm.fma.{suffix(kind)}", kind, values)

    return vector(a, b, c), codegen


@intrinsic
def select(typingctx, mask, a, b):
    """a where the mask is true, else b; one of them may be a number."""
    vector = _common((a, b))
    if vector is None:
        return None

    def codegen(context, builder, sig, args):
        chosen = _as_vector(context, builder, args[1], sig.args[1], vector)
        other = _as_vector(context, builder, args[2], sig.args[2], vector)
        return builder.select(args[0], chosen, other)

    return vector(mask, a, b), codegen


def _elementwise(name: str) -> Callable:
    def typing(typingctx, *vectors):
        kind = llvm_vector(vectors[0])

        def codegen(context, builder, sig, args):
            return call(builder, f"llvm.{name}.{suffix(kind)}", kind, list(args))

        return vectors[0](*vectors), codegen

    return typing


_round, _root = _elementwise("rint"), _elementwise("sqrt")
_absolute, _sign = _elementwise("fabs"), _elementwise("copysign")


@intrinsic
def rint(typingctx, a):
    """The nearest integers, ties to even."""
    return _round(typingctx, a)


@intrinsic
def sqrt(typingctx, a):
    return _root(typingctx, a)


@intrinsic
def absolute(typingctx, a):
    return _absolute(typingctx, a)


@intrinsic
def copysign(typingctx, a, b):
    """The magnitude of a with the sign of b."""
    return _sign(typingctx, a, b)


@intrinsic
def times_power_of_two(typingctx, a, exponent):
    """a * 2**exponent for integral `exponent`; both factors must be normal numbers."""
    bits = a.element.bitwidth
    mantissa = {32: 23, 64: 52}[bits]

    def codegen(context, builder, sig, args):
        kind = ir.VectorType(ir.IntType(bits), a.lanes)
        shift = builder.shl(
            builder.fptosi(args[1], kind), ir.Constant(kind, [mantissa] * a.lanes)
        )
        scaled = builder.add(builder.bitcast(args[0], kind), shift)
        return builder.bitcast(scaled, llvm_vector(a))

    return a(a, exponent), codegen


@intrinsic
def is_double(typingctx, a):
    """Whether lanes are float64; a constant, so that the other branch is not compiled in."""
    dtype = a.element if isinstance(a, Vector) else a.dtype

    def codegen(context, builder, sig, args):
        return I1(dtype == types.float64)

    return types.boolean(a), codegen


# ---- across lanes, in a fixed order: halves are folded together


def _fold(builder: Any, values: Any, combine: Callable) -> Any:
    width = values.type.count
    while width > 1:
        width //= 2
        low = shuffle(builder, values, None, list(range(width)))
        high = shuffle(builder, values, None, list(range(width, 2 * width)))
        values = combine(low, high)
    return builder.extract_element(values, I32(0))


@intrinsic
def sum_lanes(typingctx, a):
    """The sum of all lanes, in float64."""

    def codegen(context, builder, sig, args):
        wide = _convert(builder, args[0], a, Vector(types.float64, a.lanes))
        return _fold(builder, wide, builder.fadd)

    return types.float64(a), codegen


@intrinsic
def max_lanes(typingctx, a):
    """The greatest lane; which one is given for NaN is not defined."""

    def codegen(context, builder, sig, args):
        def greater(x, y):
            return builder.select(builder.fcmp_ordered(">", x, y), x, y)

        return _fold(builder, args[0], greater)

    return a.element(a), codegen


@intrinsic
def any_lane(typingctx, mask):
    """Whether the mask is true anywhere."""

    def codegen(context, builder, sig, args):
        bits = ir.IntType(mask.lanes)
        return builder.icmp_unsigned("!=", builder.bitcast(args[0], bits), bits(0))

    return types.boolean(mask), codegen


@numba.njit
def maximum(a, b):
    """The greater of a and b; a where a is NaN."""
    return select(a < b, b, a)


@numba.njit
def minimum(a, b):
    """The lesser of a and b; a where a is NaN."""
    return select(a > b, b, a)
