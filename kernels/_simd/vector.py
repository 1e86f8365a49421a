"""The vector type, and the pieces of LLVM IR that operations on it are built from."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, codegen, config, types
from numba.extending import models, register_model

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)


def processor_features() -> set[str]:
    """What kernels are compiled for: the processor's, or those of NUMBA_CPU_FEATURES."""
    given = config.CPU_FEATURES
    flags = (codegen.get_host_cpu_features() if given is None else given).split(",")
    stands = {flag.strip()[1:]: flag.strip().startswith("+") for flag in flags if flag.strip()}
    return {name for name, on in stands.items() if on}


def _register_bytes() -> int:
    features = processor_features()
    if "avx512f" in features:
        return 64
    return 32 if "avx2" in features else 16


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


def alignment(element: types.Type) -> int:
    return max(1, element.bitwidth // 8)


def as_vector(context: Any, builder: Any, value: Any, given: types.Type, wanted: Vector) -> Any:
    if isinstance(given, Vector):
        return value
    number = context.cast(builder, value, given, wanted.element)
    return repeat(builder, number, llvm_vector(wanted))


def common(args: tuple) -> Vector | None:
    """The one vector type among `args`, whose others are numbers; None if there is no such."""
    vectors = {a for a in args if isinstance(a, Vector)}
    rest = [a for a in args if not isinstance(a, Vector)]
    if len(vectors) != 1 or not all(isinstance(a, types.Number) for a in rest):
        return None
    return vectors.pop()


def convert(builder: Any, values: Any, source: Vector, target: Vector) -> Any:
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
