"""What micro-kernels are written with: LLVM's instructions over registers."""

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
from kernels._tile.registers import zeros


def address(builder: Any, base: Any, step: Any, index: int) -> Any:
    return builder.gep(base, [builder.mul(step, I64(index))])


def first_that_holds(builder: Any, cases: list[tuple[Any, Callable]], otherwise: Callable) -> None:
    """The code of the first case whose condition holds, else of `otherwise`.

    Where conditions are known to the compiler, the code of one alone is left.
    """
    if not cases:
        otherwise()
        return
    (condition, code), *others = cases
    with builder.if_else(condition) as (then, other):
        with then:
            code()
        with other:
            first_that_holds(builder, others, otherwise)


def by_number(builder: Any, number: Any, numbers: tuple[int, ...], code: Callable) -> None:
    """code(n) for the n that `number` is at run time."""
    *others, last = numbers
    cases = [
        (builder.icmp_signed("==", number, I64(n)), lambda n=n: code(n))  # type: ignore[misc]
        for n in others
    ]
    first_that_holds(builder, cases, lambda: code(last))


class Loop:
    """A counted loop under construction whose sums live in registers, from `initial` on."""

    def __init__(self, builder: Any, count: Any, step: int, initial: list) -> None:
        self.builder, self.count, self.step = builder, count, step
        self.before = builder.block
        self.body = builder.append_basic_block("sum")
        self.after = builder.append_basic_block("summed")
        builder.branch(self.body)
        builder.position_at_end(self.body)
        self.index = builder.phi(I64)
        self.index.add_incoming(I64(0), self.before)
        self.sums = [builder.phi(value.type) for value in initial]
        for phi, value in zip(self.sums, initial, strict=True):
            phi.add_incoming(value, self.before)

    def close(self, updated: list) -> None:
        following = self.builder.add(self.index, I64(self.step))
        self.index.add_incoming(following, self.body)
        for phi, value in zip(self.sums, updated, strict=True):
            phi.add_incoming(value, self.body)
        again = self.builder.icmp_signed("<", following, self.count)
        self.builder.cbranch(again, self.body, self.after)
        self.builder.position_at_end(self.after)


class Emit:
    """The builder, and the type of a register."""

    def __init__(self, builder: Any, element: Any, lanes: int) -> None:
        self.builder = builder
        self.kind = llvm_vector(Vector(element, lanes))
        self.align = element.bitwidth // 8

    def load(self, address: Any) -> Any:
        return load_vector(self.builder, address, self.kind, self.align)

    def loaded(self, addresses: list) -> list:
        return [self.load(at) for at in addresses]

    def repeated(self, address: Any) -> Any:
        return repeat(self.builder, self.builder.load(address), self.kind)

    def store(self, values: list, addresses: list) -> None:
        for value, at in zip(values, addresses, strict=True):
            store_vector(self.builder, value, at, self.align)

    def store_or_add(self, values: list, addresses: list, add: Any) -> None:
        with self.builder.if_else(add) as (adding, writing):
            with adding:
                for value, at in zip(values, addresses, strict=True):
                    self.store([self.builder.fadd(self.load(at), value)], [at])
            with writing:
                self.store(values, addresses)

    def fields(self, place: Any) -> list:
        """The numbers of a tuple."""
        return [self.builder.extract_value(place, k) for k in range(len(place.type))]

    def beside(self, base: Any, count: int) -> list:
        """The addresses of `count` registers side by side."""
        return [self.builder.gep(base, [I64(j * self.kind.count)]) for j in range(count)]

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

    def from_memory(self, resume: Any, addresses: list) -> list:
        """What lies there where sums go on from it, else zeros."""
        initial = zeros(self.kind, len(addresses))
        return self.where(resume, initial, lambda _: self.loaded(addresses))

    def sums(
        self,
        depth: Any,
        a_rows: list,
        a_step: Any | Callable,
        b_columns: list,
        b_step: Any,
        initial: list | None = None,
    ) -> list:
        """Of `depth` products: for every row each register of columns, on top of `initial`.

        a_step  from one k to the next, or what says where k lies from the row's address
        """
        builder = self.builder
        initial = initial or zeros(self.kind, len(a_rows) * len(b_columns))
        loop = Loop(builder, depth, 1, initial)
        a_at = a_step(loop.index) if callable(a_step) else builder.mul(loop.index, a_step)
        b_at = builder.mul(loop.index, b_step)
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
            b_values = self.loaded(columns)
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
