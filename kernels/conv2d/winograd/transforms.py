"""The transforms of Winograd's F(4x4, 3x3), a register of tiles or channels at a time.

Each is the transform of `toom_cook`, applied to rows and then to columns.

`places` are flat int64 positions, one for each lane, of the patch that the lane works on.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from kernels._simd import (
    I32,
    I64,
    Vector,
    llvm_vector,
    load_vector,
    pointer,
    repeat,
    shuffle,
    store_vector,
)
from kernels._tile import MR, register_lanes
from kernels.conv2d.winograd.toom_cook import SIDE, Row


def _twice(transform: Callable, rows: list[list]) -> list[list]:
    """A transform of every row, then of every column: entry [i][j] of the result."""
    across = [transform(row) for row in rows]
    columns = [transform([row[j] for row in across]) for j in range(len(across[0]))]
    return [[column[i] for column in columns] for i in range(len(columns[0]))]


def _lane_addresses(context: Any, builder: Any, sig: Any, args: tuple, at: int, lanes: int) -> list:
    """The addresses of the lanes' patches; args[at:] are array, base, places, first place."""
    base = pointer(context, builder, sig.args[at], args[at], args[at + 1])
    table = pointer(context, builder, sig.args[at + 2], args[at + 2], args[at + 3])
    return [
        builder.gep(base, [builder.load(builder.gep(table, [I64(lane)]))]) for lane in range(lanes)
    ]


def _mix_fours(builder: Any, rows: list) -> list:
    """Transpose every 4 x 4 square that four vectors form in each run of four lanes."""
    count = rows[0].type.count

    def runs(pattern: list[tuple[int, int]]) -> list[int]:
        return [g + lane + side * count for g in range(0, count, 4) for side, lane in pattern]

    low, high = runs([(0, 0), (1, 0), (0, 1), (1, 1)]), runs([(0, 2), (1, 2), (0, 3), (1, 3)])
    first, second = runs([(0, 0), (0, 1), (1, 0), (1, 1)]), runs([(0, 2), (0, 3), (1, 2), (1, 3)])
    a, b = shuffle(builder, rows[0], rows[1], low), shuffle(builder, rows[2], rows[3], low)
    c, d = shuffle(builder, rows[0], rows[1], high), shuffle(builder, rows[2], rows[3], high)
    return [
        shuffle(builder, a, b, first),
        shuffle(builder, a, b, second),
        shuffle(builder, c, d, first),
        shuffle(builder, c, d, second),
    ]


def _load_fours(builder: Any, addresses: list, offset: Any, kind: Any, align: int) -> list:
    """Four vectors, the elements offset .. offset + 3 of every lane's patch."""
    four = ir.VectorType(kind.element, 4)
    rows = []
    for i in range(4):
        parts = [
            load_vector(builder, builder.gep(address, [offset]), four, align)
            for address in addresses[i::4]
        ]
        while len(parts) > 1:
            parts = [
                shuffle(builder, a, b, list(range(2 * a.type.count)))
                for a, b in zip(parts[0::2], parts[1::2], strict=True)
            ]
        rows.append(parts[0])
    return _mix_fours(builder, rows)


def _store_fours(builder: Any, columns: list, addresses: list, offset: Any, align: int) -> None:
    """The reverse of `_load_fours`."""
    for i, row in enumerate(_mix_fours(builder, columns)):
        for g, address in enumerate(addresses[i::4]):
            part = shuffle(builder, row, None, list(range(4 * g, 4 * g + 4)))
            store_vector(builder, part, builder.gep(address, [offset]), align)


def _patch_transform(side: int, method: str) -> Callable:
    """Of patches of `side` x `side`, whose rows lie `row_pitch` apart, to 36 vectors."""

    def transform(typingctx, source, base, places, place, row_pitch, out, out_start, out_pitch):
        kind = llvm_vector(Vector(source.dtype, register_lanes(source)))
        align = source.dtype.bitwidth // 8

        def codegen(context, builder, sig, args):
            addresses = _lane_addresses(context, builder, sig, args, 0, kind.count)
            target = pointer(context, builder, out, args[5], args[6])
            rows = []
            for i in range(side):
                offset = builder.mul(args[4], I64(i))
                row = _load_fours(builder, addresses, offset, kind, align)
                if side == SIDE:
                    behind = builder.add(offset, I64(2))
                    row += _load_fours(builder, addresses, behind, kind, align)[2:]
                rows.append(row)
            entries = _twice(getattr(Row(builder, kind), method), rows)
            for index, value in enumerate(v for row in entries for v in row):
                at = builder.gep(target, [builder.mul(args[7], I64(index))])
                store_vector(builder, value, at, align)
            return context.get_dummy_value()

        intp = types.intp
        return types.void(source, intp, places, intp, intp, out, intp, intp), codegen

    return intrinsic(transform)


