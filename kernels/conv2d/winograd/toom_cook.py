"""F(4, 3) of one row, as LLVM values: Toom-Cook at 0, +-2/3, +-3/2 and infinity.

Six inputs d, three weights g and four outputs y: y = A' ((G g) * (B' d)), and the transposes
that lead back. README.md has the matrices, and says why these points. Even and odd powers are
taken apart, so that a point and its negative share them.
"""

from typing import Any

from llvmlite import ir

from kernels._simd import call, suffix

P, Q = 2 / 3, 3 / 2

# Points, so elements of a transformed row.
SIDE = 6


class Row:
    """One-dimensional transforms of a list of vectors."""

    def __init__(self, builder: Any, kind: ir.VectorType) -> None:
        self.builder, self.kind = builder, kind

    def _times(self, factor: float, x: Any) -> Any:
        return self.builder.fmul(ir.Constant(self.kind, [factor] * self.kind.count), x)

    def _fma(self, factor: float, x: Any, y: Any) -> Any:
        constant = ir.Constant(self.kind, [factor] * self.kind.count)
        return call(self.builder, f"llvm.fma.{suffix(self.kind)}", self.kind, [constant, x, y])

    def _plus(self, x: Any, y: Any) -> Any:
        return self.builder.fadd(x, y)

    def _minus(self, x: Any, y: Any) -> Any:
        return self.builder.fsub(x, y)

    def inputs(self, d: list) -> list:
        """B' d, 6 to 6."""
        product, total = P * P * Q * Q, P * P + Q * Q
        even_p, odd_p = self._fma(-Q * Q, d[2], d[4]), self._fma(-Q * Q, d[1], d[3])
        even_q, odd_q = self._fma(-P * P, d[2], d[4]), self._fma(-P * P, d[1], d[3])
        return [
            self._fma(product, d[0], self._fma(-total, d[2], d[4])),
            self._fma(P, odd_p, even_p),
            self._fma(-P, odd_p, even_p),
            self._fma(Q, odd_q, even_q),
            self._fma(-Q, odd_q, even_q),
            self._fma(product, d[1], self._fma(-total, d[3], d[5])),
        ]

    def outputs(self, m: list) -> list:
        """A' m, 6 to 4."""
        sum_p, difference_p = self._plus(m[1], m[2]), self._minus(m[1], m[2])
        sum_q, difference_q = self._plus(m[3], m[4]), self._minus(m[3], m[4])
        return [
            self._plus(self._plus(m[0], sum_p), sum_q),
            self._fma(P, difference_p, self._times(Q, difference_q)),
            self._fma(P * P, sum_p, self._times(Q * Q, sum_q)),
            self._fma(P**3, difference_p, self._fma(Q**3, difference_q, m[5])),
        ]

    def gradients(self, d: list) -> list:
        """A d, 4 to 6: the transpose of `outputs`."""
        result = [d[0]]
        for point in (P, Q):
            even = self._fma(point**2, d[2], d[0])
            odd = self._fma(point**2, d[3], d[1])
            result += [self._fma(point, odd, even), self._fma(-point, odd, even)]
        return [*result, d[3]]

    def weights(self, g: list) -> list:
        """G g, 3 to 6."""
        result = [self._times(1 / (P * P * Q * Q), g[0])]
        for point, other in ((P, Q), (Q, P)):
            scale = 1 / (2 * point**2 * (point**2 - other**2))
            even = self._times(scale, self._fma(point**2, g[2], g[0]))
            odd = self._times(scale * point, g[1])
            result += [self._plus(even, odd), self._minus(even, odd)]
        return [*result, g[2]]

    def weight_gradients(self, u: list) -> list:
        """G' u, 6 to 3: the transpose of `weights`."""
        scale_p, scale_q = 1 / (2 * P**2 * (P**2 - Q**2)), 1 / (2 * Q**2 * (Q**2 - P**2))
        sum_p, difference_p = self._plus(u[1], u[2]), self._minus(u[1], u[2])
        sum_q, difference_q = self._plus(u[3], u[4]), self._minus(u[3], u[4])
        both = self._fma(scale_p, sum_p, self._times(scale_q, sum_q))
        squares = self._fma(scale_p * P**2, sum_p, self._fma(scale_q * Q**2, sum_q, u[5]))
        return [
            self._fma(1 / (P * P * Q * Q), u[0], both),
            self._fma(scale_p * P, difference_p, self._times(scale_q * Q, difference_q)),
            squares,
        ]
