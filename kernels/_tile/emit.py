"""What the parts of a register tile are written with."""

from collections.abc import Callable
from typing import Any

from kernels._simd import (
    I64,
    Vector,
    call,
    llvm_vector,
    load_vector,
    repeat,
    store_vector,
    suffix,
)
from kernels._tile.products import Loop, zeros


class Emit:
    """What the parts of a tile share: the builder, and the type of a register."""

    def __init__(self, builder: Any, element: Any, lanes: int) -> None:
        self.builder = builder
        self.kind = llvm_vector(Vector(element, lanes))
        self.align = element.bitwidth // 8

    def load(self, address: Any) -> Any:
        return load_vector(self.builder, address, self.kind, self.align)

    def repeated(self, address: Any) -> Any:
        return repeat(self.builder, self.builder.load(address), self.kind)

    def store(self, values: list, addresses: list) -> None:
        for value, address in zip(values, addresses, strict=True):
            store_vector(self.builder, value, address, self.align)

    def fields(self, place: Any) -> list:
        return [self.builder.extract_value(place, k) for k in range(4)]

    def at_most(self, index: Any, last: Any) -> Any:
        inside = self.builder.icmp_signed("<", index, last)
        return self.builder.select(inside, index, last)

    def rows(self, base: Any, step: Any, last: Any, count: int) -> list:
        """The addresses of `count` rows, `step` apart, none beyond row `last`."""
        rows = [self.at_most(I64(i), last) for i in range(count)]
        return [self.builder.gep(base, [self.builder.mul(step, row)]) for row in rows]

    def columns(self, first: Any, last: Any, count: int) -> list:
        """The offsets of `count` registers side by side, none beyond `last`."""
        offsets = [self.builder.add(first, I64(j * self.kind.count)) for j in range(count)]
        return [self.at_most(offset, last) for offset in offsets]

    def where(self, condition: Any, values: list, changed: Callable) -> list:
        """changed(values) where the condition holds, else the values."""
        before = self.builder.block
        with self.builder.if_then(condition):
            others = changed(values)
            inside = self.builder.block
        chosen = []
        for value, other in zip(values, others, strict=True):
            phi = self.builder.phi(value.type)
            phi.add_incoming(value, before)
            phi.add_incoming(other, inside)
            chosen.append(phi)
        return chosen

    def sums(
        self,
        depth: Any,
        a_rows: list,
        a_step: Any,
        b_columns: list,
        b_step: Any,
        initial: list | None = None,
    ) -> list:
        """Of `depth` products: for every row each register of columns, on top of `initial`."""
        builder = self.builder
        initial = initial or zeros(self.kind, len(a_rows) * len(b_columns))
        loop = Loop(builder, depth, 1, initial)
        a_at, b_at = builder.mul(loop.index, a_step), builder.mul(loop.index, b_step)
        columns = [builder.gep(column, [b_at]) for column in b_columns]
        numbers = [builder.gep(row, [a_at]) for row in a_rows]
        updated = list(loop.sums)

        def add(i: int, j: int, factor: Any, b_value: Any) -> None:
            k = i * len(columns) + j
            operands = [factor, b_value, loop.sums[k]]
            updated[k] = call(builder, f"llvm.fma.{suffix(self.kind)}", self.kind, operands)

        # The shorter side is held in registers, or they would not suffice.
        if len(numbers) < len(columns):
            factors = [self.repeated(number) for number in numbers]
            for j, column in enumerate(columns):
                b_value = self.load(column)
                for i, factor in enumerate(factors):
                    add(i, j, factor, b_value)
        else:
            b_values = [self.load(column) for column in columns]
            for i, number in enumerate(numbers):
                factor = self.repeated(number)
                for j, b_value in enumerate(b_values):
                    add(i, j, factor, b_value)
        loop.close(updated)
        return updated

    def rectified(self, values: list) -> list:
        """max(., 0); NaN stays."""
        (zero,) = zeros(self.kind, 1)
        return [
            self.builder.select(self.builder.fcmp_ordered("<", v, zero), zero, v) for v in values
        ]