# B' d B of the inputs under a tile, and A d A' of a tile's gradients: places[place:], one for each
# lane, are where patches begin, counted from `base`; the 36 vectors lie `out_pitch` apart.
transform_inputs = _patch_transform(SIDE, "inputs")
transform_gradients = _patch_transform(4, "gradients")


def _store_runs(builder: Any, value: Any, address: Any, run_pitch: Any, align: int) -> None:
    """Every run of MR lanes `run_pitch` behind the one before."""
    for g in range(value.type.count // MR):
        run = range(MR * g, MR * (g + 1))
        part = shuffle(builder, value, None, list(run))
        at = builder.gep(address, [builder.mul(run_pitch, I64(g))])
        store_vector(builder, part, at, align)


@intrinsic
def transform_weights(
    typingctx, weight, base, places, place, turned, out, out_start, out_pitch, run_pitch
):
    """G g G' of 3 x 3 filters, from the last tap to the first where `turned`."""
    kind = llvm_vector(Vector(weight.dtype, register_lanes(weight)))
    align = weight.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        addresses = _lane_addresses(context, builder, sig, args, 0, kind.count)
        target = pointer(context, builder, out, args[5], args[6])
        taps = []
        for tap in range(9):
            index = builder.select(args[4], I64(8 - tap), I64(tap))
            value = ir.Constant(kind, ir.Undefined)
            for lane, address in enumerate(addresses):
                number = builder.load(builder.gep(address, [index]))
                value = builder.insert_element(value, number, I32(lane))
            taps.append(value)
        entries = _twice(Row(builder, kind).weights, [taps[0:3], taps[3:6], taps[6:9]])
        for index, value in enumerate(v for row in entries for v in row):
            at = builder.gep(target, [builder.mul(args[7], I64(index))])
            _store_runs(builder, value, at, args[8], align)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(weight, intp, places, intp, types.boolean, out, intp, intp, intp), codegen


@intrinsic
def transform_outputs(
    typingctx, products, start, pitch, out, base, places, place, row_pitch, shift, least
):
    """max(A' m A + shift, least), scattered as 4 x 4 patches; the 36 vectors lie `pitch` apart."""
    kind = llvm_vector(Vector(products.dtype, register_lanes(products)))
    align = products.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        source = pointer(context, builder, products, args[0], args[1])
        addresses = _lane_addresses(context, builder, sig, args, 3, kind.count)
        shift_, least_ = repeat(builder, args[8], kind), repeat(builder, args[9], kind)
        values = [
            load_vector(builder, builder.gep(source, [builder.mul(args[2], I64(i))]), kind, align)
            for i in range(SIDE * SIDE)
        ]
        rows = [values[SIDE * i : SIDE * (i + 1)] for i in range(SIDE)]
        for i, row in enumerate(_twice(Row(builder, kind).outputs, rows)):
            finished = []
            for value in row:
                total = builder.fadd(value, shift_)
                low = builder.fcmp_ordered("<", total, least_)
                finished.append(builder.select(low, least_, total))
            _store_fours(builder, finished, addresses, builder.mul(args[7], I64(i)), align)
        return context.get_dummy_value()

    intp, number = types.intp, products.dtype
    return types.void(products, intp, intp, out, intp, places, intp, intp, number, number), codegen


@intrinsic
def transform_weight_gradients(typingctx, products, start, pitch, out, out_start):
    """G' u G: the 9 taps as 9 vectors, one behind the other."""
    kind = llvm_vector(Vector(products.dtype, register_lanes(products)))
    align = products.dtype.bitwidth // 8

    def codegen(context, builder, sig, args):
        source = pointer(context, builder, products, args[0], args[1])
        target = pointer(context, builder, out, args[3], args[4])
        values = [
            load_vector(builder, builder.gep(source, [builder.mul(args[2], I64(i))]), kind, align)
            for i in range(SIDE * SIDE)
        ]
        rows = [values[SIDE * i : SIDE * (i + 1)] for i in range(SIDE)]
        taps = _twice(Row(builder, kind).weight_gradients, rows)
        for index, value in enumerate(v for row in taps for v in row):
            store_vector(builder, value, builder.gep(target, [I64(index * kind.count)]), align)
        return context.get_dummy_value()

    intp = types.intp
    return types.void(products, intp, intp, out, intp), codegen
