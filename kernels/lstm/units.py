"""What a step does to one value's units, forward and backward."""

from kernels._jit import jit
from kernels._recurrent import gate, squash
from kernels._simd import fma, load


@jit
def open_gates(sums, at, gap, bias, peephole, unit, c):
    """i, f, g, o and the new cell.

    sums      flat; those of the gates lie at `at`, `gap` apart
    bias      (4 padded,), peephole (3 padded,) or empty; of these units, from `unit` on
    c         the cell before
    """
    padded = bias.size // 4
    i = load(sums, at) + load(bias, unit)
    f = load(sums, at + gap) + load(bias, padded + unit)
    g = load(sums, at + 2 * gap) + load(bias, 2 * padded + unit)
    o = load(sums, at + 3 * gap) + load(bias, 3 * padded + unit)
    if peephole.size:
        i = fma(load(peephole, unit), c, i)
        f = fma(load(peephole, padded + unit), c, f)
    i, f, g = gate(i), gate(f), squash(g)
    cell = fma(f, c, i * g)
    if peephole.size:
        o = fma(load(peephole, 2 * padded + unit), cell, o)
    return i, f, g, gate(o), cell


@jit
def gate_gradients(i, f, g, o, bent, c, dout, dc, peephole, unit):
    """Gradients of the sums of i, f, g and o, and of the cell before.

    bent      tanh of the new cell
    c         the cell before
    dout, dc  gradients of o tanh(cell), and of the new cell by the step behind
    """
    padded = peephole.size // 3
    slope = dout * o
    do = slope * bent * (1.0 - o)
    dc = fma(slope, fma(-bent, bent, 1.0), dc)
    if peephole.size:
        dc = fma(load(peephole, 2 * padded + unit), do, dc)
    di = dc * g * (i * (1.0 - i))
    df = dc * c * (f * (1.0 - f))
    dg = dc * i * fma(-g, g, 1.0)
    dc = dc * f
    if peephole.size:
        dc = fma(load(peephole, unit), di, dc)
        dc = fma(load(peephole, padded + unit), df, dc)
    return di, df, dg, do, dc
